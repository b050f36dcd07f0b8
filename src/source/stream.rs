//! One stream of a sync: first its metadata, then its pages.

use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::checkpoint::{Binding, Cursor, Method, Midway, Position};
use super::event::{Event, Failure, Schema, Selection, Warning};
use super::plan::Plan;
use super::reader::Reader;
use super::sequence::{Answered, Start, untracked_consequence};
use crate::catalog::{self, Table, row_schema};
use crate::dataverse::Client;
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Started};

/// A stream that is to be read.
pub(super) struct Waiting {
    pub(super) selection: Selection,
    pub(super) binding: Binding,
    pub(super) resume: Option<Position>,
}

/// A stream that is being read.
pub(super) struct Stream<H> {
    client: Client<H>,
    waiting: Waiting,
    events: VecDeque<Event>,
    state: State<H>,
}

enum State<H> {
    /// Its metadata is on the way.
    Opening(Started<Result<Table, Error>>),
    /// A page is on the way.
    Reading(Box<Reader<H>>),
    /// Complete, or failed.
    Closed,
}

/// What a stream has for its turn.
pub(super) enum Turn {
    /// Events wait, or the stream is at its end.
    Ready,
    /// Its metadata has come.
    Opened(Result<Table, Error>),
    /// A page has come.
    Answered(Answered),
}

impl<H: Host> Stream<H> {
    /// Asks for the metadata of a stream.
    pub(super) async fn open(client: Client<H>, waiting: Waiting) -> Self {
        let opening = {
            let (client, name) = (client.clone(), waiting.selection.stream.clone());
            Started::new(async move { catalog::read(&client, &name).await }).await
        };
        Self {
            client,
            waiting,
            events: VecDeque::new(),
            state: State::Opening(opening),
        }
    }

    /// Whether the stream can take a turn.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        if !self.events.is_empty() {
            return Poll::Ready(Turn::Ready);
        }
        match &mut self.state {
            State::Opening(opening) => Pin::new(opening).poll(context).map(Turn::Opened),
            State::Reading(reader) => reader.poll(context).map(Turn::Answered),
            State::Closed => Poll::Ready(Turn::Ready),
        }
    }

    /// Works on what has come.
    ///
    /// # Errors
    /// What concerns the connection and not this stream alone.
    pub(super) async fn take(&mut self, turn: Turn) -> Result<(), Error> {
        let outcome = match turn {
            Turn::Ready => Ok(()),
            Turn::Opened(table) => self.opened(table).await,
            Turn::Answered(answered) => self.answered(answered).await,
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(error) if concerns_connection(&error) => Err(error),
            Err(error) => {
                self.state = State::Closed;
                let stream = self.waiting.selection.stream.clone();
                self.events
                    .push_back(Event::Failed(Failure { stream, error }));
                Ok(())
            }
        }
    }

    /// The next event that waits.
    pub(super) fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether nothing more comes.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Closed) && self.events.is_empty()
    }

    async fn opened(&mut self, table: Result<Table, Error>) -> Result<(), Error> {
        let Waiting {
            selection,
            binding,
            resume,
        } = &mut self.waiting;
        let page_size = self.client.settings().limits.page_size;
        let plan = Rc::new(Plan::new(table?, binding.clone(), selection, page_size)?);
        let start = start(resume.take(), &plan);
        self.events.push_back(Event::Schema(Schema {
            stream: plan.table.name.clone(),
            primary_key: vec![plan.table.primary_key.clone()],
            row_schema: row_schema(&plan.table, binding.columns.as_deref(), binding.labels),
        }));
        if let Some(method @ Method::Watermark { .. }) = method(&start.position) {
            self.events.push_back(Event::Warning(Warning {
                stream: Some(plan.table.name.clone()),
                id: "deletions-not-observable".to_owned(),
                message: format!(
                    "Changes of {} are not tracked by the service. {}",
                    plan.table.name,
                    untracked_consequence(method)
                ),
            }));
        }
        let reader = Reader::start(self.client.clone(), plan, start, &mut self.events).await?;
        self.state = State::Reading(Box::new(reader));
        Ok(())
    }

    async fn answered(&mut self, answered: Answered) -> Result<(), Error> {
        if let State::Reading(reader) = &mut self.state
            && reader.accept(answered, &mut self.events).await?
        {
            self.state = State::Closed;
        }
        Ok(())
    }
}

/// Whether every other stream would meet the same error.
fn concerns_connection(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::Unauthenticated | ErrorKind::InvalidSettings
    )
}

/// Where the stream begins.
fn start(resume: Option<Position>, plan: &Plan) -> Start {
    let best = plan.method();
    let (position, reason) = match resume {
        None => (
            Position::Beginning { method: best },
            "The stream is read for the first time.",
        ),
        Some(Position::Beginning { method }) => (
            Position::Beginning { method },
            "The last full read was interrupted before its first page was complete.",
        ),
        Some(Position::CaughtUp(Cursor::Newest {
            fallback: false, ..
        })) if matches!(best, Method::Tracked { .. }) => (
            Position::Beginning { method: best },
            "The service has begun to track changes of the table.",
        ),
        Some(done @ Position::CaughtUp(Cursor::Done { .. })) => (
            done,
            "The service offers no way to find changes of the table.",
        ),
        Some(position) => (position, ""),
    };
    Start {
        position,
        reason: reason.to_owned(),
    }
}

fn method(position: &Position) -> Option<Method> {
    match position {
        Position::Beginning { method } | Position::Midway(Midway { method, .. }) => Some(*method),
        Position::CaughtUp(Cursor::Newest {
            column, fallback, ..
        }) => Some(Method::Watermark {
            column: *column,
            fallback: *fallback,
        }),
        Position::CaughtUp(_) => None,
    }
}
