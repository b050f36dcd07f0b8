//! Where rows go. A sink keeps the rows of each stream together with the checkpoint from which
//! the next sync goes on.

mod jsonl;
mod members;
mod name;
mod sqlite;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use jsonl::JsonLines;
pub use name::stored_name;
pub use sqlite::Sqlite;

use crate::contract::Event;

/// What an event did besides what it says itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rows that were dropped because a sweep that is now complete did not find them.
    pub swept: u64,
}

/// Applies the events of a sync.
///
/// The runner calls `apply` for one event at a time, in order, on a thread where blocking is
/// allowed. When it returns, the event and the checkpoint it carries are durable, both or neither.
pub trait Sink: Send {
    /// Where the stream goes on: the checkpoint of the last durable page, also of a full read that
    /// is not complete yet. None when there is nothing to go on from.
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError>;

    /// Makes an event durable.
    ///
    /// What a sweep has found so far may be forgotten when the sink is dropped: the next sync
    /// sweeps again. A sweep that no `complete` ended is void once the stream's `schema`, `reset`,
    /// `sweep` or `failed` comes.
    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError>;
}

/// Why rows cannot be kept. What was durable before stays so.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The file system refused.
    #[error("{path} cannot be {action}: {}", describe(.source))]
    Io {
        /// What was to be done, as a participle.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The database refused.
    #[error("the database {path} failed while {action}: {}", explain(.source))]
    Database {
        /// What was being done.
        action: String,
        /// The database's file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Another process is writing to the same place.
    #[error("{path} is in use by another sync; wait for it or choose another target")]
    InUse {
        /// The directory or database.
        path: PathBuf,
    },
    /// What the sink wrote earlier was changed by somebody else.
    #[error("{path} {reason}")]
    Foreign {
        /// What was changed.
        path: PathBuf,
        /// How, as the end of a sentence, and what to do about it.
        reason: String,
    },
    /// The stream cannot be stored under its name.
    #[error("the stream `{stream}` cannot be stored here: {reason}")]
    Stream {
        /// The stream.
        stream: String,
        /// Why not.
        reason: String,
    },
    /// The connector broke the contract.
    #[error(
        "the connector sent something for the stream `{stream}` that cannot be stored: {reason}"
    )]
    Data {
        /// The stream.
        stream: String,
        /// What was wrong, without the data.
        reason: String,
    },
    /// The sink broke off and cannot be used again.
    #[error("the sink broke off")]
    Broken,
}

impl SinkError {
    /// The one stream that cannot be kept, where others can.
    pub(crate) fn stream(&self) -> Option<&str> {
        match self {
            Self::Stream { stream, .. } => Some(stream),
            _ => None,
        }
    }

    fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

fn describe(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "the disk is full; make room and run again, nothing is lost".to_owned()
        }
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

fn explain(error: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            "the disk is full; make room and run again, nothing is lost".to_owned()
        }
        Some(ErrorCode::ReadOnly) => "it is read-only".to_owned(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds it locked".to_owned()
        }
        Some(ErrorCode::NotADatabase) => "it is not an SQLite database".to_owned(),
        Some(ErrorCode::CannotOpen) => "it cannot be opened".to_owned(),
        _ => error.to_string(),
    }
}

/// How often a lock is tried for, and the pause between. A program that this process is just
/// starting holds a copy of every handle for a moment.
const LOCK_ATTEMPTS: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Holds the lock file of a target for as long as the returned handle lives, also against other
/// processes.
fn lock(path: &Path, target: &Path) -> Result<std::fs::File, SinkError> {
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|source| {
            // It is the target's own directory that is missing.
            let absent = source.kind() == std::io::ErrorKind::NotFound;
            SinkError::io("opened", if absent { target } else { path })(source)
        })?;
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(std::fs::TryLockError::Error(source)) => {
                return Err(SinkError::Io {
                    action: "locked",
                    path: path.to_owned(),
                    source,
                });
            }
        }
    }
    Err(SinkError::InUse {
        path: target.to_owned(),
    })
}

#[cfg(test)]
mod model;
