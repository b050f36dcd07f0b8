//! How far a stream has been read: plain data, which uses no other module of `source` except
//! `time`.
//!
//! A checkpoint is a position as text, so the names of members are part of its format: a field may
//! be renamed here only if `serde` keeps its old name.

mod cursor;
mod mark;
mod method;
mod range;

use serde::Serialize;

pub(super) use cursor::{Cursor, Delta, Watermark};
pub(super) use mark::{Mark, MarkColumn, OVERLAP_SECONDS};
pub(super) use method::{Method, Phase};
pub(super) use range::{LaterChanges, Range, Ranges};

/// How far a stream has been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Position {
    /// No page is durable yet.
    #[serde(rename = "beginning")]
    Start {
        /// How the stream is read.
        method: Method,
    },
    /// Between two pages that link to each other.
    #[serde(rename = "midway")]
    Paged(PagedPosition),
    /// Between pages of several ranges.
    Ranged(Ranges),
    /// Between pages of queries in `FetchXML`.
    #[serde(rename = "fetched")]
    Queried(QueryPosition),
    /// At the end; later changes are read from the cursor.
    CaughtUp(Cursor),
}

/// Between two pages that link to each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PagedPosition {
    pub(super) method: Method,
    pub(super) phase: Phase,
    /// The next page, relative to the API root.
    pub(super) next: String,
    /// Rows per page: not part of the link, and constant over a sequence of pages (reference
    /// §4.6).
    pub(super) page_size: u32,
    /// The newest change so far.
    pub(super) newest: Option<Mark>,
    /// When the first page was requested, in seconds since 1970; only with change tracking, whose
    /// token dates from then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) began: Option<u64>,
}

/// Between pages of queries in `FetchXML`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct QueryPosition {
    /// The query, by its name among those of the stream.
    pub(super) query: String,
    /// The next page, from 1.
    pub(super) page: u32,
    /// Rows per page, constant over the pages of a query.
    pub(super) page_size: u32,
    /// How many rows the pages before had.
    pub(super) rows: u64,
    /// The paging cookie of the page before, if the service gave one.
    pub(super) cookie: Option<String>,
}
