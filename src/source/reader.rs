//! Reads one stream, page after page: the next page is on its way while the host works on
//! this one.

use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use dataverse_rows::{Members, Piece, Walked, walk};

use super::ahead;
use super::checkpoint::{self, Cursor, Method, Midway, Phase, Position};
use super::event::{Event, Operation, Warning};
use super::files;
use super::history::History;
use super::output::Output;
use super::plan::Plan;
use super::sequence::{
    Answered, BODY_ATTEMPTS, Sequence, Start, begin, circle, request, unreadable,
};
use super::step::{Again, Step};
use crate::dataverse::{Client, Link};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Started};

mod recovery;

/// How many pages in a row may be empty. A filter over many rows can leave some; a service
/// that hands out new links for ever must not keep the host busy for ever.
const MAX_EMPTY_PAGES: u32 = 1_000;

/// Reads one stream.
pub(super) struct Reader<H> {
    client: Client<H>,
    plan: Rc<Plan>,
    members: Members,
    output: Output,
    sequence: Sequence,
    link: Link,
    answer: Started<Answered>,
    /// How often this page has been asked for.
    attempts: u32,
    /// What is known of the log, if that is what is read.
    history: Option<History>,
    /// Whether it has been said that some files do not come.
    is_told_of_files: bool,
}

impl<H: Host> Reader<H> {
    /// Sets out from a position, with so many rows per page at most. The first request is on
    /// its way when this returns.
    ///
    /// # Errors
    /// When the position holds no usable link.
    pub(super) async fn start(
        client: Client<H>,
        plan: Rc<Plan>,
        start: Start,
        page_size: u32,
        events: &mut VecDeque<Event>,
    ) -> Result<Self, Error> {
        let output = Output::new(Rc::clone(&plan), &start.position)?;
        let page_size = plan.page_size().min(page_size);
        let history = plan.is_history().then(|| History::at(&start.position));
        let (sequence, link) = begin(&client, &plan, start, page_size, events)?;
        let members = plan.members(sequence.method);
        let prefer = plan.prefer(sequence.method, sequence.page_size);
        let answer = request(&client, &link, prefer, 0).await;
        Ok(Self {
            client,
            plan,
            members,
            output,
            sequence,
            link,
            answer,
            attempts: 1,
            history,
            is_told_of_files: false,
        })
    }

    /// Asks for the page that a link leads to. After `attempts` bad answers it waits first.
    async fn ask(&self, link: &Link, attempts: u32) -> Started<Answered> {
        let prefer = self
            .plan
            .prefer(self.sequence.method, self.sequence.page_size);
        request(&self.client, link, prefer, attempts).await
    }

    /// How the stream is read.
    pub(super) fn method(&self) -> Method {
        self.sequence.method
    }

    /// Where later pages of the stream go.
    pub(super) fn into_output(self) -> Output {
        self.output
    }

    /// Whether the page that was asked for has come.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Answered> {
        Pin::new(&mut self.answer).poll(context)
    }

    /// Makes events of an answer and asks for the next page.
    ///
    /// # Errors
    /// When the stream cannot be read further.
    pub(super) async fn accept(
        &mut self,
        answered: Answered,
        events: &mut VecDeque<Event>,
    ) -> Result<Step, Error> {
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => return self.recover(error).map(Step::from),
        };
        let ahead = self.ask_ahead(&answer.body).await;
        match walk(&mut self.members, &answer.body) {
            Ok(walked) => {
                drop(answer);
                self.hand_out(walked, ahead, events).await
            }
            // A damaged body is like a lost connection: the page is asked for again.
            Err(_) if self.attempts < BODY_ATTEMPTS => {
                self.answer = self.ask(&self.link, self.attempts).await;
                self.attempts += 1;
                Ok(Step::Going)
            }
            Err(malformed) => Err(unreadable(&self.plan.table.name, &malformed)),
        }
    }

    /// Asks for the page that seems to be the next one, if its link can be told already.
    async fn ask_ahead(&self, body: &[u8]) -> Option<(Link, Started<Answered>)> {
        let link = self.client.link(&ahead::next_link(body)?).ok()?;
        if link == self.link {
            // A circle, which is told once the page is walked.
            return None;
        }
        let answer = self.ask(&link, 0).await;
        Some((link, answer))
    }

    async fn hand_out(
        &mut self,
        walked: Walked,
        ahead: Option<(Link, Started<Answered>)>,
        events: &mut VecDeque<Event>,
    ) -> Result<Step, Error> {
        let Walked {
            pieces,
            next_link,
            delta_link,
            watched,
            ..
        } = walked;
        self.note_newest(watched.as_deref())?;
        let operation = match self.sequence.phase {
            Phase::Snapshot => Operation::Snapshot,
            Phase::Changes => Operation::Upsert,
        };
        let Some(next_link) = next_link else {
            let pieces = match self.finished(pieces, events).await {
                Ok(pieces) => pieces,
                Err(error) => return self.too_much(error).map(Step::from),
            };
            let Some(cursor) = self.end(delta_link)? else {
                return Ok(self.without_delta_link().into());
            };
            let may_be_old = self.sequence.start.is_none()
                && self.sequence.phase == Phase::Snapshot
                && matches!(cursor, Cursor::Delta { .. });
            let position = Position::CaughtUp(cursor);
            self.output.page(pieces, operation, &position, events)?;
            if may_be_old {
                // What has changed since the sync in which the read began comes at once.
                return Ok(Again::from(Start::at(position)).into());
            }
            return Ok(Step::Complete);
        };
        self.follow(&next_link, pieces.is_empty())?;
        let position = Position::Midway(Midway {
            method: self.sequence.method,
            phase: self.sequence.phase,
            next: checkpoint::relative(&self.client, &next_link)?,
            page_size: self.sequence.page_size,
            newest: self.sequence.newest,
            began: match self.sequence.method {
                Method::Tracked { .. } => self.sequence.began,
                _ => None,
            },
        });
        // On its way before this page is handed out.
        self.answer = match ahead {
            Some((link, answer)) if link == self.link => answer,
            _ => self.ask(&self.link, 0).await,
        };
        self.attempts = 1;
        let pieces = match self.finished(pieces, events).await {
            Ok(pieces) => pieces,
            Err(error) => return self.too_much(error).map(Step::from),
        };
        self.output.page(pieces, operation, &position, events)?;
        Ok(Step::Going)
    }

    /// The rows as they leave: what the page only refers to has been asked for.
    async fn finished(
        &mut self,
        pieces: Vec<Piece>,
        events: &mut VecDeque<Event>,
    ) -> Result<Vec<Piece>, Error> {
        let Some(history) = &mut self.history else {
            if self.plan.files().is_empty() {
                return Ok(pieces);
            }
            let (pieces, left_out) = files::fill(&self.client, &self.plan, pieces).await?;
            if let Some(why) = left_out.filter(|_| !self.is_told_of_files) {
                self.is_told_of_files = true;
                events.push_back(Event::Warning(Warning {
                    stream: Some(self.plan.table.name.clone()),
                    id: "files-left-out".to_owned(),
                    message: format!(
                        "Some files of {} come as null: {why}.",
                        self.plan.table.name
                    ),
                }));
            }
            return Ok(pieces);
        };
        let pieces = history.expand(&self.client, &self.plan, pieces).await?;
        if let Some(denial) = history.take_denial() {
            events.push_back(Event::Warning(Warning {
                stream: Some(self.plan.table.name.clone()),
                id: "details-unreadable".to_owned(),
                message: format!(
                    "What the log keeps of changes is read without their details ({denial}). To \
                     read those the account needs the privilege prvReadRecordAuditHistory."
                ),
            }));
        }
        Ok(pieces)
    }

    /// Turns to the next page.
    fn follow(&mut self, next_link: &str, is_empty: bool) -> Result<(), Error> {
        let table = &self.plan.table.name;
        if next_link == self.link.as_str() || self.sequence.chain.closes_with(next_link) {
            return Err(circle(table));
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
                    let link = checkpoint::relative(&self.client, &link)?;
                    let at = self.fresh_since(&link);
                    Some(Cursor::Delta { link, plain, at })
                }
                None => None,
            },
            Method::Watermark { column, fallback } => Some(Cursor::Newest {
                column,
                fallback,
                mark: self.sequence.newest,
                seen: match &self.history {
                    Some(history) => history.seen(self.sequence.newest),
                    None => None,
                },
            }),
            Method::Full => {
                let at = self.client.host().unix_time().as_millis();
                Some(Cursor::Done {
                    at: u64::try_from(at).unwrap_or(u64::MAX),
                })
            }
        })
    }

    /// When a delta link was fresh: when the read began, or, if it is the one that the read
    /// began with, when that was.
    fn fresh_since(&self, delta_link: &str) -> Option<u64> {
        match &self.sequence.start {
            Some(Position::CaughtUp(Cursor::Delta { link, at, .. })) if link == delta_link => *at,
            _ => self.sequence.began,
        }
    }
}
