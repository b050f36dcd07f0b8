//! One future that several callers await.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// A future whose output goes to every caller that awaits it.
///
/// Each caller that is polled drives it, so a caller that was started ahead of need and is no
/// longer polled does not block the others.
pub(super) struct Shared<T> {
    inner: Rc<Inner<T>>,
}

struct Inner<T> {
    state: RefCell<State<T>>,
    waiting: Arc<Waiting>,
}

enum State<T> {
    Running(Pin<Box<dyn Future<Output = T>>>),
    Done(T),
}

/// The callers to wake. (Wakers must be `Sync`, though there is only one thread.)
struct Waiting(Mutex<Vec<Waker>>);

impl Waiting {
    fn add(&self, waker: &Waker) {
        let mut wakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !wakers.iter().any(|known| known.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        let wakers = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Rc::clone(&self.inner),
        }
    }
}

impl<T> Shared<T> {
    pub(super) fn new(future: impl Future<Output = T> + 'static) -> Self {
        let inner = Inner {
            state: RefCell::new(State::Running(Box::pin(future))),
            waiting: Arc::new(Waiting(Mutex::default())),
        };
        Self {
            inner: Rc::new(inner),
        }
    }

    /// Whether both are the same future.
    pub(super) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.inner, &other.inner)
    }
}

impl<T: Clone> Future for Shared<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.inner.waiting.add(context.waker());
        let mut state = self.inner.state.borrow_mut();
        let output = match &mut *state {
            State::Done(output) => return Poll::Ready(output.clone()),
            State::Running(future) => {
                let waker = Waker::from(Arc::clone(&self.inner.waiting));
                match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    Poll::Ready(output) => output,
                    Poll::Pending => return Poll::Pending,
                }
            }
        };
        *state = State::Done(output.clone());
        drop(state);
        Arc::clone(&self.inner.waiting).wake();
        Poll::Ready(output)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_remaining_caller_is_woken_and_gets_the_output() {
        let ready = Rc::new(Cell::new(false));
        let inner_waker = Rc::new(RefCell::new(None::<Waker>));
        let runs = Rc::new(Cell::new(0));
        let shared = Shared::new({
            let (ready, inner_waker, runs) = (ready.clone(), inner_waker.clone(), runs.clone());
            poll_fn(move |context| {
                *inner_waker.borrow_mut() = Some(context.waker().clone());
                if !ready.get() {
                    return Poll::Pending;
                }
                runs.set(runs.get() + 1);
                Poll::Ready("output")
            })
        });
        let counts = [Arc::new(Count::default()), Arc::new(Count::default())];
        let [first_waker, second_waker] = counts.clone().map(Waker::from);
        let mut second = pin!(shared.clone());
        {
            let mut first = pin!(shared.clone());
            assert!(
                second
                    .as_mut()
                    .poll(&mut Context::from_waker(&second_waker))
                    .is_pending()
            );
            // The caller that was polled last is dropped before the output is there.
            assert!(
                first
                    .as_mut()
                    .poll(&mut Context::from_waker(&first_waker))
                    .is_pending()
            );
        }
        ready.set(true);
        inner_waker.borrow().as_ref().unwrap().wake_by_ref();
        assert_eq!(counts[1].0.load(Ordering::Relaxed), 1);
        let output = second
            .as_mut()
            .poll(&mut Context::from_waker(&second_waker));
        assert_eq!(output, Poll::Ready("output"));
        let late = pin!(shared).poll(&mut Context::from_waker(&first_waker));
        assert_eq!((late, runs.get()), (Poll::Ready("output"), 1));
    }
}
