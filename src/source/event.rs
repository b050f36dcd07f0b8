//! What goes into a sync, and what comes out.

use crate::error::Error;

/// How files and images come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileForm {
    /// As the service refers to them.
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
    /// Columns by their names in rows; empty for every readable one. The primary key always
    /// comes.
    pub columns: Vec<String>,
    /// Whether labels come beside choices and references.
    pub labels: bool,
    /// Only rows that meet this condition, in the service's filter language (reference §4.4).
    pub filter: Option<String>,
    /// Only rows changed at this time or later, RFC 3339.
    pub since: Option<String>,
    /// The FetchXML of a stream that is a query of the caller's own.
    pub query: Option<String>,
    /// What comes for columns that hold files and images.
    pub files: FileForm,
    /// Whether every key is read at the end, where the service does not report deletions.
    pub sweep: bool,
    /// Rows per request, if not as the settings say.
    pub page_size: Option<u32>,
    /// Where an earlier sync of the same selection stopped.
    pub checkpoint: Option<String>,
}

/// What rows of a page are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Rows of a first or repeated full read.
    Snapshot,
    /// Rows that are new or have changed.
    Upsert,
    /// Rows that are gone; only their keys.
    Delete,
    /// Rows that exist, whether or not they have changed; only their keys.
    Present,
}

/// Some rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Whose rows.
    pub stream: String,
    /// What they are.
    pub operation: Operation,
    /// How many.
    pub count: u32,
    /// One JSON object per line.
    pub ndjson: String,
    /// Where the stream goes on once the page is durable.
    pub checkpoint: String,
}

/// What rows of a selection look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Whose rows.
    pub stream: String,
    /// The columns that together name a row.
    pub primary_key: Vec<String>,
    /// JSON Schema 2020-12 of the rows of this selection.
    pub row_schema: String,
    /// What has become of the columns since the checkpoint was taken.
    pub changes: Vec<ColumnChange>,
}

/// What can become of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone, or no longer readable.
    Removed,
    /// It holds another type of value.
    Retyped,
}

/// What has become of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnChange {
    /// Which one.
    pub column: String,
    /// What has become of it.
    pub change: Change,
}

/// A stream starts over: rows held from before are void, and so is the checkpoint that stood
/// for them. A sink that is killed before the first page is durable must not go on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    /// Which one.
    pub stream: String,
    /// For people: why.
    pub reason: String,
}

/// A stream cannot be read further in this sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which one.
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

/// What happens in a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Comes before the first page of a stream.
    Schema(Schema),
    /// The stream is read from its beginning.
    Reset(Reset),
    /// Rows.
    Page(Page),
    /// From here the keys of all rows come as [`Operation::Present`]; rows whose key has not
    /// come by the end are gone.
    Sweep(String),
    /// The stream is caught up.
    Complete(String),
    /// The stream cannot be read further; the others go on.
    Failed(Failure),
    /// Something a person should know.
    Warning(Warning),
}
