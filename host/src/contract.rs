//! The words of the contract `integration:connector@0.1.0`, as Rust types.
//!
//! All but [`ConnectorError`] are generated from `wit/`, whose comments say what each field
//! means and promises.

use std::fmt;
use std::time::Duration;

use crate::bindings::exports::integration::connector::{
    authorization, catalog, connection, source,
};
use crate::bindings::integration::connector::types;

pub use authorization::Consent;
pub use catalog::{
    AlternateKey, Cardinality, ChangeDetection, Choice, Column, DataType,
    Description as StreamDescription, NewChoice, NewColumn, NewType, Relationship, Requirement,
    StreamKind, Summary as StreamSummary, TextType, View,
};
pub use connection::{
    Call, Description as ConnectorDescription, Finding, Permission, Report, Role, RoleChange,
    Verdict,
};
pub use source::{
    Change, ColumnChange, Event, Failure, FileForm, Operation, Page, Reset, Schema, Selection,
    Warning,
};
pub use types::{Commit, ErrorKind, ServiceFault};

impl Selection {
    /// Every readable column of a stream, from its beginning.
    pub fn of(stream: impl Into<String>) -> Self {
        Self {
            stream: stream.into(),
            columns: Vec::new(),
            labels: false,
            filter: None,
            since: None,
            query: None,
            files: FileForm::Reference,
            sweep: false,
            page_size: None,
            checkpoint: None,
        }
    }
}

/// An error that the connector itself reported. The instance lives on.
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
    /// What the service itself said.
    pub fault: Option<ServiceFault>,
}

impl ConnectorError {
    /// Whether the same call may succeed later without anybody mending anything.
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
