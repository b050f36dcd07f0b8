//! Why a command of the control API fails.

use axum::http::StatusCode;
use thiserror::Error;

use crate::{
    entra::{CertificateError, KeySetError},
    store::StoreError,
};

/// Why a command was not carried out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// There is no such command.
    #[error("unknown command: {method} {command}")]
    UnknownCommand {
        /// The HTTP method.
        method: String,
        /// The path after the prefix.
        command: String,
    },
    /// The body is not what the command needs.
    #[error("invalid body for this command: {0}")]
    Body(#[from] serde_json::Error),
    /// An unknown name or identifier.
    #[error("unknown {kind} '{name}'")]
    Unknown {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A change that the organization does not allow.
    #[error("the change was rejected: {0}")]
    Refused(String),
    /// A certificate that cannot be registered.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Keys that cannot be registered.
    #[error(transparent)]
    KeySet(#[from] KeySetError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ControlError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::UnknownCommand { .. } | Self::Unknown { .. } => StatusCode::NOT_FOUND,
            Self::Refused(_) => StatusCode::CONFLICT,
            Self::Body(_) | Self::Certificate(_) | Self::KeySet(_) => StatusCode::BAD_REQUEST,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) fn unknown(kind: &'static str, name: impl std::fmt::Display) -> Self {
        Self::Unknown {
            kind,
            name: name.to_string(),
        }
    }
}
