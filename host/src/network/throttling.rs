//! Responses by which a service asks to wait: 429 and 503 with `Retry-After` in seconds.
//!
//! The connector obeys them by itself, and reports nothing while it waits. The host sees them pass
//! and can tell people why nothing happens.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderMap, Response, StatusCode, header};
use tokio::sync::watch;

/// A response by which the service asked to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttled {
    /// 429 or 503.
    pub status: u16,
    /// How long the service asked to wait.
    pub wait: Duration,
    /// When the response arrived.
    pub at: Instant,
}

/// The responses of one connection profile by which the service asks to wait.
#[derive(Debug, Clone)]
pub struct Throttling(watch::Receiver<Option<Throttled>>);

impl Throttling {
    /// Waits for the next such response. Of several that arrive before this is called again, only
    /// the last is returned.
    pub async fn next(&mut self) -> Throttled {
        loop {
            if self.0.changed().await.is_err() {
                // The profile was dropped, so nothing arrives any more.
                std::future::pending::<()>().await;
            }
            let last = self.0.borrow_and_update().clone();
            if let Some(throttled) = last {
                return throttled;
            }
        }
    }
}

/// Where they are observed.
#[derive(Debug)]
pub(super) struct ThrottlingSource {
    count: AtomicU64,
    last: watch::Sender<Option<Throttled>>,
}

impl Default for ThrottlingSource {
    fn default() -> Self {
        Self {
            count: AtomicU64::new(0),
            last: watch::Sender::new(None),
        }
    }
}

impl ThrottlingSource {
    pub(super) fn observe<B>(&self, response: &Response<B>) {
        let status = response.status();
        if !matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        ) {
            return;
        }
        if let Some(wait) = retry_after(response.headers()) {
            self.count.fetch_add(1, Ordering::Relaxed);
            self.last.send_replace(Some(Throttled {
                status: status.as_u16(),
                wait,
                at: Instant::now(),
            }));
        }
    }

    pub(super) fn subscribe(&self) -> Throttling {
        let mut receiver = self.last.subscribe();
        receiver.mark_unchanged();
        Throttling(receiver)
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// `Retry-After` in seconds; its form as a date is not used by services that throttle.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, retry_after: &str) -> Response<()> {
        Response::builder()
            .status(status)
            .header(header::RETRY_AFTER, retry_after)
            .body(())
            .unwrap()
    }

    #[tokio::test]
    async fn only_responses_that_ask_to_wait_are_observed() {
        let source = ThrottlingSource::default();
        source.observe(&response(429, "7"));
        let mut throttling = source.subscribe();
        source.observe(&response(200, "5"));
        source.observe(&response(429, "soon"));
        assert!(!throttling.0.has_changed().unwrap());
        source.observe(&response(429, "290"));
        let seen = throttling.next().await;
        assert_eq!((seen.status, seen.wait.as_secs()), (429, 290));
        source.observe(&response(503, "1"));
        assert_eq!(throttling.next().await.status, 503);
        assert_eq!(source.count(), 3);
    }
}
