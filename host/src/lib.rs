//! Runs a connector component that implements the contract `integration:connector@0.2.0`.
//!
//! An integration platform embeds this library. It loads the component once, opens a session per
//! connection in an instance of its own, and enforces a policy on each: outgoing HTTP to exactly
//! the origins that the connector states for its settings, at permitted addresses; limited memory;
//! limited time; secrets by name from a [`SecretStore`](secrets::SecretStore). Nothing here knows
//! which service the connector talks to. Async functions need a tokio runtime with I/O and timers
//! enabled.
//!
//! Features, none of them on by default:
//!
//! | Feature | Adds |
//! | --- | --- |
//! | `sqlite` | `sink::Sqlite`, with its own SQLite |
//! | `conformance` | `sink::conformance`, the tests that every sink must pass |
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
//! let accounts = Selection::of("account").with_columns(["name", "revenue"]);
//! let mut sync = session.sync(&[accounts]).await?;
//! while let Some(event) = sync.next().await? {
//!     println!("{event:?}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A connection of one person needs that person to sign in. The platform sends the browser to a
//! page, keeps the request, and passes both on when the browser has returned:
//!
//! ```no_run
//! # use dataverse_host::{AuthorizationRequest, CallError, ConnectorHost, Profile};
//! const REDIRECT: &str = "https://platform.example/oauth/callback";
//!
//! async fn begin(host: &ConnectorHost, profile: &Profile) -> Result<AuthorizationRequest, CallError> {
//!     // Redirect to `request.url`; keep the request in the person's web session.
//!     host.authorization(profile).await?.sign_in(REDIRECT).await
//! }
//!
//! async fn finish(
//!     host: &ConnectorHost,
//!     profile: &Profile,
//!     request: &AuthorizationRequest,
//!     callback: &str,
//! ) -> Result<(), CallError> {
//!     // Afterwards the profile's secret store holds what sessions need.
//!     host.authorization(profile).await?.complete(REDIRECT, request, callback).await
//! }
//! ```
//!
//! [`run_sync`] stores rows and checkpoints in a [`Sink`](sink::Sink):
//!
//! ```no_run
//! use dataverse_host::contract::Selection;
//! use dataverse_host::sink::JsonLines;
//! use dataverse_host::{ConnectorHost, Profile, Silent, Stop, StreamRequest, run_sync};
//!
//! # async fn example(host: ConnectorHost, profile: Profile) -> Result<(), Box<dyn std::error::Error>> {
//! let open = Selection::of("opportunity").with_filter("statecode eq 0").with_sweep();
//! let requests = [StreamRequest::all_of("account"), open.into()];
//! let sink = Box::new(JsonLines::open("crm")?);
//! let never = std::future::pending::<Stop>();
//! let report = run_sync(&host, &profile, &requests, sink, &mut Silent, never).await;
//! for stream in &report.streams {
//!     println!("{}: {} rows, {:?}", stream.stream, stream.rows, stream.outcome);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The catalogue lists what can be read; a missing column can be created:
//!
//! ```no_run
//! use dataverse_host::contract::{NewColumn, NewType, Selection};
//! # use dataverse_host::{CallError, Session};
//!
//! # async fn example(session: &mut Session) -> Result<(), CallError> {
//! let score = NewColumn::new("score", "Score", NewType::Decimal(2));
//! let column = session.create_column("account", &score).await?;
//! println!("{} can be used", column.name);
//!
//! for view in session.list_views(Some("account")).await? {
//!     // A saved query is a stream like any other.
//!     let mut sync = session.sync(&[Selection::of(&view.name)]).await?;
//!     while let Some(event) = sync.next().await? {
//!         println!("{event:?}");
//!     }
//!     sync.close().await?;
//! }
//! # Ok(())
//! # }
//! ```

mod authorization;
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
mod engine;
mod error;
mod host;
mod instance;
mod network;
mod profile;
mod runner;
pub mod secrets;
mod session;
pub mod sink;

pub use authorization::{Authorization, AuthorizationRequest, DeviceCode, DeviceProgress};
pub use error::{CallError, LoadError};
pub use host::{ConnectorHost, ConnectorHostBuilder, Loading};
pub use network::{
    Denial, Denied, Metrics, Network, NetworkError, Origin, OriginError, Proxy, ProxyError,
    Throttled, Throttling, Timeouts, Trust, Untrusted,
};
pub use profile::{Limits, Profile};
pub use runner::{
    End, Outcome, Progress, Silent, Stop, StreamReport, StreamRequest, SyncReport, run_sync,
};
pub use session::{Session, Sync};
