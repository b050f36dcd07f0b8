//! The selections that a sync reads, and the events that it hands out.

use crate::error::Error;

/// How files and images are returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileForm {
    /// As the reference that the service returns.
    #[default]
    Reference,
    /// As their content in base64.
    Content,
}

/// What to read of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// A table's logical name, or one of the other streams that the catalog names.
    pub stream: String,
    /// Columns by their names in rows; empty for every readable one. The primary key is always
    /// read.
    pub columns: Vec<String>,
    /// Whether the labels of choices and references are read too.
    pub labels: bool,
    /// Only rows that match this filter, in the service's own language (reference §4.4).
    pub filter: Option<String>,
    /// Only rows changed at this time or later, RFC 3339.
    pub since: Option<String>,
    /// The FetchXML of a stream that is a query of the caller.
    pub query: Option<String>,
    /// How columns with files and images are returned.
    pub files: FileForm,
    /// Whether every key is read at the end of a sync, to find deletions that the service does
    /// not report.
    pub sweep: bool,
    /// Rows per request; none for the page size of the settings.
    pub page_size: Option<u32>,
    /// Where an earlier sync of the same selection stopped.
    pub checkpoint: Option<String>,
}

/// What the rows of a page are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Rows of a first or repeated full read.
    Snapshot,
    /// Rows that are new or have changed.
    Upsert,
    /// Rows that were deleted; only their keys.
    Delete,
    /// Rows that exist, whether or not they have changed; only their keys.
    Present,
}

/// A page of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The stream.
    pub stream: String,
    /// What the rows are.
    pub operation: Operation,
    /// The number of rows.
    pub count: u32,
    /// One JSON object per line.
    pub ndjson: String,
    /// Where the stream resumes once the page is durable.
    pub checkpoint: String,
}

/// The schema of the rows of a selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The stream.
    pub stream: String,
    /// The columns that together identify a row.
    pub primary_key: Vec<String>,
    /// JSON Schema 2020-12 of the rows of this selection.
    pub row_schema: String,
    /// How the columns have changed since the checkpoint was taken.
    pub changes: Vec<ColumnChange>,
}

/// How a column can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It was deleted, or is no longer readable.
    Removed,
    /// It holds another type of value.
    Retyped,
}

/// How one column has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnChange {
    /// The column's name.
    pub column: String,
    /// How it has changed.
    pub change: Change,
}

/// A stream is read from its first row: rows held from before are void, and so is the checkpoint
/// that belonged to them. A sink that is killed before the first page is durable must start the
/// stream without a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    /// The stream.
    pub stream: String,
    /// Why, for people.
    pub reason: String,
}

/// A stream cannot be read further in this sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The stream.
    pub stream: String,
    /// Why.
    pub error: Error,
}

/// Something a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The stream, if it concerns one.
    pub stream: Option<String>,
    /// Stable and machine-readable.
    pub id: String,
    /// One sentence or two.
    pub message: String,
}

/// The id of a warning, and its message.
pub(super) type WarningText = (&'static str, String);

/// What happens in a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Comes before the first page of a stream.
    Schema(Schema),
    /// The stream is read from its first row.
    Reset(Reset),
    /// Rows.
    Page(Page),
    /// The keys of all rows follow as [`Operation::Present`]; rows whose key has not come by the
    /// end were deleted.
    Sweep(String),
    /// The stream is complete for this sync.
    Complete(String),
    /// The stream cannot be read further; the others continue.
    Failed(Failure),
    /// Something a person should know.
    Warning(Warning),
}
