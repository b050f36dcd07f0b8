//! The one error that leaves every room: what a caller can do about it, and one sentence
//! for a person.

use std::fmt;
use std::time::Duration;

use url::Url;

use crate::dataverse::privilege::PrivilegeName;
use crate::host::HttpError;

/// What a caller can do about an error, and nothing finer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The settings cannot describe a connection. Fix them; retrying is useless.
    InvalidSettings,
    /// Credentials are missing, wrong, revoked or expired. Sign in again.
    Unauthenticated,
    /// Signed in, but a privilege or a licence is missing. An administrator must act.
    Forbidden,
    /// The named thing does not exist, or not for this account.
    NotFound,
    /// A duplicate key, a failed precondition, a concurrent change.
    Conflict,
    /// The service refused the data itself.
    InvalidData,
    /// The checkpoint cannot be resumed.
    CheckpointExpired,
    /// The service asked to slow down for longer than the call may wait.
    Throttled,
    /// The service or the network failed; the same call may succeed later.
    Unavailable,
    /// The service or the connector cannot do this at all.
    Unsupported,
    /// A defect of the connector.
    Internal,
}

/// For calls that change something: what may already have happened on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Nothing was changed.
    NotStarted,
    /// It cannot be told whether the change happened.
    Unknown,
    /// Some of it happened.
    Partial,
    /// All of it happened.
    Done,
}

/// What the service itself said of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceFault {
    /// The HTTP status.
    pub status: u16,
    /// The service's own code, normalised: `0x` and eight lower-case hexadecimal digits from
    /// Dataverse, `AADSTS` and a number (or the OAuth error word) from Entra, empty when the
    /// service gave none.
    pub code: String,
    /// What the service's support needs to find the call.
    pub request_id: Option<String>,
    /// Whether it was the authority that refused, and not the environment.
    pub of_authority: bool,
}

/// What the connector itself can try before it gives the error away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// The same rows in smaller pages: the answer was too large or took too long.
    SmallerPages,
    /// A full read: the change token has expired.
    Resync,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What the caller can do.
    pub kind: ErrorKind,
    /// What may have happened; `NotStarted` for everything that only reads.
    pub commit: Commit,
    /// One sentence for a person: what failed, on what, and after its last semicolon what to
    /// do next. Never a secret.
    pub message: String,
    /// How long to wait before the same call can succeed.
    pub retry_after: Option<Duration>,
    /// What the service said, if it said anything.
    pub fault: Option<ServiceFault>,
    /// What the connector can try by itself.
    pub recovery: Option<Recovery>,
    /// The privilege that the account lacks, where the service named it.
    pub missing: Option<Box<PrivilegeName>>,
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
            missing: None,
        }
    }

    /// Whether the service says that it has no such thing, or cannot do it there.
    pub(crate) fn is_not_offered(&self) -> bool {
        matches!(self.status(), Some(400 | 404 | 405 | 501))
    }

    /// The status with which the environment refused. A refusal of the authority tells nothing
    /// of what was asked of the environment.
    pub(crate) fn status(&self) -> Option<u16> {
        let fault = self.fault.as_ref()?;
        (!fault.of_authority).then_some(fault.status)
    }

    /// `what` at `url` gave no answer.
    pub(crate) fn unreachable(what: &str, url: &Url, error: &HttpError) -> Self {
        let origin = url.origin().ascii_serialization();
        let (kind, advice) = match error {
            HttpError::Denied => (
                ErrorKind::InvalidSettings,
                "let the host allow it, or correct the address in the settings",
            ),
            HttpError::Dns => (
                ErrorKind::Unavailable,
                "check the address in the settings and this machine's name service",
            ),
            HttpError::Connect => (
                ErrorKind::Unavailable,
                "check the address, the network and any firewall or proxy between",
            ),
            HttpError::Tls(_) => (
                ErrorKind::Unavailable,
                "check the server's certificate, this machine's clock, and any proxy that \
                 opens secure connections",
            ),
            HttpError::Timeout | HttpError::Lost => (
                ErrorKind::Unavailable,
                "try again later, or allow more time",
            ),
            HttpError::TooLarge(_) => (ErrorKind::Unsupported, "ask for less at once"),
            HttpError::Protocol(_) => (
                ErrorKind::Unavailable,
                "check any proxy between, or try again later",
            ),
        };
        Self::new(
            kind,
            format!("{what} at {origin} cannot be reached: {error}; {advice}"),
        )
    }

    /// What failed, and what to do about it where the message tells.
    pub(crate) fn parts(&self) -> (&str, Option<&str>) {
        match self.message.rsplit_once("; ") {
            Some((failure, advice)) => (failure, Some(advice)),
            None => (&self.message, None),
        }
    }

    /// The same error with what the service said.
    #[must_use]
    pub fn with_fault(mut self, fault: ServiceFault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// The same error with the time after which the call can succeed.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// The same error with what the connector can try by itself.
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
