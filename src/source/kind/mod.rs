//! The kinds of streams.
//!
//! A stream's name is parsed once, by [`resolve`]. The result says which options a selection may
//! have and, once the metadata is read, what the rows are: a [`Shape`]. After that only data is
//! passed on, a [`Plan`] and the [`Source`] of its rows; the name is not parsed again.
//!
//! A new kind is one file here and one line in [`resolve`].

mod history;
mod members;
pub(super) mod plan;
mod query;
mod table;
mod view;

use std::future::Future;
use std::pin::Pin;

pub(super) use history::AuditDetails;
pub(super) use plan::{
    Expansion, FetchQuery, Listing, MAX_PAGE_SIZE, Membership, Plan, Queries, Source,
    list_unreadable,
};
use plan::{Listed, Options, Rows, Shape};

use super::event::Selection;
use crate::catalog::StreamName;
use crate::dataverse::Client;
use crate::error::Error;

/// The future of [`Kind::open`].
pub(super) type Opening<'a> = Pin<Box<dyn Future<Output = Result<Shape, Error>> + 'a>>;

/// A kind of stream.
pub(super) trait Kind<H> {
    /// The options that a selection may have.
    fn options(&self) -> Options;

    /// The table, if the stream's rows are those of one table.
    fn table(&self) -> Option<&str> {
        None
    }

    /// Reads the metadata: what the rows are like, and how they are read.
    ///
    /// It fails if there is no such stream, or this account cannot see it.
    fn open<'a>(&'a self, client: &'a Client<H>, selection: &'a Selection) -> Opening<'a>;
}

/// The kind of a stream, by its name. Every kind is listed here.
pub(super) fn resolve<H: crate::host::Host>(stream: &str) -> Box<dyn Kind<H>> {
    match StreamName::of(stream) {
        StreamName::Table(name) => Box::new(table::Table::new(name)),
        StreamName::View(name) => Box::new(view::View::new(name)),
        StreamName::Query => Box::new(query::Query),
        StreamName::History(table) => Box::new(history::History::new(table)),
        StreamName::Members => Box::new(members::Members),
    }
}
