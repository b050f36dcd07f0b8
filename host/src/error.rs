//! What can go wrong between a platform and a connector, told apart by what to do about it.

use std::path::PathBuf;
use std::time::Duration;

use crate::contract::ConnectorError;
use crate::network::OriginError;

/// Why a component cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Neither bytes nor a file were given to the builder.
    #[error("no component was given to load")]
    NoComponent,
    /// The file cannot be read.
    #[error("the component {path} cannot be read: {source}")]
    File {
        /// The component's file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The bytes are no component, or one for another runtime.
    #[error("the component cannot be compiled: {0:#}")]
    Invalid(wasmtime::Error),
    /// The component asks for more than a connector gets.
    #[error(
        "the component imports {}, which this host does not give to connectors; nothing was run",
        .imports.join(", ")
    )]
    Imports {
        /// The refused imports.
        imports: Vec<String>,
    },
    /// The component does not export the contract.
    #[error("the component does not implement integration:connector@0.1.0: {0:#}")]
    Contract(wasmtime::Error),
    /// The runtime cannot be set up on this machine.
    #[error("the WebAssembly runtime cannot start: {0:#}")]
    Runtime(wasmtime::Error),
}

/// Why a call to a connector gave no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The connector answered with an error of its own. The session lives on.
    #[error(transparent)]
    Connector(#[from] ConnectorError),
    /// The connector states an origin that cannot be allowed. The session was not opened.
    #[error("the connector asks to reach an origin that cannot be allowed: {0}")]
    Origin(#[from] OriginError),
    /// The connector names a page for a person to open that is at none of the origins it states.
    /// It was not passed on.
    #[error("the connector asks to open a page at {place}, which is none of the origins it states")]
    Page {
        /// Where the page would be, without its path.
        place: String,
    },
    /// There are as many instances as the builder allows. Try again when a session has ended.
    #[error("there are as many sessions at once as this host allows; wait until one has ended")]
    TooMany,
    /// The instance broke off. It is dead: open a new session and go on from the last checkpoint.
    #[error("the connector broke off in `{call}`: {reason}")]
    Trap {
        /// The function of the contract.
        call: &'static str,
        /// What the runtime said, with the connector's last words.
        reason: String,
    },
    /// The call took longer than the profile's limit. The instance is dead.
    #[error("the connector did not answer `{call}` within {} s", .after.as_secs_f32())]
    TimedOut {
        /// The function of the contract.
        call: &'static str,
        /// The limit.
        after: Duration,
    },
    /// An earlier call broke off, timed out or was abandoned. Open a new session.
    #[error("the session is dead since an earlier call; open a new one")]
    Dead,
}

impl CallError {
    /// Whether the session is of no more use, though a new one may be.
    pub fn is_fatal_to_session(&self) -> bool {
        matches!(self, Self::Trap { .. } | Self::TimedOut { .. } | Self::Dead)
    }
}
