//! Why an emulator does not start.

use std::net::SocketAddr;

use thiserror::Error;

use crate::{schema::SchemaError, store::StoreError};

/// An error of the function that fills the organization.
pub type SeedError = Box<dyn std::error::Error + Send + Sync>;

/// Why an emulator did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The schema cannot be used.
    #[error("invalid schema: {0}")]
    Schema(#[from] SchemaError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Filling the organization failed.
    #[error("cannot fill the organization: {0}")]
    Seed(SeedError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A background task ended early.
    #[error("a background task ended early: {0}")]
    Task(#[from] tokio::task::JoinError),
}
