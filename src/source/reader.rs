//! Reads one stream, page after page: the next page is on its way while the host works on
//! this one.

use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::ahead;
use super::checkpoint::{self, Cursor, Method, Midway, Phase, Position};
use super::event::{Event, Operation, Page, Warning};
use super::members::Members;
use super::plan::Plan;
use super::rows::{self, Piece, Walked};
use super::sequence::{Answered, Sequence, Start, begin, request, untracked_consequence};
use super::tracked;
use crate::dataverse::{Client, Link};
use crate::error::{Error, ErrorKind, Recovery};
use crate::host::{Host, Started};

/// How often a page is asked for whose body cannot be read.
const BODY_ATTEMPTS: u32 = 4;
/// How often a stream may start over in one sync.
const MAX_RESTARTS: u32 = 3;
/// How many pages in a row may be empty. A filter over many rows can leave some; a service
/// that hands out new links for ever must not keep the host busy for ever.
const MAX_EMPTY_PAGES: u32 = 1_000;
/// Reads one stream.
pub(super) struct Reader<H> {
    client: Client<H>,
    plan: Rc<Plan>,
    members: Members,
    sequence: Sequence,
    link: Link,
    answer: Started<Answered>,
    /// How often this page has been asked for.
    attempts: u32,
    restarts: u32,
    page_size: u32,
    /// The last checkpoint that the host has.
    checkpoint: String,
}

impl<H: Host> Reader<H> {
    /// Sets out from a position. The first request is on its way when this returns.
    ///
    /// # Errors
    /// When the position holds no usable link.
    pub(super) async fn start(
        client: Client<H>,
        plan: Rc<Plan>,
        start: Start,
        events: &mut VecDeque<Event>,
    ) -> Result<Self, Error> {
        let checkpoint = checkpoint::write(&plan.binding, &start.position)?;
        let page_size = plan.page_size();
        let (sequence, link) = begin(&client, &plan, start, page_size, events)?;
        let members = plan.members(sequence.method);
        let answer = request(&client, &plan, &sequence, &link, 0).await;
        Ok(Self {
            client,
            plan,
            members,
            sequence,
            link,
            answer,
            attempts: 1,
            restarts: 0,
            page_size,
            checkpoint,
        })
    }

    /// Whether the page that was asked for has come.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Answered> {
        Pin::new(&mut self.answer).poll(context)
    }

    /// Makes events of an answer and asks for the next page. Returns whether the stream is
    /// complete.
    ///
    /// # Errors
    /// When the stream cannot be read further.
    pub(super) async fn accept(
        &mut self,
        answered: Answered,
        events: &mut VecDeque<Event>,
    ) -> Result<bool, Error> {
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => return self.recover(error, events).await.map(|()| false),
        };
        let ahead = self.ask_ahead(&answer.body).await;
        match rows::walk(&mut self.members, &answer.body) {
            Ok(walked) => {
                drop(answer);
                self.hand_out(walked, ahead, events).await
            }
            // A damaged body is like a lost connection: the page is asked for again.
            Err(_) if self.attempts < BODY_ATTEMPTS => {
                self.answer = request(
                    &self.client,
                    &self.plan,
                    &self.sequence,
                    &self.link,
                    self.attempts,
                )
                .await;
                self.attempts += 1;
                Ok(false)
            }
            Err(malformed) => Err(Error::new(
                ErrorKind::Unavailable,
                format!(
                    "a page of {} came {BODY_ATTEMPTS} times in a form that cannot be read: \
                     {malformed}; check any proxy between, or try again later",
                    self.plan.table.name
                ),
            )),
        }
    }

    /// Asks for the page that seems to be the next one, if its link can be told already.
    async fn ask_ahead(&self, body: &[u8]) -> Option<(Link, Started<Answered>)> {
        let link = self.client.link(&ahead::next_link(body)?).ok()?;
        if link == self.link {
            // A circle, which is told once the page is walked.
            return None;
        }
        let answer = request(&self.client, &self.plan, &self.sequence, &link, 0).await;
        Some((link, answer))
    }

    async fn hand_out(
        &mut self,
        walked: Walked,
        ahead: Option<(Link, Started<Answered>)>,
        events: &mut VecDeque<Event>,
    ) -> Result<bool, Error> {
        let Walked {
            pieces,
            next_link,
            delta_link,
            watched,
        } = walked;
        self.note_newest(watched.as_deref())?;
        let operation = match self.sequence.phase {
            Phase::Snapshot => Operation::Snapshot,
            Phase::Changes => Operation::Upsert,
        };
        let Some(next_link) = next_link else {
            let Some(cursor) = self.end(delta_link)? else {
                self.without_delta_link(events).await?;
                return Ok(false);
            };
            self.emit(pieces, operation, &Position::CaughtUp(cursor), events)?;
            events.push_back(Event::Complete(self.plan.table.name.clone()));
            return Ok(true);
        };
        self.follow(&next_link, pieces.is_empty())?;
        let position = Position::Midway(Midway {
            method: self.sequence.method,
            phase: self.sequence.phase,
            next: checkpoint::relative(&self.client, &next_link)?,
            page_size: self.sequence.page_size,
            newest: self.sequence.newest,
        });
        // On its way before this page is handed out.
        self.answer = match ahead {
            Some((link, answer)) if link == self.link => answer,
            _ => request(&self.client, &self.plan, &self.sequence, &self.link, 0).await,
        };
        self.attempts = 1;
        self.emit(pieces, operation, &position, events)?;
        Ok(false)
    }

    /// Turns to the next page.
    fn follow(&mut self, next_link: &str, is_empty: bool) -> Result<(), Error> {
        let table = &self.plan.table.name;
        if next_link == self.link.as_str() || self.sequence.chain.closes_with(next_link) {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!(
                    "the service leads in a circle: a page of {table} names as the next one a \
                     page that has been read already; try again later"
                ),
            ));
        }
        self.sequence.empty_pages = if is_empty {
            self.sequence.empty_pages + 1
        } else {
            0
        };
        if self.sequence.empty_pages > MAX_EMPTY_PAGES {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!(
                    "the service sent more than {MAX_EMPTY_PAGES} empty pages of {table} in a \
                     row; try again later"
                ),
            ));
        }
        self.link = self.client.link(next_link)?;
        self.sequence.follows_link = true;
        Ok(())
    }

    fn note_newest(&mut self, watched: Option<&str>) -> Result<(), Error> {
        let (Method::Watermark { column, .. }, Some(value)) = (self.sequence.method, watched)
        else {
            return Ok(());
        };
        let mark = column.mark(value).ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                format!(
                    "the column {} of {} holds something that cannot be put in order; leave the \
                     stream out",
                    column.name(),
                    self.plan.table.name
                ),
            )
        })?;
        self.sequence.newest = self.sequence.newest.max(Some(mark));
        Ok(())
    }

    /// Where changes are read later, now that the last page is here; none if the service owes
    /// it.
    fn end(&self, delta_link: Option<String>) -> Result<Option<Cursor>, Error> {
        Ok(match self.sequence.method {
            Method::Tracked { plain } => match delta_link {
                Some(link) => {
                    // Checked now, not when it is needed.
                    self.client.link(&link)?;
                    let link = checkpoint::relative(&self.client, &link)?;
                    Some(Cursor::Delta { link, plain })
                }
                None => None,
            },
            Method::Watermark { column, fallback } => Some(Cursor::Newest {
                column,
                fallback,
                mark: self.sequence.newest,
            }),
            Method::Full => {
                let at = self.client.host().unix_time().as_millis();
                Some(Cursor::Done {
                    at: u64::try_from(at).unwrap_or(u64::MAX),
                })
            }
        })
    }

    /// Hands out the pieces of a page. Only the last one carries the checkpoint behind the
    /// page; the others repeat the one before it. A page without rows is handed out when it
    /// moves the checkpoint.
    fn emit(
        &mut self,
        pieces: Vec<Piece>,
        operation: Operation,
        position: &Position,
        events: &mut VecDeque<Event>,
    ) -> Result<(), Error> {
        let after = checkpoint::write(&self.plan.binding, position)?;
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
        Ok(())
    }

    /// The last page of a tracked read has no delta link: a known fault of some versions when
    /// annotations are asked for (reference §6.5).
    async fn without_delta_link(&mut self, events: &mut VecDeque<Event>) -> Result<(), Error> {
        self.restarts += 1;
        let labels = self.plan.binding.labels;
        let table = &self.plan.table.name;
        let (method, id, message) = match self.sequence.method {
            Method::Tracked { plain: false } if labels => (
                Method::Tracked { plain: true },
                "labels-unavailable",
                format!(
                    "The service forgets where changes of {table} begin when labels are asked \
                     for. It is read again without; the columns with labels stay empty."
                ),
            ),
            _ => (
                self.plan.untracked(true),
                "change-tracking-unavailable",
                format!(
                    "The service does not say where changes of {table} begin. {}",
                    untracked_consequence(self.plan.untracked(true))
                ),
            ),
        };
        self.warn(id, message, events);
        let start = Start {
            position: Position::Beginning { method },
            reason: "The service did not say where later changes begin.".to_owned(),
        };
        self.restart(start, self.sequence.page_size, events).await
    }

    /// Tries what can be tried after a refusal.
    async fn recover(&mut self, error: Error, events: &mut VecDeque<Event>) -> Result<(), Error> {
        let Sequence {
            method,
            phase,
            page_size,
            follows_link,
            ..
        } = self.sequence;
        let beginning = Position::Beginning { method };
        if error.recovery == Some(Recovery::SmallerPages) && page_size > 1 {
            // The sequence starts over, because on its way the page size must not change. That
            // ends at pages of one row.
            let start = Start {
                position: self.sequence.start.clone().unwrap_or(beginning),
                reason: "The pages were too large for the service or the host.".to_owned(),
            };
            return self.restart(start, page_size / 4, events).await;
        }
        if self.restarts >= MAX_RESTARTS {
            return Err(error);
        }
        self.restarts += 1;
        if follows_link && tracked::is_refused(&error) {
            if let (Method::Watermark { column, fallback }, Phase::Changes, newest @ Some(_)) =
                (method, phase, self.sequence.newest)
            {
                let cursor = Cursor::Newest {
                    column,
                    fallback,
                    mark: newest,
                };
                let position = Position::CaughtUp(cursor);
                return self
                    .restart(
                        Start {
                            position,
                            reason: String::new(),
                        },
                        page_size,
                        events,
                    )
                    .await;
            }
            let reason = format!(
                "The service no longer knows where this stream was ({}).",
                error.message
            );
            return self
                .restart(
                    Start {
                        position: beginning,
                        reason,
                    },
                    page_size,
                    events,
                )
                .await;
        }
        if let (Method::Tracked { .. }, false, Some(why)) =
            (method, follows_link, tracked::unavailable(&error))
        {
            let method = self.plan.untracked(true);
            let message = format!(
                "Changes of {} are not tracked: {why}. {} Once that is mended, start the stream \
                 without its checkpoint.",
                self.plan.table.name,
                untracked_consequence(method)
            );
            self.warn("change-tracking-unavailable", message, events);
            let start = Start {
                position: Position::Beginning { method },
                reason: "The stream is read without change tracking.".to_owned(),
            };
            return self.restart(start, page_size, events).await;
        }
        Err(error)
    }

    fn warn(&self, id: &str, message: String, events: &mut VecDeque<Event>) {
        let stream = Some(self.plan.table.name.clone());
        events.push_back(Event::Warning(Warning {
            stream,
            id: id.to_owned(),
            message,
        }));
    }

    async fn restart(
        &mut self,
        start: Start,
        page_size: u32,
        events: &mut VecDeque<Event>,
    ) -> Result<(), Error> {
        self.page_size = self.page_size.min(page_size.max(1));
        self.checkpoint = checkpoint::write(&self.plan.binding, &start.position)?;
        (self.sequence, self.link) =
            begin(&self.client, &self.plan, start, self.page_size, events)?;
        self.members = self.plan.members(self.sequence.method);
        self.answer = request(&self.client, &self.plan, &self.sequence, &self.link, 0).await;
        self.attempts = 1;
        Ok(())
    }
}
