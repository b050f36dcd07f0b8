//! Runs a connector component: the other side of the contract `integration:connector@0.1.0`.
//!
//! This is what an integration platform embeds. It loads the component once, opens a session per
//! connection in an instance of its own, and holds each within a policy: outgoing HTTP to exactly
//! the origins that the connector states for its settings, at permitted addresses; bounded memory;
//! bounded time; secrets by name from a [`SecretStore`](secrets::SecretStore). Nothing here knows
//! which service the connector speaks to.
//!
//! ```no_run
//! use dataverse_host::contract::Selection;
//! use dataverse_host::secrets::Environment;
//! use dataverse_host::{ConnectorHost, Profile};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let host = ConnectorHost::builder().component_file("dataverse_connector.wasm").build()?;
//!
//! // Settings hold the names of secrets; the values come from CRM_… variables.
//! let settings = std::fs::read_to_string("contoso.json")?;
//! let profile = Profile::new(settings, Environment::with_prefix("CRM_"))?;
//! let mut session = host.open(&profile).await?;
//!
//! for finding in session.check().await?.findings {
//!     println!("{}: {}", finding.id, finding.message);
//! }
//!
//! let accounts = Selection {
//!     stream: "account".to_owned(),
//!     columns: vec!["name".to_owned(), "revenue".to_owned()],
//!     labels: false,
//!     page_size: None,
//!     checkpoint: None,
//! };
//! let mut sync = session.sync(&[accounts]).await?;
//! while let Some(event) = sync.next().await? {
//!     println!("{event:?}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A platform that wants rows and checkpoints kept for it uses [`run_sync`] with a
//! [`Sink`](sink::Sink).

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes_without_reason,
    reason = "generated, and lints differ by version of the generator"
)]
mod bindings;
mod cache;
pub mod contract;
mod error;
mod host;
mod instance;
mod network;
mod profile;
mod runner;
pub mod secrets;
mod session;
pub mod sink;

pub use error::{CallError, LoadError};
pub use host::{ConnectorHost, ConnectorHostBuilder, Loading};
pub use network::{Metrics, Network, NetworkError, Origin, OriginError, Timeouts, Trust};
pub use profile::{Limits, Profile};
pub use runner::{
    End, Outcome, Progress, Silent, Stop, StreamReport, StreamRequest, SyncReport, run_sync,
};
pub use session::{Session, Sync};
