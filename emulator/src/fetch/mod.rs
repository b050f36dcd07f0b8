//! `FetchXML`, the XML query language of Dataverse (reference §4.13): parsed without regard to any
//! table, then resolved against the schema and turned into one SQL statement.

mod error;
mod query;
mod statement;
mod syntax;

pub(crate) use error::FetchError;
pub(crate) use query::Fetch;
pub(crate) use statement::{Context, Statement};
pub(crate) use syntax::Apply;
