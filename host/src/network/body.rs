//! A response body with a timeout between bytes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use wasmtime_wasi_http::Error;

use super::failure;
use super::metrics::Metrics;

/// Passes a body on, counts its bytes, and turns a stall or an early end into an error.
pub(crate) struct WatchedBody {
    inner: Incoming,
    between_bytes: Duration,
    end: Instant,
    /// Runs only while the reader waits: a slow reader is not the sender's fault.
    stall: Option<Pin<Box<Sleep>>>,
    metrics: Arc<Metrics>,
}

impl WatchedBody {
    pub(crate) fn new(
        inner: Incoming,
        between_bytes: Duration,
        end: Instant,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            inner,
            between_bytes,
            end,
            stall: None,
            metrics,
        }
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_frame(context) {
            Poll::Ready(frame) => {
                this.stall = None;
                if let Some(data) = frame.as_ref().and_then(|f| f.as_ref().ok()?.data_ref()) {
                    this.metrics.count_bytes(data.len());
                }
                Poll::Ready(
                    frame.map(|frame| frame.map_err(|error| failure::while_reading(&error))),
                )
            }
            Poll::Pending => {
                let until = (Instant::now() + this.between_bytes).min(this.end);
                let stall = this
                    .stall
                    .get_or_insert_with(|| Box::pin(sleep_until(until)));
                stall
                    .as_mut()
                    .poll(context)
                    .map(|()| Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
