//! The two servers: the environment and the authority.

pub(crate) mod authority;
pub(crate) mod environment;
pub(crate) mod faults;
pub(crate) mod serve;
pub(crate) mod service;
pub(crate) mod statistics;
pub(crate) mod version;
