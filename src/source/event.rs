//! What goes into a sync, and what comes out.

use crate::error::Error;

/// What to read of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The table's logical name.
    pub stream: String,
    /// Columns by their names in rows; empty for every readable one. The primary key always
    /// comes.
    pub columns: Vec<String>,
    /// Whether labels come beside choices and references.
    pub labels: bool,
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
    /// The stream is caught up.
    Complete(String),
    /// The stream cannot be read further; the others go on.
    Failed(Failure),
    /// Something a person should know.
    Warning(Warning),
}
