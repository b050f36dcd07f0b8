//! What the emulator has served.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// `WhoAmI` and similar functions, and the service document.
    Probe,
    /// Definitions and `$metadata`.
    Metadata,
    /// Rows read.
    Read,
    /// Rows written.
    Write,
    Batch,
}

impl RequestKind {
    /// Whether the request is about rows, and so a *data request* for faults. A batch may be
    /// about anything: a fault for it names its path.
    pub(crate) fn is_data(self) -> bool {
        matches!(self, Self::Read | Self::Write)
    }
}

/// Counters, all since the start or the last reset.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    probes: AtomicU64,
    metadata: AtomicU64,
    reads: AtomicU64,
    writes: AtomicU64,
    batches: AtomicU64,
    unauthorized: AtomicU64,
    throttled: AtomicU64,
    faults: AtomicU64,
    connections: AtomicU64,
    running: AtomicU64,
    peak_concurrency: AtomicU64,
    bytes_sent: AtomicU64,
}

/// A snapshot of the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// `WhoAmI`, `RetrieveVersion` and other probes, and the service document.
    pub probes: u64,
    /// Requests for definitions and `$metadata`.
    pub metadata: u64,
    /// Requests that read rows.
    pub reads: u64,
    /// Requests that write rows.
    pub writes: u64,
    /// `$batch` requests.
    pub batches: u64,
    /// Responses with status 401.
    pub unauthorized: u64,
    /// Responses with status 429.
    pub throttled: u64,
    /// Faults injected.
    pub faults: u64,
    /// Connections accepted by the environment.
    pub connections: u64,
    /// Most requests of the Web API in progress at one time.
    pub peak_concurrency: u64,
    /// Bytes of response bodies of the Web API, as sent (compressed if requested).
    pub bytes_sent: u64,
    /// Access tokens issued by the authority.
    pub tokens_issued: u64,
}

impl Counters {
    pub(crate) fn begin(&self, kind: RequestKind) {
        let counter = match kind {
            RequestKind::Probe => &self.probes,
            RequestKind::Metadata => &self.metadata,
            RequestKind::Read => &self.reads,
            RequestKind::Write => &self.writes,
            RequestKind::Batch => &self.batches,
        };
        add(counter, 1);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak_concurrency.fetch_max(running, Ordering::SeqCst);
    }

    pub(crate) fn end(&self, status: u16, bytes: usize) {
        self.running.fetch_sub(1, Ordering::SeqCst);
        match status {
            401 => add(&self.unauthorized, 1),
            429 => add(&self.throttled, 1),
            _ => {}
        }
        add(&self.bytes_sent, u64::try_from(bytes).unwrap_or(0));
    }

    pub(crate) fn fault(&self) {
        add(&self.faults, 1);
    }

    pub(crate) fn connection(&self) {
        add(&self.connections, 1);
    }

    pub(crate) fn reset(&self) {
        for counter in [
            &self.probes,
            &self.metadata,
            &self.reads,
            &self.writes,
            &self.batches,
            &self.unauthorized,
            &self.throttled,
            &self.faults,
            &self.connections,
            &self.peak_concurrency,
            &self.bytes_sent,
        ] {
            counter.store(0, Ordering::SeqCst);
        }
    }

    pub(crate) fn snapshot(&self, tokens_issued: u64) -> Statistics {
        let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        Statistics {
            probes: read(&self.probes),
            metadata: read(&self.metadata),
            reads: read(&self.reads),
            writes: read(&self.writes),
            batches: read(&self.batches),
            unauthorized: read(&self.unauthorized),
            throttled: read(&self.throttled),
            faults: read(&self.faults),
            connections: read(&self.connections),
            peak_concurrency: read(&self.peak_concurrency),
            bytes_sent: read(&self.bytes_sent),
            tokens_issued,
        }
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::SeqCst);
}
