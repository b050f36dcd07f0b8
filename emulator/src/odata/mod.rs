//! The query language of the Web API (reference §4): parsed without regard to any table, then
//! resolved against the schema and turned into SQL.

pub(crate) mod condition;
pub(crate) mod constant;
pub(crate) mod enumeration;
pub(crate) mod filter;
pub(crate) mod fragment;
mod lexer;
pub(crate) mod model;
pub(crate) mod options;
pub(crate) mod order;
pub(crate) mod plan;
pub(crate) mod skiptoken;
pub(crate) mod sql;

pub(crate) use lexer::Literal;
pub(crate) use model::{Model, Navigation, Property};
