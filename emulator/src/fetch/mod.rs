//! `FetchXML`, the XML query language of Dataverse (reference §4.13): parsed without regard to any
//! table, then resolved against the schema and turned into one SQL statement.

mod aggregate;
mod apply;
mod builder;
mod condition;
mod element;
mod error;
mod expression;
mod join;
mod operator;
mod parse;
mod query;
mod select;
mod sql;
mod statement;
mod value;

pub(crate) use apply::Apply;
pub(crate) use builder::Context;
pub(crate) use error::FetchError;
pub(crate) use query::Fetch;
pub(crate) use statement::Statement;
