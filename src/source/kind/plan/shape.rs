//! What a kind of stream reads from a stream's metadata.

use super::queries::Queries;
use crate::catalog::Table;
use crate::source::event::WarningText;
use crate::source::position::MarkColumn;

/// Which options a selection of a kind of stream may have.
#[derive(Clone, Copy, Debug)]
pub(in crate::source) struct Options {
    pub(in crate::source) columns: bool,
    /// A filter or a start time.
    pub(in crate::source) conditions: bool,
    /// The text of a query, which then is required.
    pub(in crate::source) query: bool,
}

/// What the rows of a stream are like, and how they are read.
#[derive(Debug)]
pub(in crate::source) struct Shape {
    pub(in crate::source) table: Table,
    pub(in crate::source) rows: Rows,
    /// What is not read, and why.
    pub(in crate::source) warnings: Vec<WarningText>,
}

/// Where rows come from.
#[derive(Debug)]
pub(in crate::source) enum Rows {
    /// From one entity set, on pages that link to each other.
    Listed(Listed),
    /// From queries in `FetchXML`.
    Queried(Queries),
}

/// How the rows of an entity set are read.
#[derive(Debug)]
pub(in crate::source) struct Listed {
    /// Rows per page at most.
    pub(in crate::source) max_page_rows: u32,
    /// Which rows of the entity set belong to the stream; none for all.
    pub(in crate::source) condition: Option<String>,
    /// The column by which changes are found, for rows that are never deleted; none to decide by
    /// the table's columns.
    pub(in crate::source) watermark: Option<MarkColumn>,
    /// The columns of the entity set that are read; none for those of the selection.
    pub(in crate::source) columns: Option<Vec<String>>,
    pub(in crate::source) expansion: Expansion,
}

/// What is put into the rows of a page before they are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Expansion {
    /// The content of files, if the selection requests it.
    FileContent,
    /// What the entries of the audit log changed.
    AuditDetails,
}
