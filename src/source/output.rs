//! The events of one stream: the queue from which the sync takes them, and the output that fills
//! it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use dataverse_rows::Piece;

use super::checkpoint;
use super::event::{Event, Operation, Page, Reset, Schema, Warning};
use super::kind::Plan;
use super::position::Position;
use crate::error::Error;

/// Events of one stream that the host has not taken yet.
///
/// The queue is bounded by [`Output::flush`]: a stream reads its next page only once the queue
/// is empty, so it never holds more than the events of one page.
#[derive(Debug, Default)]
pub(super) struct Queue(RefCell<VecDeque<Event>>);

impl Queue {
    /// Takes the next event.
    pub(super) fn pop(&self) -> Option<Event> {
        self.0.borrow_mut().pop_front()
    }

    /// Adds an event.
    pub(super) fn push(&self, event: Event) {
        self.0.borrow_mut().push_back(event);
    }

    /// Whether every event has been taken.
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

/// The writing end of a stream's queue: converts pages to events, each with its checkpoint.
pub(super) struct Output {
    plan: Rc<Plan>,
    queue: Rc<Queue>,
    /// The last checkpoint that was handed out.
    checkpoint: String,
}

impl Output {
    /// The output of a stream, before its [start](Self::start_at).
    pub(super) fn new(plan: Rc<Plan>, queue: Rc<Queue>) -> Self {
        Self {
            plan,
            queue,
            checkpoint: String::new(),
        }
    }

    /// Starts the stream at a position, or starts it again at another one.
    ///
    /// # Errors
    /// As for [`checkpoint::write`].
    pub(super) fn start_at(&mut self, position: &Position) -> Result<(), Error> {
        self.checkpoint = checkpoint::write(&self.plan.binding, &self.plan.types, position)?;
        Ok(())
    }

    /// Waits until the host has taken every event.
    ///
    /// Nothing is registered to wake this up: while the queue holds an event, the sync returns
    /// it instead of waiting, and polls every stream again in its next call.
    pub(super) async fn flush(&self) {
        poll_fn(|_| {
            if self.queue.is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Hands out the schema.
    pub(super) fn schema(&self, schema: Schema) {
        self.queue.push(Event::Schema(schema));
    }

    /// Tells the sink that the stream is read from its first row, and why.
    pub(super) fn reset(&self, reason: String) {
        self.queue.push(Event::Reset(Reset {
            stream: self.plan.stream().to_owned(),
            reason,
        }));
    }

    /// Hands out a warning.
    pub(super) fn warn(&self, id: &str, message: String) {
        self.queue.push(Event::Warning(Warning {
            stream: Some(self.plan.stream().to_owned()),
            id: id.to_owned(),
            message,
        }));
    }

    /// Tells the sink that the keys of all rows follow.
    pub(super) fn sweep(&self) {
        self.queue.push(Event::Sweep(self.plan.stream().to_owned()));
    }

    /// Tells the sink that the stream is complete.
    pub(super) fn complete(&self) {
        self.queue
            .push(Event::Complete(self.plan.stream().to_owned()));
    }

    /// Hands out the pieces of a page. Only the last one carries the checkpoint after the page;
    /// the others repeat the one before it. A page without rows is handed out when it moves the
    /// checkpoint.
    ///
    /// # Errors
    /// As for [`checkpoint::write`].
    pub(super) fn page(
        &mut self,
        pieces: Vec<Piece>,
        operation: Operation,
        position: &Position,
    ) -> Result<(), Error> {
        let after = checkpoint::write(&self.plan.binding, &self.plan.types, position)?;
        self.hand_out(pieces, operation, after);
        Ok(())
    }

    /// Hands out the keys of rows that exist. They do not move the checkpoint.
    pub(super) fn present(&mut self, keys: Vec<Piece>) {
        self.hand_out(keys, Operation::Present, self.checkpoint.clone());
    }

    fn hand_out(&mut self, pieces: Vec<Piece>, operation: Operation, after: String) {
        let mut pieces = VecDeque::from(pieces);
        let last = pieces.pop_back();
        for piece in pieces {
            self.push_page(piece, operation, self.checkpoint.clone());
        }
        match last {
            Some(last) => self.push_page(last, operation, after.clone()),
            None if after != self.checkpoint => {
                let empty = Piece {
                    deleted: false,
                    count: 0,
                    ndjson: String::new(),
                };
                self.push_page(empty, operation, after.clone());
            }
            None => {}
        }
        self.checkpoint = after;
    }

    fn push_page(&self, piece: Piece, operation: Operation, checkpoint: String) {
        self.queue.push(Event::Page(Page {
            stream: self.plan.stream().to_owned(),
            operation: if piece.deleted {
                Operation::Delete
            } else {
                operation
            },
            count: piece.count,
            ndjson: piece.ndjson,
            checkpoint,
        }));
    }
}
