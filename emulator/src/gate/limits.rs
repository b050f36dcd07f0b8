//! Service protection limits (reference §9.1): requests in a sliding window, combined execution
//! time, concurrency; all per user.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::StatusCode;
use uuid::Uuid;

use crate::wire::ODataError;

/// How long a request counts, in seconds.
const WINDOW: i64 = 300;

/// The limits of one web server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceLimits {
    /// Requests of one user in 300 seconds.
    pub requests: usize,
    /// Combined execution time of one user's requests in 300 seconds.
    pub execution_time: Duration,
    /// Requests of one user at the same time.
    pub concurrency: usize,
}

impl Default for ServiceLimits {
    /// The limits of Dataverse.
    fn default() -> Self {
        Self {
            requests: 6_000,
            execution_time: Duration::from_mins(20),
            concurrency: 52,
        }
    }
}

#[derive(Debug, Default)]
struct Usage {
    /// When each recent request came and how long it took.
    recent: VecDeque<(i64, Duration)>,
    running: usize,
}

impl Usage {
    fn forget_before(&mut self, time: i64) {
        while self.recent.front().is_some_and(|(at, _)| *at <= time) {
            self.recent.pop_front();
        }
    }

    fn execution_time(&self) -> Duration {
        self.recent.iter().map(|(_, took)| *took).sum()
    }
}

/// What remains to a user, for the `x-ms-ratelimit-*` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remaining {
    pub(crate) requests: usize,
    pub(crate) execution_time: Duration,
}

/// Counts requests and, if enforced, rejects those beyond the limits.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    limits: Mutex<(ServiceLimits, bool)>,
    users: Mutex<HashMap<Uuid, Usage>>,
}

impl Limiter {
    /// Enforces these limits from now on; `None` only counts.
    pub(crate) fn enforce(&self, limits: Option<ServiceLimits>) {
        *lock(&self.limits) = (limits.unwrap_or_default(), limits.is_some());
    }

    /// Counts a request that begins now, or rejects it.
    pub(crate) fn begin(&self, user: Uuid, now: i64) -> Result<(), ODataError> {
        let (limits, enforced) = *lock(&self.limits);
        let mut users = lock(&self.users);
        let usage = users.entry(user).or_default();
        usage.forget_before(now - WINDOW);
        if enforced {
            let oldest = usage.recent.front().map_or(now, |(at, _)| *at);
            let until_free = u64::try_from(oldest + WINDOW - now).unwrap_or(1).max(1);
            if usage.running >= limits.concurrency {
                let message = format!(
                    "Number of concurrent requests exceeded the limit of {}.",
                    limits.concurrency
                );
                return Err(throttled("0x80072326", message, 1));
            }
            if usage.recent.len() >= limits.requests {
                let message = format!(
                    "Number of requests exceeded the limit of {} over time window of {WINDOW} \
                     seconds.",
                    limits.requests
                );
                return Err(throttled("0x80072322", message, until_free));
            }
            if usage.execution_time() >= limits.execution_time {
                let message = format!(
                    "Combined execution time of incoming requests exceeded limit of {} \
                     milliseconds over time window of {WINDOW} seconds. Decrease number of \
                     concurrent requests or reduce the duration of requests and try again later.",
                    crate::wire::format::with_thousands(&limits.execution_time.as_millis()),
                );
                return Err(throttled("0x80072321", message, until_free));
            }
        }
        usage.running += 1;
        usage.recent.push_back((now, Duration::ZERO));
        Ok(())
    }

    /// Notes that a request has ended; returns what remains.
    pub(crate) fn end(&self, user: Uuid, now: i64, took: Duration) -> Remaining {
        if let Some(usage) = lock(&self.users).get_mut(&user) {
            usage.running = usage.running.saturating_sub(1);
            if let Some(last) = usage.recent.back_mut() {
                last.1 += took;
            }
        }
        self.remaining(user, now)
    }

    /// What remains of the user's limits.
    pub(crate) fn remaining(&self, user: Uuid, now: i64) -> Remaining {
        let (limits, _) = *lock(&self.limits);
        let mut users = lock(&self.users);
        let usage = users.entry(user).or_default();
        usage.forget_before(now - WINDOW);
        Remaining {
            requests: limits.requests.saturating_sub(usage.recent.len()),
            execution_time: limits.execution_time.saturating_sub(usage.execution_time()),
        }
    }
}

fn throttled(code: &'static str, message: String, seconds: u64) -> ODataError {
    let mut error = ODataError::new(StatusCode::TOO_MANY_REQUESTS, code, message);
    error.retry_after = Some(seconds);
    error
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Uuid = Uuid::from_u128(1);

    fn limiter(limits: ServiceLimits) -> Limiter {
        let limiter = Limiter::default();
        limiter.enforce(Some(limits));
        limiter
    }

    #[test]
    fn the_window_slides() {
        let limiter = limiter(ServiceLimits {
            requests: 2,
            ..ServiceLimits::default()
        });
        for at in [0, 100] {
            limiter.begin(USER, at).unwrap();
            limiter.end(USER, at, Duration::ZERO);
        }
        let refused = limiter.begin(USER, 120).unwrap_err();
        assert_eq!(
            (refused.code, refused.retry_after),
            ("0x80072322", Some(180))
        );
        assert_eq!(
            refused.message,
            "Number of requests exceeded the limit of 2 over time window of 300 seconds."
        );
        limiter.begin(USER, 300).unwrap();
        limiter.begin(Uuid::from_u128(2), 120).unwrap();
    }

    #[test]
    fn requests_beyond_the_concurrency_limit_are_rejected() {
        let limiter = limiter(ServiceLimits {
            concurrency: 1,
            ..ServiceLimits::default()
        });
        limiter.begin(USER, 0).unwrap();
        let refused = limiter.begin(USER, 0).unwrap_err();
        assert_eq!(
            refused.message,
            "Number of concurrent requests exceeded the limit of 1."
        );
        limiter.end(USER, 0, Duration::ZERO);
        limiter.begin(USER, 0).unwrap();
    }

    #[test]
    fn long_requests_use_up_the_time() {
        let limiter = limiter(ServiceLimits::default());
        limiter.begin(USER, 0).unwrap();
        let remaining = limiter.end(USER, 0, Duration::from_mins(20));
        assert_eq!(remaining.execution_time, Duration::ZERO);
        let refused = limiter.begin(USER, 1).unwrap_err();
        assert_eq!(refused.code, "0x80072321");
        assert!(refused.message.contains("limit of 1,200,000 milliseconds"));
    }
}
