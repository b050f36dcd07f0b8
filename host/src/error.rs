//! What can go wrong between a platform and a connector, by what to do about it.

use std::path::PathBuf;
use std::time::Duration;

use crate::contract::ConnectorError;
use crate::network::OriginError;

/// Why a component cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Neither bytes nor a file were given to the builder.
    #[error("no component was given to load")]
    NoComponent,
    /// The file cannot be read.
    #[error("the component {path} cannot be read: {source}")]
    File {
        /// The component's file.
        path: PathBuf,
        /// What the operating system reported.
        source: std::io::Error,
    },
    /// The bytes are not a component, or one for another runtime.
    #[error("the component cannot be compiled: {0:#}")]
    Invalid(wasmtime::Error),
    /// The component imports more than a connector gets.
    #[error(
        "the component imports {}, which this host does not grant to connectors; it was not run",
        .imports.join(", ")
    )]
    Imports {
        /// The refused imports.
        imports: Vec<String>,
    },
    /// The component implements another version of the contract.
    #[error(
        "the component implements integration:connector@{found}, this host needs version \
         {CONTRACT_VERSION}; use a connector that was built for it"
    )]
    Version {
        /// The version that the component exports.
        found: String,
    },
    /// The component does not export the whole contract.
    #[error(
        "the component does not implement integration:connector@{CONTRACT_VERSION}: {0:#}; use a \
         connector that was built for this host"
    )]
    Contract(wasmtime::Error),
    /// The runtime cannot be set up on this machine.
    #[error("the WebAssembly runtime cannot start: {0:#}")]
    Runtime(wasmtime::Error),
}

/// The version of the contract that this host implements.
pub(crate) const CONTRACT_VERSION: &str = "0.2.0";

/// Why a call to a connector returned no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The connector reported an error of its own. The session stays usable.
    #[error(transparent)]
    Connector(#[from] ConnectorError),
    /// The connector states an origin that cannot be allowed. The session was not opened.
    #[error("the connector states an origin that cannot be allowed: {0}")]
    Origin(#[from] OriginError),
    /// The connector names a page for a person to open that is at none of the origins it states.
    /// It was not passed on.
    #[error("the connector names a page at {place} to open, which is none of its stated origins")]
    Page {
        /// The address of the page, without its path.
        place: String,
    },
    /// There are as many instances as the builder allows. Try again when a session has ended.
    #[error("this host has reached its limit of concurrent sessions; wait until one has ended")]
    TooMany,
    /// The instance trapped. It is dead: open a new session and resume from the last checkpoint.
    #[error("the connector crashed in `{call}`: {reason}")]
    Trap {
        /// The function of the contract.
        call: &'static str,
        /// What the runtime reported, with the last output of the connector.
        reason: String,
    },
    /// The call took longer than the profile's limit. The instance is dead.
    #[error("the connector did not return from `{call}` within {} s", .after.as_secs_f32())]
    TimedOut {
        /// The function of the contract.
        call: &'static str,
        /// The limit.
        after: Duration,
    },
    /// An earlier call trapped, timed out or was abandoned. Open a new session.
    #[error("the session ended in an earlier call; open a new one")]
    Dead,
}

impl CallError {
    /// Whether the session cannot be used any more, though a new one may work.
    pub fn is_fatal_to_session(&self) -> bool {
        match self {
            Self::Trap { .. } | Self::TimedOut { .. } | Self::Dead => true,
            Self::Connector(_) | Self::Origin(_) | Self::Page { .. } | Self::TooMany => false,
        }
    }
}
