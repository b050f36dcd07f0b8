//! The rate limiter: how many requests are sent at once (reference 9.1).
//!
//! The service's limits are per user, so all requests of a session share one [`RateLimiter`]. It
//! never makes one request wait for another: a request that was sent ahead of need may not be
//! polled for a while, and a request that waited for it could wait forever. Instead, a caller
//! checks whether there is room before it sends a request *ahead of need*.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// The limit before the service has recommended one.
const INITIAL_LIMIT: usize = 2;
/// By how much each success raises the limit before the service has throttled a request.
const FAST_GROWTH: usize = 2;

/// How many requests a session sends at once.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    /// The limit never exceeds this.
    ceiling: usize,
    /// How many at once are allowed now.
    limit: Cell<usize>,
    /// How many the service recommends.
    recommended: Cell<usize>,
    in_flight: Cell<usize>,
    /// Successes since the limit last changed.
    successes: Cell<usize>,
    /// Whether the service has ever throttled a request: before that, the limit grows fast.
    was_throttled: Cell<bool>,
    /// Until when the service accepts no requests, on the clock's `elapsed` scale.
    paused_until: Cell<Duration>,
}

/// A request in flight, until this is dropped.
#[derive(Debug)]
pub(crate) struct InFlight(Rc<RateLimiter>);

impl RateLimiter {
    /// A limiter that never allows more than `ceiling` at once.
    pub(crate) fn new(ceiling: usize) -> Self {
        let initial = INITIAL_LIMIT.min(ceiling).max(1);
        Self {
            ceiling,
            limit: Cell::new(initial),
            recommended: Cell::new(initial),
            in_flight: Cell::new(0),
            successes: Cell::new(0),
            was_throttled: Cell::new(false),
            paused_until: Cell::new(Duration::ZERO),
        }
    }

    /// Counts a request as in flight.
    pub(crate) fn start(self: &Rc<Self>) -> InFlight {
        self.in_flight.set(self.in_flight.get() + 1);
        InFlight(Rc::clone(self))
    }

    /// How many requests at once are allowed now.
    pub(crate) fn limit(&self) -> usize {
        self.limit.get()
    }

    /// How many more requests may be sent ahead of need.
    pub(crate) fn room(&self, now: Duration) -> usize {
        if self.pause(now).is_zero() {
            self.limit.get().saturating_sub(self.in_flight.get())
        } else {
            0
        }
    }

    /// How long the service still accepts no requests.
    pub(crate) fn pause(&self, now: Duration) -> Duration {
        self.paused_until.get().saturating_sub(now)
    }

    /// Records a success. Until the service first throttles a request, each success raises the
    /// limit; after that, as many successes as the limit raise it by one. It never exceeds what the
    /// service recommends.
    pub(crate) fn on_success(&self, recommended: Option<u32>) {
        if let Some(count) = recommended.and_then(|count| usize::try_from(count).ok()) {
            self.recommended.set(count.clamp(1, self.ceiling.max(1)));
            self.limit.set(self.limit.get().min(self.recommended.get()));
        }
        self.successes.set(self.successes.get() + 1);
        let limit = self.limit.get();
        let (enough, growth) = if self.was_throttled.get() {
            (limit, 1)
        } else {
            (1, FAST_GROWTH)
        };
        if self.successes.get() >= enough && limit < self.recommended.get() {
            self.limit.set((limit + growth).min(self.recommended.get()));
            self.successes.set(0);
        }
    }

    /// Records that the service throttled a request, and for how long it accepts no requests.
    pub(crate) fn on_throttled(&self, now: Duration, pause: Option<Duration>) {
        self.limit.set((self.limit.get() / 2).max(1));
        self.successes.set(0);
        self.was_throttled.set(true);
        if let Some(pause) = pause {
            self.paused_until
                .set(self.paused_until.get().max(now + pause));
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0
            .in_flight
            .set(self.0.in_flight.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    #[test]
    fn the_limit_grows_to_the_recommendation_and_halves_when_throttled() {
        let limiter = Rc::new(RateLimiter::new(8));
        let mut limits = vec![limiter.room(NOW)];
        for _ in 0..5 {
            limiter.on_success(Some(5));
            limits.push(limiter.room(NOW));
        }
        assert_eq!(limits, [2, 4, 5, 5, 5, 5]);
        limiter.on_throttled(NOW, None);
        assert_eq!(limiter.room(NOW), 2);
        limiter.on_throttled(NOW, None);
        limiter.on_throttled(NOW, None);
        assert_eq!(limiter.room(NOW), 1);
        // From now on it grows slowly.
        let limits: Vec<usize> = (0..8)
            .map(|_| {
                limiter.on_success(Some(5));
                limiter.room(NOW)
            })
            .collect();
        assert_eq!(limits, [2, 2, 3, 3, 3, 4, 4, 4]);
    }

    #[test]
    fn settings_and_service_both_bound_the_limit() {
        let grown = |ceiling, recommended| {
            let limiter = Rc::new(RateLimiter::new(ceiling));
            (0..1000).for_each(|_| limiter.on_success(recommended));
            limiter.room(NOW)
        };
        assert_eq!(grown(8, None), 2);
        assert_eq!(grown(8, Some(52)), 8);
        assert_eq!(grown(8, Some(0)), 1);
        assert_eq!(grown(1, Some(52)), 1);
    }

    #[test]
    fn requests_in_flight_take_room_until_they_end() {
        let limiter = Rc::new(RateLimiter::new(8));
        let first = limiter.start();
        let second = limiter.start();
        let needed = limiter.start();
        assert_eq!(limiter.room(NOW), 0);
        drop((first, second, needed));
        assert_eq!(limiter.room(NOW), 2);
    }

    #[test]
    fn nothing_is_sent_ahead_during_a_requested_pause() {
        let limiter = Rc::new(RateLimiter::new(8));
        limiter.on_throttled(NOW, Some(Duration::from_secs(9)));
        limiter.on_throttled(NOW, Some(Duration::from_secs(3)));
        assert_eq!(limiter.pause(NOW), Duration::from_secs(9));
        assert_eq!(limiter.room(NOW), 0);
        assert_eq!(limiter.room(NOW + Duration::from_secs(9)), 1);
    }
}
