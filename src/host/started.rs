//! Futures that make progress while nothing awaits them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that has been started.
///
/// A request is sent when its future is first polled. `Started` does that at once and keeps
/// the rest for later, so that the response arrives while the caller does something else, even
/// beyond the end of an exported call.
pub struct Started<T> {
    state: State<T>,
}

enum State<T> {
    Running(Pin<Box<dyn Future<Output = T>>>),
    Done(Option<T>),
}

impl<T: Unpin> Started<T> {
    /// Polls the future once and keeps it.
    pub async fn new(future: impl Future<Output = T> + 'static) -> Self {
        let mut future: Pin<Box<dyn Future<Output = T>>> = Box::pin(future);
        let state = poll_fn(|context| {
            Poll::Ready(match future.as_mut().poll(context) {
                Poll::Ready(output) => Some(output),
                Poll::Pending => None,
            })
        })
        .await;
        Self {
            state: match state {
                Some(output) => State::Done(Some(output)),
                None => State::Running(future),
            },
        }
    }
}

impl<T: Unpin> Started<T> {
    /// Polls it while something else is awaited; its output is kept.
    pub fn drive(&mut self, context: &mut Context<'_>) {
        if let State::Running(future) = &mut self.state
            && let Poll::Ready(output) = future.as_mut().poll(context)
        {
            self.state = State::Done(Some(output));
        }
    }
}

impl<T: Unpin> Future for Started<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match &mut self.state {
            State::Running(future) => future.as_mut().poll(context),
            // Like any future, it must not be polled again once it has been ready.
            State::Done(output) => output.take().map_or(Poll::Pending, Poll::Ready),
        }
    }
}
