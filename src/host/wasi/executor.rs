//! Runs futures on `wasi:io/poll`.
//!
//! An exported call is synchronous, so [`block_on`] drives one future to its end. A future that was
//! started in one call may continue in a later one: a request in flight is held by a resource, and
//! the next future that awaits it is woken when its pollable is ready.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::bindings::wasi::io::poll::{self, Pollable};

thread_local! {
    static INTERESTS: RefCell<Vec<Rc<Interest>>> = const { RefCell::new(Vec::new()) };
}

/// A pollable, and the waker of the future that waits for it.
struct Interest {
    pollable: Pollable,
    ready: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

/// Waits for one pollable, any number of times.
///
/// A pollable is a child of the stream or future it was made from and must be dropped before
/// it: keep the `Readiness` in a narrower scope than its parent.
pub(super) struct Readiness {
    interest: Rc<Interest>,
}

impl Readiness {
    pub(super) fn new(pollable: Pollable) -> Self {
        let interest = Rc::new(Interest {
            pollable,
            ready: Cell::new(false),
            waker: RefCell::new(None),
        });
        INTERESTS.with_borrow_mut(|interests| interests.push(Rc::clone(&interest)));
        Self { interest }
    }

    /// Returns once the pollable is ready.
    pub(super) async fn wait(&self) {
        poll_fn(|context| {
            let interest = &self.interest;
            if interest.ready.take() || interest.pollable.ready() {
                interest.waker.take();
                return Poll::Ready(());
            }
            interest.waker.replace(Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

impl Drop for Readiness {
    fn drop(&mut self) {
        INTERESTS.with_borrow_mut(|interests| {
            interests.retain(|interest| !Rc::ptr_eq(interest, &self.interest));
        });
    }
}

/// Whether the root future must be polled again.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Drives the future to its end, sleeping in `wasi:io/poll` while it waits.
///
/// # Panics
/// If the future waits for nothing that could wake it, which is a defect.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut output = None;
    drive(pin!(async { output = Some(future.await) }));
    #[expect(
        clippy::expect_used,
        reason = "the future above ends only once this is there"
    )]
    output.expect("a future that ended has an output")
}

/// Drives a future to its end. It is a trait object, so that this function is compiled once.
fn drive(mut future: Pin<&mut dyn Future<Output = ()>>) {
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    loop {
        while woken.0.swap(false, Ordering::Relaxed) {
            if future.as_mut().poll(&mut context).is_ready() {
                return;
            }
        }
        wait_for_any();
    }
}

/// Sleeps until a pollable is ready, and wakes the futures that wait for it.
fn wait_for_any() {
    let waiting: Vec<Rc<Interest>> = INTERESTS.with_borrow(|interests| {
        interests
            .iter()
            .filter(|interest| interest.waker.borrow().is_some())
            .cloned()
            .collect()
    });
    assert!(
        !waiting.is_empty(),
        "a future waits for nothing that could wake it"
    );
    let pollables: Vec<&Pollable> = waiting.iter().map(|interest| &interest.pollable).collect();
    for index in poll::poll(&pollables) {
        if let Some(interest) = waiting.get(index as usize) {
            interest.ready.set(true);
            if let Some(waker) = interest.waker.take() {
                waker.wake();
            }
        }
    }
}
