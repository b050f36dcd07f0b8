//! The two servers: the environment and the authority.

pub(crate) mod authority;
pub(crate) mod serve;
mod web_api;
