//! One stream of a sync: first its metadata, then its pages.

use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::binding::Binding;
use super::checkpoint::{Cursor, Method, Midway, Position, Stop};
use super::event::{Event, Failure, Reset, Selection, Warning};
use super::fetching::Fetching;
use super::opening::Opened;
use super::output::Output;
use super::plan::Plan;
use super::ranged::{Arrival, Ranged};
use super::ranges::Ranges;
use super::reader::Reader;
use super::sequence::{Answered, Start, tracking_unavailable, untracked_consequence};
use super::share::Share;
use super::size::Sizes;
use super::step::{Again, Step};
use super::survey::{Survey, survey};
use super::sweep::Sweep;
use super::{drift, opening, resume, watermark};

use crate::catalog::{StreamKind, StreamName};
use crate::dataverse::Client;
use crate::error::{Error, ErrorKind, ServiceFault};
use crate::host::{Host, Started};

/// How often a stream may set out again in one sync.
const MAX_RESTARTS: u32 = 3;

/// A stream that is to be read.
pub(super) struct Waiting {
    pub(super) selection: Selection,
    pub(super) binding: Binding,
    pub(super) resume: Option<Stop>,
}

impl Waiting {
    /// Whether it is a table that is read from its beginning, as far as can be told by its
    /// checkpoint.
    pub(super) fn is_table_in_full(&self) -> bool {
        let position = self.resume.as_ref().map(|stop| &stop.position);
        StreamName::of(&self.selection.stream).kind() == StreamKind::Table
            && matches!(position, None | Some(Position::Beginning { .. }))
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
pub(super) struct Stream<H> {
    common: Common<H>,
    waiting: Waiting,
    events: VecDeque<Event>,
    state: State<H>,
    /// Known once its metadata has come.
    plan: Option<Rc<Plan>>,
    restarts: u32,
    /// Rows per page at most, after what has become of larger ones.
    most_rows: u32,
    /// Whether it may be read in ranges.
    in_ranges: bool,
    /// Whether it has been read in ranges to their end.
    has_been_ranged: bool,
    /// Whether it has been said that deletions cannot be seen.
    is_warned: bool,
}

enum State<H> {
    /// Its metadata is on the way.
    Opening(Started<Result<Opened, Error>>),
    /// Whether it is read in ranges is being found out.
    Surveying(Started<Result<Survey, Error>>),
    /// A page is on the way.
    Reading(Box<Reader<H>>),
    /// Pages of several ranges are on the way.
    Ranging(Box<Ranged<H>>),
    /// A page of a query is on the way.
    Fetching(Box<Fetching<H>>),
    /// A page of keys is on the way.
    Sweeping(Box<Sweep<H>>),
    /// Complete, or failed.
    Closed,
}

/// What a stream has for its turn.
pub(super) enum Turn {
    /// Events wait, or the stream is at its end.
    Ready,
    /// Its metadata has come.
    Opened(Box<Result<Opened, Error>>),
    /// It is known whether it is read in ranges.
    Surveyed(Box<Result<Survey, Error>>),
    /// A page has come.
    Answered(Answered),
    /// A page of one of the ranges has come.
    Arrived(Arrival),
}

impl<H: Host> Stream<H> {
    /// Asks for the metadata of a stream.
    pub(super) async fn open(common: Common<H>, waiting: Waiting) -> Self {
        let fresh_at = match waiting.resume.as_ref().map(|stop| &stop.position) {
            Some(Position::CaughtUp(Cursor::Delta { at, .. })) => *at,
            _ => None,
        };
        let opening = opening::open(common.client.clone(), waiting.selection.clone(), fresh_at);
        let opening = Started::new(opening).await;
        let in_ranges = common.client.settings().limits.max_concurrency > 1;
        Self {
            common,
            waiting,
            events: VecDeque::new(),
            state: State::Opening(opening),
            plan: None,
            restarts: 0,
            most_rows: u32::MAX,
            in_ranges,
            has_been_ranged: false,
            is_warned: false,
        }
    }

    /// Whether the stream can take a turn.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        if !self.events.is_empty() {
            return Poll::Ready(Turn::Ready);
        }
        match &mut self.state {
            State::Opening(opening) => Pin::new(opening)
                .poll(context)
                .map(|opened| Turn::Opened(Box::new(opened))),
            State::Surveying(survey) => Pin::new(survey)
                .poll(context)
                .map(|survey| Turn::Surveyed(Box::new(survey))),
            State::Reading(reader) => reader.poll(context).map(Turn::Answered),
            State::Ranging(ranged) => ranged.poll(context).map(Turn::Arrived),
            State::Fetching(fetching) => fetching.poll(context).map(Turn::Answered),
            State::Sweeping(sweep) => sweep.poll(context).map(Turn::Answered),
            State::Closed => Poll::Ready(Turn::Ready),
        }
    }

    /// Works on what has come.
    ///
    /// # Errors
    /// What concerns the connection and not this stream alone.
    pub(super) async fn take(&mut self, turn: Turn) -> Result<(), Error> {
        match self.work(turn).await {
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

    async fn work(&mut self, turn: Turn) -> Result<(), Error> {
        let step = match (turn, &mut self.state) {
            (Turn::Opened(opened), _) => return self.opened((*opened)?).await,
            (Turn::Surveyed(survey), _) => return self.surveyed(*survey).await,
            (Turn::Answered(answered), State::Reading(reader)) => {
                reader.accept(answered, &mut self.events).await?
            }
            (Turn::Arrived(arrival), State::Ranging(ranged)) => {
                ranged.accept(arrival, &mut self.events).await?
            }
            (Turn::Answered(answered), State::Fetching(fetching)) => {
                fetching.accept(answered, &mut self.events).await?
            }
            (Turn::Answered(answered), State::Sweeping(sweep)) => {
                if sweep.accept(answered, &mut self.events).await? {
                    self.close();
                }
                Step::Going
            }
            _ => Step::Going,
        };
        match step {
            Step::Going => Ok(()),
            Step::Complete => self.complete().await,
            Step::Again(again) => self.again(*again).await,
        }
    }

    /// Everything that the service reports has been read.
    async fn complete(&mut self) -> Result<(), Error> {
        let (method, output) = match std::mem::replace(&mut self.state, State::Closed) {
            State::Reading(reader) => (reader.method(), reader.into_output()),
            State::Ranging(ranged) => (ranged.method(), ranged.into_output()),
            State::Fetching(fetching) => (Method::Full, fetching.into_output()),
            _ => return Ok(()),
        };
        let is_history = self.plan.as_ref().is_some_and(|plan| plan.is_history());
        if self.waiting.selection.sweep && matches!(method, Method::Watermark { .. }) && !is_history
        {
            return self.sweep(output).await;
        }
        self.close();
        Ok(())
    }

    async fn sweep(&mut self, output: Output) -> Result<(), Error> {
        let Some(plan) = self.plan.clone() else {
            return Ok(());
        };
        let client = self.common.client.clone();
        let sweep = Sweep::start(client, plan, output, &mut self.events).await?;
        self.state = State::Sweeping(Box::new(sweep));
        Ok(())
    }

    fn close(&mut self) {
        self.state = State::Closed;
        let stream = self.waiting.selection.stream.clone();
        self.events.push_back(Event::Complete(stream));
    }

    async fn opened(&mut self, opened: Opened) -> Result<(), Error> {
        let Waiting {
            selection,
            binding,
            resume,
        } = &mut self.waiting;
        let resume = resume.take();
        let before = resume.as_ref().and_then(|stop| stop.types.as_deref());
        let page_size = self.common.client.settings().limits.page_size;
        let mut plan = Plan::new(opened.table, binding.clone(), selection, page_size, before)?;
        plan.queries = opened.queries;
        let changes = before.map_or_else(Vec::new, |types| drift::changes(types, &plan.types));
        let start = resume::start(resume, &plan, &changes, opened.stale);
        opening::announce(
            &plan,
            changes,
            &opened.unreadable,
            opened.left_out,
            &mut self.events,
        );
        let plan = Rc::new(plan);
        self.plan = Some(Rc::clone(&plan));
        self.set_out(plan, start).await
    }

    /// Goes to a position. A full read of a table with versions is surveyed first.
    async fn set_out(&mut self, plan: Rc<Plan>, start: Start) -> Result<(), Error> {
        match start.position {
            Position::Beginning { method }
                if self.in_ranges
                    && !plan.binding.files
                    && plan.queries.is_empty()
                    && watermark::has_versions(&plan.table) =>
            {
                let Common { client, sizes, .. } = self.common.clone();
                let survey = survey(client, plan, sizes, method, self.most_rows, start);
                self.state = State::Surveying(Started::new(survey).await);
                Ok(())
            }
            Position::Ranged(ref ranges) => {
                let ranges = ranges.clone();
                self.warn_of_deletions(&plan, &start.position);
                self.read_in_ranges(plan, &start.position, ranges).await
            }
            _ => self.read(plan, start).await,
        }
    }

    async fn surveyed(&mut self, survey: Result<Survey, Error>) -> Result<(), Error> {
        let Some(plan) = self.plan.clone() else {
            return Ok(());
        };
        let Survey {
            start,
            ranges,
            untracked,
        } = survey?;
        let Some(ranges) = ranges else {
            return self.read(plan, start).await;
        };
        let method = ranges.method();
        let beginning = Position::Beginning { method };
        if let Some(why) = untracked {
            let message = tracking_unavailable(&plan.table.name, why, method);
            self.warn("change-tracking-unavailable", message);
            self.is_warned = true;
        }
        self.warn_of_deletions(&plan, &beginning);
        self.events.push_back(Event::Reset(Reset {
            stream: plan.table.name.clone(),
            reason: start.reason,
        }));
        self.read_in_ranges(plan, &beginning, ranges).await
    }

    async fn read(&mut self, plan: Rc<Plan>, start: Start) -> Result<(), Error> {
        self.warn_of_deletions(&plan, &start.position);
        let client = self.common.client.clone();
        if !plan.queries.is_empty() {
            let fetching =
                Fetching::start(client, plan, start, self.most_rows, &mut self.events).await?;
            self.state = State::Fetching(Box::new(fetching));
            return Ok(());
        }
        let reader = Reader::start(client, plan, start, self.most_rows, &mut self.events).await?;
        self.state = State::Reading(Box::new(reader));
        Ok(())
    }

    async fn read_in_ranges(
        &mut self,
        plan: Rc<Plan>,
        before: &Position,
        ranges: Ranges,
    ) -> Result<(), Error> {
        let client = self.common.client.clone();
        let place = self.common.share.place();
        let reader = Ranged::start(client, plan, place, before, ranges, self.most_rows).await?;
        self.state = State::Ranging(Box::new(reader));
        Ok(())
    }

    /// Sets out again, unless that has happened too often.
    async fn again(&mut self, again: Again) -> Result<(), Error> {
        let Some(plan) = self.plan.clone() else {
            return Ok(());
        };
        if let Some(cause) = again.cause {
            if self.restarts >= MAX_RESTARTS {
                return Err(cause);
            }
            self.restarts += 1;
            // Whatever was wrong with the link that came of ranges, another one would have too.
            self.in_ranges &= !self.has_been_ranged;
        }
        if let Some((id, message)) = again.warning {
            self.warn(id, message);
            self.is_warned = true;
        }
        self.most_rows = self.most_rows.min(again.page_size.unwrap_or(u32::MAX));
        self.in_ranges &= again.in_ranges;
        self.has_been_ranged |= matches!(again.start.position, Position::CaughtUp(_))
            && matches!(self.state, State::Ranging(_));
        self.set_out(plan, again.start).await
    }

    /// Says once that deletions cannot be seen, if they cannot.
    fn warn_of_deletions(&mut self, plan: &Plan, position: &Position) {
        if let Some(method @ Method::Watermark { .. }) = method(position)
            && !self.is_warned
            && !self.waiting.selection.sweep
            && !plan.is_history()
        {
            self.is_warned = true;
            let (why, besides) = if plan.has_condition() {
                (
                    "are read without change tracking, which takes no conditions",
                    " Neither is that a row ceases to meet the filter.",
                )
            } else {
                ("are not tracked by the service", "")
            };
            let message = format!(
                "Changes of {} {why}. {}{besides}",
                plan.table.name,
                untracked_consequence(method)
            );
            self.warn("deletions-not-observable", message);
        }
    }

    fn warn(&mut self, id: &str, message: String) {
        self.events.push_back(Event::Warning(Warning {
            stream: Some(self.waiting.selection.stream.clone()),
            id: id.to_owned(),
            message,
        }));
    }
}

/// Whether every other stream would meet the same error.
fn concerns_connection(error: &Error) -> bool {
    let of_authority = |fault: &ServiceFault| fault.of_authority;
    error.fault.as_ref().is_some_and(of_authority)
        || matches!(
            error.kind,
            ErrorKind::Unauthenticated | ErrorKind::InvalidSettings
        )
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
        Position::Ranged(ranges) => Some(ranges.method()),
        Position::CaughtUp(_) | Position::Fetched(_) => None,
    }
}
