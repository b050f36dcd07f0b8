//! What a connection profile did on the network, and what it was kept from.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counters of one connection profile, over all its sessions.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: AtomicU64,
    connections: AtomicU64,
    bytes_received: AtomicU64,
    denied: AtomicU64,
    last_denied: Mutex<Option<Denied>>,
}

/// A request that the policy refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Where it was to go. Never a path: paths may carry data.
    pub origin: String,
    /// Why it was refused.
    pub reason: Denial,
}

/// Why the policy refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// The connector does not state this origin for its settings.
    Unstated,
    /// The origin is not on the platform's own list,
    /// [`Network::allowed_origins`](crate::Network::allowed_origins).
    NotAllowed,
    /// It is at an address of a private network, and
    /// [`Network::allow_private`](crate::Network::allow_private) is off.
    Private(IpAddr),
    /// It is at an address where it has no business: this machine under another machine's name,
    /// a cloud's metadata, a reserved range.
    Address(IpAddr),
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        match self.reason {
            Denial::Unstated => {
                f.write_str(" is none of the origins that the connector states for its settings")
            }
            Denial::NotAllowed => f.write_str(" is not among the allowed origins"),
            Denial::Private(address) => write!(f, " is at the private address {address}"),
            Denial::Address(address) => {
                write!(
                    f,
                    " is at {address}, an address that is never allowed for it"
                )
            }
        }
    }
}

impl Metrics {
    /// Requests sent, without the denied ones.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Connections opened.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Bytes of response bodies as they came over the network, so compressed where they were.
    pub fn bytes_received(&self) -> u64 {
        self.bytes_received.load(Ordering::Relaxed)
    }

    /// Requests that the policy refused.
    pub fn denied(&self) -> u64 {
        self.denied.load(Ordering::Relaxed)
    }

    /// The request that was refused last.
    pub fn last_denied(&self) -> Option<Denied> {
        self.last_denied
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_bytes(&self, bytes: usize) {
        self.bytes_received
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_denied(&self, uri: &http::Uri, reason: Denial) {
        self.denied.fetch_add(1, Ordering::Relaxed);
        let host = uri.authority().map_or("", |authority| authority.host());
        let port = uri
            .port_u16()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        let origin = format!("{}://{host}{port}", uri.scheme_str().unwrap_or_default());
        *self
            .last_denied
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Denied { origin, reason });
    }
}
