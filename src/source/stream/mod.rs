//! One stream of a sync: its metadata, then its pages.
//!
//! A stream is one `async` function, [`reading::read`]: open, announce, read, read again if needed,
//! sweep, complete. It runs as a future that the sync keeps and polls, and hands its events to a
//! queue. So its requests stay in flight between two calls of `next`, and a call that is dropped
//! before it returns loses nothing.

mod opening;
mod reading;
mod resume;
mod retention;
mod security;

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::checkpoint::{Binding, Checkpoint};
use super::event::{Event, Failure, Selection};
use super::kind::Kind;
use super::output::Queue;
use super::position::{Cursor, Position};
use super::read::ranged::sizes::Sizes;
use super::read::share::Share;
use crate::dataverse::Client;
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Started};

/// A stream that has not been opened.
pub(super) struct Waiting<H> {
    pub(super) selection: Selection,
    pub(super) kind: Box<dyn Kind<H>>,
    pub(super) binding: Binding,
    pub(super) checkpoint: Option<Checkpoint>,
}

impl<H> Waiting<H> {
    /// The table, if the stream is one and, by its checkpoint, is read from its first row.
    pub(super) fn table_in_full(&self) -> Option<&str> {
        let position = self
            .checkpoint
            .as_ref()
            .map(|checkpoint| &checkpoint.position);
        let is_full = matches!(position, None | Some(Position::Start { .. }));
        self.kind.table().filter(|_| is_full)
    }

    /// When the change token was fresh, if there is one.
    fn fresh_at(&self) -> Option<u64> {
        match self
            .checkpoint
            .as_ref()
            .map(|checkpoint| &checkpoint.position)
        {
            Some(Position::CaughtUp(Cursor::Delta(delta))) => delta.at,
            Some(
                Position::CaughtUp(Cursor::Watermark(_) | Cursor::Done { .. })
                | Position::Start { .. }
                | Position::Paged(_)
                | Position::Ranged(_)
                | Position::Queried(_),
            )
            | None => None,
        }
    }
}

/// What the streams of a sync have in common.
pub(super) struct Common<H> {
    pub(super) client: Client<H>,
    pub(super) share: Rc<Share>,
    pub(super) sizes: Rc<Sizes<H>>,
}

impl<H> Clone for Common<H> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            share: Rc::clone(&self.share),
            sizes: Rc::clone(&self.sizes),
        }
    }
}

/// A stream that is being read.
pub(super) struct Stream {
    name: String,
    events: Rc<Queue>,
    /// None once it has ended.
    reading: Option<Started<Result<(), Error>>>,
}

impl Stream {
    /// Opens a stream. The request for its metadata is in flight when this returns.
    pub(super) async fn open<H: Host>(common: Common<H>, waiting: Waiting<H>) -> Self {
        let events = Rc::new(Queue::default());
        Self {
            name: waiting.selection.stream.clone(),
            reading: Some(Started::new(reading::read(common, waiting, Rc::clone(&events))).await),
            events,
        }
    }

    /// The next event. The stream reads on only when the host has taken all events before.
    ///
    /// Ready with an error for what concerns the connection and not this stream alone.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, Error>> {
        if let Some(event) = self.events.pop() {
            return Poll::Ready(Ok(event));
        }
        if let Some(reading) = &mut self.reading
            && let Poll::Ready(ended) = Pin::new(reading).poll(context)
        {
            self.reading = None;
            match ended {
                Ok(()) => {}
                Err(error) if concerns_connection(&error) => return Poll::Ready(Err(error)),
                Err(error) => {
                    let stream = self.name.clone();
                    self.events.push(Event::Failed(Failure { stream, error }));
                }
            }
        }
        self.events
            .pop()
            .map_or(Poll::Pending, |event| Poll::Ready(Ok(event)))
    }

    /// Whether no more events follow.
    pub(super) fn has_ended(&self) -> bool {
        self.reading.is_none() && self.events.is_empty()
    }
}

/// Whether every other stream would have the same error.
fn concerns_connection(error: &Error) -> bool {
    error.fault.as_ref().is_some_and(|fault| fault.of_authority)
        || matches!(
            error.kind,
            ErrorKind::Unauthenticated | ErrorKind::InvalidSettings
        )
}
