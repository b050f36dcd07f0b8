//! Errors that a connector reports.

use std::fmt;
use std::time::Duration;

use crate::bindings::integration::connector::types::{self, Commit, ErrorKind, ServiceFault};

/// An error that the connector itself reported. The instance stays usable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorError {
    /// What the caller can do about it.
    pub kind: ErrorKind,
    /// For calls that change something: what may already have happened.
    pub commit: Commit,
    /// One sentence for a person.
    pub message: String,
    /// How long to wait before the same call can succeed.
    pub retry_after: Option<Duration>,
    /// What the service itself reported.
    pub fault: Option<ServiceFault>,
}

impl ConnectorError {
    /// Whether the same call may succeed later without a change by a person.
    pub fn is_temporary(&self) -> bool {
        matches!(self.kind, ErrorKind::Throttled | ErrorKind::Unavailable)
    }
}

impl From<types::Error> for ConnectorError {
    fn from(error: types::Error) -> Self {
        Self {
            kind: error.kind,
            commit: error.commit,
            message: error.message,
            retry_after: error.retry_after_ms.map(Duration::from_millis),
            fault: error.fault,
        }
    }
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(fault) = &self.fault {
            write!(f, " (HTTP {}", fault.status)?;
            if !fault.code.is_empty() {
                write!(f, ", {}", fault.code)?;
            }
            if let Some(request) = &fault.request_id {
                write!(f, ", request {request}")?;
            }
            f.write_str(")")?;
        }
        if let Some(wait) = self.retry_after {
            write!(f, " Try again in {} s.", wait.as_millis().div_ceil(1000))?;
        }
        Ok(())
    }
}

impl std::error::Error for ConnectorError {}

/// The name of a kind of error as the contract writes it, such as `not-found`.
pub fn kind_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSettings => "invalid-settings",
        ErrorKind::Unauthenticated => "unauthenticated",
        ErrorKind::Forbidden => "forbidden",
        ErrorKind::NotFound => "not-found",
        ErrorKind::Conflict => "conflict",
        ErrorKind::InvalidData => "invalid-data",
        ErrorKind::CheckpointExpired => "checkpoint-expired",
        ErrorKind::Throttled => "throttled",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::Internal => "internal",
    }
}
