//! What a platform can watch while a sync runs.

use crate::contract::Event;
use crate::error::CallError;
use crate::network::Throttled;
use crate::sink::{Applied, SinkError};

/// Receives the progress of a sync.
pub trait Progress: Send {
    /// The sink has made this event durable.
    fn stored(&mut self, event: &Event, applied: Applied);

    /// The sink cannot store this stream; the sync goes on with the others.
    fn skipped(&mut self, stream: &str, error: &SinkError);

    /// An instance crashed or timed out; the sync resumes from the last checkpoints in a new one.
    fn restarted(&mut self, cause: &CallError);

    /// The service asked to wait. The connector obeys, so there may be no events until then.
    fn throttled(&mut self, throttled: &Throttled) {
        let _ = throttled;
    }
}

/// Ignores progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stored(&mut self, _event: &Event, _applied: Applied) {}
    fn skipped(&mut self, _stream: &str, _error: &SinkError) {}
    fn restarted(&mut self, _cause: &CallError) {}
}
