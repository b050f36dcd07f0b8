//! Runs the sink on a blocking thread, at most one event behind the connector.

use tokio::task::JoinHandle;

use crate::contract::Event;
use crate::sink::{Applied, Sink, SinkError};

/// What the thread returns: the sink, the event, and the result.
type Written = (Box<dyn Sink>, Event, Result<Applied, SinkError>);

/// The sink, idle or applying one event.
pub(super) enum Writer {
    Idle(Box<dyn Sink>),
    Busy(JoinHandle<Written>),
    Broken,
}

impl Writer {
    pub(super) fn new(sink: Box<dyn Sink>) -> Self {
        Self::Idle(sink)
    }

    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_))
    }

    pub(super) fn sink(&self) -> Result<&dyn Sink, SinkError> {
        match self {
            Self::Idle(sink) => Ok(sink.as_ref()),
            Self::Busy(_) | Self::Broken => Err(SinkError::Broken),
        }
    }

    pub(super) fn begin(&mut self, event: Event) -> Result<(), SinkError> {
        let Self::Idle(mut sink) = std::mem::replace(self, Self::Broken) else {
            return Err(SinkError::Broken);
        };
        *self = Self::Busy(tokio::task::spawn_blocking(move || {
            let outcome = sink.apply(&event);
            (sink, event, outcome)
        }));
        Ok(())
    }

    /// Waits until the current event is durable and returns it. May be dropped and called again.
    pub(super) async fn finished(&mut self) -> Result<(Event, Applied), SinkError> {
        let Self::Busy(task) = self else {
            return Err(SinkError::Broken);
        };
        let joined = task.await;
        *self = Self::Broken;
        let (sink, event, outcome) = joined.map_err(|_| SinkError::Broken)?;
        *self = Self::Idle(sink);
        outcome.map(|applied| (event, applied))
    }
}
