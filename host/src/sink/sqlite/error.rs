//! What SQLite reports, in words that say what to do.

use std::error::Error;
use std::fmt;
use std::path::Path;

use rusqlite::ErrorCode;

use crate::sink::SinkError;
use crate::sink::error::DISK_FULL;

/// Why a transaction was rolled back.
pub(super) enum Failure {
    Database(rusqlite::Error),
    Data(String),
    Stream(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// An error of SQLite.
#[derive(Debug)]
struct DatabaseError(rusqlite::Error);

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => f.write_str(DISK_FULL),
            Some(ErrorCode::ReadOnly) => f.write_str("it is read-only"),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                f.write_str("another program holds it locked")
            }
            Some(ErrorCode::NotADatabase) => f.write_str("it is not an SQLite database"),
            Some(ErrorCode::CannotOpen) => f.write_str("it cannot be opened"),
            _ => self.0.fmt(f),
        }
    }
}

impl Error for DatabaseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

pub(super) fn failed(
    action: impl Into<String>,
    path: &Path,
) -> impl FnOnce(rusqlite::Error) -> SinkError {
    let target = format!("the database {}", path.display());
    let action = action.into();
    move |source| SinkError::target(target, action, DatabaseError(source))
}
