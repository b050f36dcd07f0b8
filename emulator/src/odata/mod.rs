//! The query language of the Web API (reference §4): parsed without regard to any table, then
//! resolved against the schema and turned into SQL.

pub(crate) mod annotations;
pub(crate) mod condition;
pub(crate) mod constant;
mod dates;
pub(crate) mod enumeration;
mod error;
pub(crate) mod filter;
pub(crate) mod format;
pub(crate) mod fragment;
pub(crate) mod functions;
pub(crate) mod json;
mod lexer;
pub(crate) mod model;
pub(crate) mod options;
pub(crate) mod order;
pub(crate) mod plan;
pub(crate) mod skiptoken;
pub(crate) mod sql;

pub(crate) use error::ODataError;
pub(crate) use lexer::Literal;
pub(crate) use model::{Model, Navigation, Property};
