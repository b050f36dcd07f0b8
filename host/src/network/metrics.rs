//! What a connection profile did on the network.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counters of one connection profile, over all its sessions.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: AtomicU64,
    connections: AtomicU64,
    bytes_received: AtomicU64,
    denied: AtomicU64,
    last_denied: Mutex<Option<String>>,
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

    /// The origin of the request that was refused last. Never a path: paths may carry data.
    pub fn last_denied(&self) -> Option<String> {
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

    pub(crate) fn count_denied(&self, uri: &http::Uri) {
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
            .unwrap_or_else(PoisonError::into_inner) = Some(origin);
    }
}
