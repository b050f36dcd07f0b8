//! Where rows go. A sink stores the rows of each stream together with the checkpoint from which
//! the next sync resumes.
//!
//! [`JsonLines`] writes files; `Sqlite` (feature `sqlite`) keeps a database. A platform with a
//! target of its own implements [`Sink`], and tests it with the suite in `conformance` (feature
//! `conformance`), which these two pass as well.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod error;
mod jsonl;
mod lock;
mod members;
mod name;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use error::SinkError;
pub use jsonl::JsonLines;
pub use name::stored_name;
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;

use crate::contract::Event;

/// What applying an event changed that the event itself does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rows that were deleted because a sweep that is now complete did not find them.
    pub swept: u64,
}

/// Applies the events of a sync.
///
/// The runner calls `apply` for one event at a time, in order, on a thread where blocking is
/// allowed. When it returns, the event and the checkpoint it carries are durable, both or neither.
pub trait Sink: Send {
    /// Where the stream resumes: the checkpoint of the last durable page, also of a full read that
    /// is not complete yet. None when the stream starts from its beginning.
    ///
    /// # Errors
    /// [`SinkError::Changed`] when the rows that belong to the checkpoint are missing,
    /// [`SinkError::Stream`] when the target cannot store this stream: either way the sync goes on
    /// with the other streams. Any other error ends the sync.
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError>;

    /// Makes an event durable.
    ///
    /// What a sweep has found so far may be forgotten when the sink is dropped: the next sync
    /// sweeps again. A sweep that no `complete` ended is void once the stream's `schema`, `reset`,
    /// `sweep` or `failed` comes.
    ///
    /// # Errors
    /// [`SinkError::Stream`] when the target cannot store this stream: the sync goes on with the
    /// others. Any other error ends the sync.
    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError>;
}
