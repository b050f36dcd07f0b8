//! Restraint: how much is asked of the service at once (reference 9.1).
//!
//! The service's limits are per user, so all requests of a session share one [`Restraint`].
//! It never makes a request wait for another one: a request that was sent ahead may not be
//! polled for a while, and whoever waited for it would wait for ever. Instead, whoever wants
//! to send *ahead* of need asks first whether there is room.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// How many requests at once before the service has recommended anything.
const INITIAL_LIMIT: usize = 2;
/// How many more at once each success allows before the service has ever throttled a request.
const FIRST_GROWTH: usize = 2;

/// What a session holds itself to.
#[derive(Debug)]
pub(super) struct Restraint {
    /// Never more at once than this.
    ceiling: usize,
    /// How many at once seem welcome now.
    limit: Cell<usize>,
    /// How many the service recommends.
    recommended: Cell<usize>,
    in_flight: Cell<usize>,
    /// Successes since the limit last changed.
    successes: Cell<usize>,
    /// Whether the service has never throttled a request: then the limit grows fast.
    unrebuffed: Cell<bool>,
    /// When the service wants to hear from us again, on the clock's `elapsed` scale.
    quiet_until: Cell<Duration>,
}

/// A request under way; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Flight(Rc<Restraint>);

impl Restraint {
    pub(super) fn new(ceiling: usize) -> Self {
        let initial = INITIAL_LIMIT.min(ceiling).max(1);
        Self {
            ceiling,
            limit: Cell::new(initial),
            recommended: Cell::new(initial),
            in_flight: Cell::new(0),
            successes: Cell::new(0),
            unrebuffed: Cell::new(true),
            quiet_until: Cell::new(Duration::ZERO),
        }
    }

    /// Counts a request as under way.
    pub(super) fn depart(self: &Rc<Self>) -> Flight {
        self.in_flight.set(self.in_flight.get() + 1);
        Flight(Rc::clone(self))
    }

    /// How many requests at once seem welcome now.
    pub(super) fn limit(&self) -> usize {
        self.limit.get()
    }

    /// How many more requests may be sent ahead of need.
    pub(super) fn room(&self, now: Duration) -> usize {
        if self.quiet_for(now).is_zero() {
            self.limit.get().saturating_sub(self.in_flight.get())
        } else {
            0
        }
    }

    /// How long the service still wants quiet.
    pub(super) fn quiet_for(&self, now: Duration) -> Duration {
        self.quiet_until.get().saturating_sub(now)
    }

    /// Notes a success: until the service first throttles a request each one allows more at
    /// once, later only as many as are allowed at once together allow one more; up to what the
    /// service recommends.
    pub(super) fn welcomed(&self, recommended: Option<u32>) {
        if let Some(count) = recommended.and_then(|count| usize::try_from(count).ok()) {
            self.recommended.set(count.clamp(1, self.ceiling.max(1)));
            self.limit.set(self.limit.get().min(self.recommended.get()));
        }
        self.successes.set(self.successes.get() + 1);
        let limit = self.limit.get();
        let (enough, growth) = if self.unrebuffed.get() {
            (1, FIRST_GROWTH)
        } else {
            (limit, 1)
        };
        if self.successes.get() >= enough && limit < self.recommended.get() {
            self.limit.set((limit + growth).min(self.recommended.get()));
            self.successes.set(0);
        }
    }

    /// Notes that the service throttled a request, and for how long it wants quiet.
    pub(super) fn rebuffed(&self, now: Duration, quiet: Option<Duration>) {
        self.limit.set((self.limit.get() / 2).max(1));
        self.successes.set(0);
        self.unrebuffed.set(false);
        if let Some(quiet) = quiet {
            self.quiet_until
                .set(self.quiet_until.get().max(now + quiet));
        }
    }
}

impl Drop for Flight {
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
    fn it_grows_to_what_is_recommended_and_halves_when_throttled() {
        let restraint = Rc::new(Restraint::new(8));
        let mut limits = vec![restraint.room(NOW)];
        for _ in 0..5 {
            restraint.welcomed(Some(5));
            limits.push(restraint.room(NOW));
        }
        assert_eq!(limits, [2, 4, 5, 5, 5, 5]);
        restraint.rebuffed(NOW, None);
        assert_eq!(restraint.room(NOW), 2);
        restraint.rebuffed(NOW, None);
        restraint.rebuffed(NOW, None);
        assert_eq!(restraint.room(NOW), 1);
        // From now on it grows slowly.
        let limits: Vec<usize> = (0..8)
            .map(|_| {
                restraint.welcomed(Some(5));
                restraint.room(NOW)
            })
            .collect();
        assert_eq!(limits, [2, 2, 3, 3, 3, 4, 4, 4]);
    }

    #[test]
    fn the_settings_and_the_service_both_bound_it() {
        let grown = |ceiling, recommended| {
            let restraint = Rc::new(Restraint::new(ceiling));
            (0..1000).for_each(|_| restraint.welcomed(recommended));
            restraint.room(NOW)
        };
        assert_eq!(grown(8, None), 2);
        assert_eq!(grown(8, Some(52)), 8);
        assert_eq!(grown(8, Some(0)), 1);
        assert_eq!(grown(1, Some(52)), 1);
    }

    #[test]
    fn what_is_under_way_takes_room_until_it_ends() {
        let restraint = Rc::new(Restraint::new(8));
        let first = restraint.depart();
        let second = restraint.depart();
        let needed = restraint.depart();
        assert_eq!(restraint.room(NOW), 0);
        drop((first, second, needed));
        assert_eq!(restraint.room(NOW), 2);
    }

    #[test]
    fn nothing_is_sent_ahead_while_the_service_wants_quiet() {
        let restraint = Rc::new(Restraint::new(8));
        restraint.rebuffed(NOW, Some(Duration::from_secs(9)));
        restraint.rebuffed(NOW, Some(Duration::from_secs(3)));
        assert_eq!(restraint.quiet_for(NOW), Duration::from_secs(9));
        assert_eq!(restraint.room(NOW), 0);
        assert_eq!(restraint.room(NOW + Duration::from_secs(9)), 1);
    }
}
