//! The only way out: one pooled HTTP client per connection profile, behind the policy.
//!
//! `wasmtime-wasi-http` by itself opens a connection for every request and trusts a fixed list of
//! certificate authorities. This module keeps connections, speaks HTTP/2 where it is offered, and
//! sends only to the allowed origins at permitted addresses. Profiles never share a pool: what a
//! server attaches to a connection stays with one tenant.

mod address;
mod body;
mod connect;
mod denial;
mod failure;
mod gateway;
mod metrics;
mod origin;
mod outgoing;
mod policy;
mod proxy;
mod throttling;
mod tls;

pub(crate) use gateway::Gateway;
pub(crate) use outgoing::Outgoing;

pub use denial::{Denial, Denied};
pub use metrics::{Metrics, Untrusted};
pub use origin::{Origin, OriginError};
pub use policy::{Network, Timeouts};
pub use proxy::{Proxy, ProxyError};
pub use throttling::{Throttled, Throttling};
pub use tls::{NetworkError, Trust};

#[cfg(test)]
mod tests;
