//! A clock that advances only when every future sleeps.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Simulation;
use crate::host::Clock;

/// The wall clock at the start of the simulation: 2026-01-01T00:00:00Z.
const EPOCH: Duration = Duration::from_hours(490_896);

#[derive(Default)]
pub(super) struct VirtualClock {
    now: Cell<Duration>,
    timers: RefCell<BTreeMap<(Duration, u64), Waker>>,
    next: Cell<u64>,
}

impl VirtualClock {
    pub(super) fn now(&self) -> Duration {
        self.now.get()
    }

    pub(super) fn advance(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }

    pub(super) fn sleep(&self, duration: Duration) -> Sleep<'_> {
        let id = self.next.get();
        self.next.set(id + 1);
        Sleep {
            clock: self,
            key: (self.now.get() + duration, id),
        }
    }

    /// Goes to the earliest timer and wakes it; false when there is none.
    pub(super) fn jump(&self) -> bool {
        let Some(((when, _), waker)) = self.timers.borrow_mut().pop_first() else {
            return false;
        };
        self.now.set(self.now.get().max(when));
        waker.wake();
        true
    }
}

pub(super) struct Sleep<'a> {
    clock: &'a VirtualClock,
    key: (Duration, u64),
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.now.get() >= self.key.0 {
            return Poll::Ready(());
        }
        self.clock
            .timers
            .borrow_mut()
            .insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.clock.timers.borrow_mut().remove(&self.key);
    }
}

impl Clock for Simulation {
    fn unix_time(&self) -> Duration {
        EPOCH + self.clock.now()
    }

    fn elapsed(&self) -> Duration {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> {
        self.clock.sleep(duration)
    }
}
