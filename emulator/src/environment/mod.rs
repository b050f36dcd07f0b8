//! The state of a running environment: the Web API with its gate, limits, faults and counters.

pub(crate) mod faults;
pub(crate) mod paths;
pub(crate) mod statistics;
pub(crate) mod version;

use std::{
    net::SocketAddr,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;

use self::{
    faults::Faults,
    paths::ServicePaths,
    statistics::{Counters, Statistics},
};
use crate::{
    api::Service,
    entra::Entra,
    gate::{Gate, limits::Limiter},
    store::{StoreError, current_version},
};

/// Everything the environment's server needs.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) api: Service,
    pub(crate) entra: Arc<Entra>,
    pub(crate) gate: Gate,
    pub(crate) limiter: Limiter,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
    /// Requests are handled in the order in which they arrive, as many at once as there
    /// are processors: more at once would delay all of them.
    pub(crate) turns: Semaphore,
    /// Milliseconds added to every response.
    pub(crate) latency: AtomicU64,
    /// The value of `x-ms-dop-hint`.
    pub(crate) recommended_parallelism: AtomicU32,
    /// Whether responses set an affinity cookie.
    pub(crate) affinity_cookie: bool,
    /// The address to sign in at, for the challenge.
    pub(crate) authorization_uri: String,
    pub(crate) paths: ServicePaths,
    pub(crate) local: SocketAddr,
    /// Other origins by which clients reach it.
    pub(crate) aliases: Vec<String>,
}

impl Environment {
    pub(crate) fn statistics(&self) -> Statistics {
        self.counters.snapshot(self.entra.tokens_issued())
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        let milliseconds = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        self.latency.store(milliseconds, Ordering::SeqCst);
    }

    pub(crate) fn set_recommended_parallelism(&self, requests: u32) {
        self.recommended_parallelism
            .store(requests, Ordering::SeqCst);
    }

    pub(crate) fn expire_delta_tokens(&self) -> Result<(), StoreError> {
        let newest = self.api.current().store.read(current_version)?;
        // Even a token for the newest version must expire: the first valid version is a later one.
        self.api
            .current()
            .first_valid_delta
            .store(newest + 1, Ordering::SeqCst);
        Ok(())
    }
}

/// One permit for each processor, at least two.
pub(crate) fn as_many_as_processors() -> Semaphore {
    let processors = std::thread::available_parallelism().map_or(2, NonZero::get);
    Semaphore::new(processors.max(2))
}
