//! The organization's clock: real time plus whatever a test has advanced it by.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// A clock that tests can move forward. Clones share one time.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    offset_seconds: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that shows the time of the machine.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that starts at this time (seconds since 1970, UTC).
    pub fn starting_at(unix_seconds: i64) -> Self {
        let clock = Self::default();
        clock.advance(unix_seconds.saturating_sub(clock.now()));
        clock
    }

    /// The present time in seconds since 1970, UTC.
    pub fn now(&self) -> i64 {
        let system = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| {
                i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
            });
        system.saturating_add(self.offset_seconds.load(Ordering::SeqCst))
    }

    /// Moves the clock by this many seconds.
    pub fn advance(&self, seconds: i64) {
        self.offset_seconds.fetch_add(seconds, Ordering::SeqCst);
    }
}
