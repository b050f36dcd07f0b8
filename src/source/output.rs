//! Handing out a stream's pages, each with the checkpoint behind it.

use std::collections::VecDeque;
use std::rc::Rc;

use dataverse_rows::Piece;

use super::checkpoint::{self, Position};
use super::event::{Event, Operation, Page};
use super::plan::Plan;
use crate::error::Error;

/// Where a stream's pages go.
pub(super) struct Output {
    plan: Rc<Plan>,
    /// The last checkpoint that the host has.
    checkpoint: String,
}

impl Output {
    /// The output of a stream that sets out from a position.
    ///
    /// # Errors
    /// As for [`checkpoint::write`].
    pub(super) fn new(plan: Rc<Plan>, position: &Position) -> Result<Self, Error> {
        let checkpoint = checkpoint::write(&plan.binding, &plan.types, position)?;
        Ok(Self { plan, checkpoint })
    }

    /// Hands out the pieces of a page. Only the last one carries the checkpoint behind the
    /// page; the others repeat the one before it. A page without rows is handed out when it
    /// moves the checkpoint.
    ///
    /// # Errors
    /// As for [`checkpoint::write`].
    pub(super) fn page(
        &mut self,
        pieces: Vec<Piece>,
        operation: Operation,
        position: &Position,
        events: &mut VecDeque<Event>,
    ) -> Result<(), Error> {
        let after = checkpoint::write(&self.plan.binding, &self.plan.types, position)?;
        self.hand_out(pieces, operation, after, events);
        Ok(())
    }

    /// Hands out pieces behind which the stream goes on where it did before.
    pub(super) fn beside(
        &mut self,
        pieces: Vec<Piece>,
        operation: Operation,
        events: &mut VecDeque<Event>,
    ) {
        self.hand_out(pieces, operation, self.checkpoint.clone(), events);
    }

    fn hand_out(
        &mut self,
        pieces: Vec<Piece>,
        operation: Operation,
        after: String,
        events: &mut VecDeque<Event>,
    ) {
        let stream = &self.plan.table.name;
        let page = |piece: Piece, checkpoint: String| {
            Event::Page(Page {
                stream: stream.clone(),
                operation: if piece.deleted {
                    Operation::Delete
                } else {
                    operation
                },
                count: piece.count,
                ndjson: piece.ndjson,
                checkpoint,
            })
        };
        let mut pieces = VecDeque::from(pieces);
        let last = pieces.pop_back();
        events.extend(
            pieces
                .into_iter()
                .map(|piece| page(piece, self.checkpoint.clone())),
        );
        match last {
            Some(last) => events.push_back(page(last, after.clone())),
            None if after != self.checkpoint => {
                let empty = Piece {
                    deleted: false,
                    count: 0,
                    ndjson: String::new(),
                };
                events.push_back(page(empty, after.clone()));
            }
            None => {}
        }
        self.checkpoint = after;
    }
}
