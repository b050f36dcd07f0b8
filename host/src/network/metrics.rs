//! What a connection profile did on the network, and what failed there.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::denial::{Denial, Denied};
use super::throttling::{Throttling, ThrottlingSource};

/// Counters of one connection profile, over all its sessions.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: AtomicU64,
    connections: AtomicU64,
    bytes_received: AtomicU64,
    denied: AtomicU64,
    last_denied: Mutex<Option<Denied>>,
    last_untrusted: Mutex<Option<Untrusted>>,
    pub(super) throttling: ThrottlingSource,
}

/// A server whose TLS certificate was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untrusted {
    /// Its origin.
    pub origin: String,
    /// Why, such as an unknown certificate authority.
    pub reason: String,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the TLS certificate of {} was not accepted ({})",
            self.origin, self.reason
        )
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

    /// The last request that the policy refused.
    pub fn last_denied(&self) -> Option<Denied> {
        locked(&self.last_denied).clone()
    }

    /// The last server whose TLS certificate was not accepted.
    pub fn last_untrusted(&self) -> Option<Untrusted> {
        locked(&self.last_untrusted).clone()
    }

    /// Responses by which the service asks to wait, from now on.
    pub fn throttling(&self) -> Throttling {
        self.throttling.subscribe()
    }

    /// How many responses asked to wait so far.
    pub fn throttled(&self) -> u64 {
        self.throttling.count()
    }

    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_bytes(&self, bytes: usize) {
        self.bytes_received
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn record_denied(&self, uri: &http::Uri, reason: Denial) {
        self.denied.fetch_add(1, Ordering::Relaxed);
        let origin = origin_of(uri);
        *locked(&self.last_denied) = Some(Denied { origin, reason });
    }

    pub(super) fn record_untrusted(&self, uri: &http::Uri, reason: String) {
        let origin = origin_of(uri);
        *locked(&self.last_untrusted) = Some(Untrusted { origin, reason });
    }
}

fn locked<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Scheme, host and port. Never a path: paths may carry data.
fn origin_of(uri: &http::Uri) -> String {
    let host = uri.authority().map_or("", |authority| authority.host());
    let port = uri
        .port_u16()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!("{}://{host}{port}", uri.scheme_str().unwrap_or_default())
}
