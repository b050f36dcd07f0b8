//! The error type of all modules: what a caller can do about an error, and a message for a person.
//! It depends on no other module; they convert their own errors to it.

use std::fmt;
use std::time::Duration;

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The settings cannot describe a connection. Fix them; retrying is useless.
    InvalidSettings,
    /// Credentials are missing, wrong, revoked or expired. Sign in again.
    Unauthenticated,
    /// Signed in, but a privilege or a licence is missing. An administrator must act.
    Forbidden,
    /// The named object does not exist, or this account cannot see it.
    NotFound,
    /// A duplicate key, a failed precondition, a concurrent change.
    Conflict,
    /// The service rejected the data itself.
    InvalidData,
    /// The checkpoint cannot be resumed.
    CheckpointExpired,
    /// The service requests a longer pause than the call may wait.
    Throttled,
    /// The service or the network failed; the same call may succeed later.
    Unavailable,
    /// The service or the connector cannot do this at all.
    Unsupported,
    /// A defect of the connector.
    Internal,
}

/// For calls that change something: what may already have happened in the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Nothing was changed.
    NotStarted,
    /// The change may have happened.
    Unknown,
    /// Some of it happened.
    Partial,
    /// All of it happened.
    Done,
}

/// What the service itself said about a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceFault {
    /// The HTTP status.
    pub status: u16,
    /// The service's own code, normalized: `0x` and eight lower-case hexadecimal digits from
    /// Dataverse, `AADSTS` and a number (or the OAuth error code) from Entra, empty when the
    /// service gave none.
    pub code: String,
    /// The ID by which the service's support finds the request.
    pub request_id: Option<String>,
    /// Whether the sign-in authority rejected the request, and not the environment.
    pub of_authority: bool,
}

/// What the connector itself can try before it returns the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// The same rows in smaller pages: the response was too large or took too long.
    SmallerPages,
    /// A full read: the change token has expired.
    Resync,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What the caller can do.
    pub kind: ErrorKind,
    /// What may have happened; `NotStarted` for every call that only reads.
    pub commit: Commit,
    /// For a person: what failed, why, and after the last semicolon what to do. Never contains a
    /// secret.
    pub message: String,
    /// How long to wait before the same call may succeed.
    pub retry_after: Option<Duration>,
    /// What the service said, if it said anything.
    pub fault: Option<ServiceFault>,
    /// What the connector can try by itself.
    pub recovery: Option<Recovery>,
    /// The name of the privilege that the account is missing, such as `prvReadAccount`, where
    /// the service named it.
    pub missing_privilege: Option<Box<str>>,
}

impl Error {
    /// An error of a call that changed nothing.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            commit: Commit::NotStarted,
            message: message.into(),
            retry_after: None,
            fault: None,
            recovery: None,
            missing_privilege: None,
        }
    }

    /// Whether the service says that the resource does not exist, or does not support the
    /// request.
    pub(crate) fn is_not_offered(&self) -> bool {
        matches!(self.status(), Some(400 | 404 | 405 | 501))
    }

    /// The status with which the environment rejected the request; `None` if the authority rejected
    /// it.
    pub(crate) fn status(&self) -> Option<u16> {
        let fault = self.fault.as_ref()?;
        (!fault.of_authority).then_some(fault.status)
    }

    /// What failed, and what to do about it if the message says so.
    pub(crate) fn parts(&self) -> (&str, Option<&str>) {
        match self.message.rsplit_once("; ") {
            Some((failure, advice)) => (failure, Some(advice)),
            None => (&self.message, None),
        }
    }

    /// Adds what the service said.
    #[must_use]
    pub fn with_fault(mut self, fault: ServiceFault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// Adds how long to wait before the call may succeed.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// Adds what the connector can try by itself.
    #[must_use]
    pub fn with_recovery(mut self, recovery: Recovery) -> Self {
        self.recovery = Some(recovery);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
