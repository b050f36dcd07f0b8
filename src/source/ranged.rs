//! Reads one stream in several ranges at once.
//!
//! Every range that is being read has a lane: one page on its way. How many lanes there are
//! depends on what the service welcomes, on how many other streams there are, and on memory;
//! one there is always. When a lane would be idle, the rest of a range is split.

use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use dataverse_rows::{Members, Walked, walk};

use super::checkpoint::{Method, Phase, Position};
use super::event::{Event, Operation, Warning};
use super::keys::{Found, Keys};
use super::measure::{Measure, reached};
use super::output::Output;
use super::plan::Plan;
use super::ranges::{Later, Range, Ranges};
use super::sequence::{Answered, BODY_ATTEMPTS, Start, request, tracking_unavailable, unreadable};
use super::share::Place;
use super::step::{Again, Step};
use super::survey::{fails, is_unsupported};
use super::tracked;
use super::watermark::{self, Column};
use crate::dataverse::{Client, Link, Prefer};
use crate::error::{Error, Recovery};
use crate::host::{Host, Started};

/// Where there can be more lanes than this, one makes room for the baseline; where there
/// cannot, it would hold the rows up, and they come first.
const LANES_BESIDE_BASELINE: usize = 3;
/// So many pages of the baseline are waited for when the ranges are done. More than that would
/// cost what reading in ranges has gained; they are left to the next sync.
const MOST_PAGES_BEHIND: i64 = 8;

/// Reads one stream in ranges.
pub(super) struct Ranged<H> {
    client: Client<H>,
    plan: Rc<Plan>,
    place: Place,
    members: Members,
    output: Output,
    measure: Measure,
    state: Ranges,
    /// In the order in which they were asked for.
    lanes: Vec<Lane>,
    /// As long as it is not at its end.
    baseline: Option<Keys<H>>,
    /// How many rows the baseline has not read of those that the ranges have, about.
    behind: i64,
    /// Whether the service has answered with a page of a range before.
    is_proven: bool,
}

/// A page on its way.
struct Lane {
    range: Range,
    /// How many rows were asked for.
    rows: u32,
    /// How often.
    attempts: u32,
    answer: Started<Answered>,
}

/// What has come.
pub(super) enum Arrival {
    /// A page of a range.
    Page(usize, Answered),
    /// A page of the baseline.
    Baseline(Answered),
}

impl<H: Host> Ranged<H> {
    /// Sets out from what remains of a read, with so many rows per page at most. The first
    /// requests are on their way when this returns.
    ///
    /// # Errors
    /// When the state holds no usable link.
    pub(super) async fn start(
        client: Client<H>,
        plan: Rc<Plan>,
        place: Place,
        before: &Position,
        state: Ranges,
        page_size: u32,
    ) -> Result<Self, Error> {
        let baseline = match &state.later {
            Later::Baseline {
                next, page_size, ..
            } => Some(Keys::resume(&client, &plan, next, *page_size)?),
            Later::Delta { .. } | Later::Versions { .. } => None,
        };
        let mut this = Self {
            members: plan.members_watching(Some(Column::VersionNumber.name())),
            output: Output::new(Rc::clone(&plan), before)?,
            measure: Measure::new(&plan, page_size),
            client,
            plan,
            place,
            state,
            lanes: Vec::new(),
            baseline,
            behind: 0,
            is_proven: matches!(before, Position::Ranged(_)),
        };
        this.fill().await?;
        Ok(this)
    }

    /// How the stream is read.
    pub(super) fn method(&self) -> Method {
        self.state.method()
    }

    /// Where later pages of the stream go.
    pub(super) fn into_output(self) -> Output {
        self.output
    }

    /// Whether something that was asked for has come.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Arrival> {
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            if let Poll::Ready(answered) = Pin::new(&mut lane.answer).poll(context) {
                return Poll::Ready(Arrival::Page(index, answered));
            }
        }
        match &mut self.baseline {
            Some(baseline) => baseline.poll(context).map(Arrival::Baseline),
            None => Poll::Pending,
        }
    }

    /// Makes events of what has come and asks for what is next.
    ///
    /// # Errors
    /// When the stream cannot be read further.
    pub(super) async fn accept(
        &mut self,
        arrival: Arrival,
        events: &mut VecDeque<Event>,
    ) -> Result<Step, Error> {
        match arrival {
            Arrival::Baseline(answered) => self.accept_baseline(answered, events).await,
            Arrival::Page(index, answered) => {
                let lane = self.lanes.remove(index);
                match answered {
                    Ok(answer) => self.accept_page(lane, &answer.body, events).await,
                    Err(error) => self.recover(&lane, error).await,
                }
            }
        }
    }

    async fn accept_page(
        &mut self,
        lane: Lane,
        body: &[u8],
        events: &mut VecDeque<Event>,
    ) -> Result<Step, Error> {
        let walked = match walk(&mut self.members, body) {
            Ok(walked) => walked,
            Err(malformed) if lane.attempts >= BODY_ATTEMPTS => {
                return Err(unreadable(&self.plan.table.name, &malformed));
            }
            Err(_) => {
                self.ask(lane.range, lane.rows, lane.attempts).await?;
                return Ok(Step::Going);
            }
        };
        let Ok(reached) = reached(lane.range, &walked) else {
            return Ok(self.page_after_page().into());
        };
        self.is_proven = true;
        let count = walked.pieces.iter().map(|piece| piece.count).sum();
        self.measure.note(body.len(), count);
        self.behind += i64::from(count);
        self.state.advance(lane.range, reached);
        let is_over = lane.range.is_open() && walked.next_link.is_none();
        if is_over {
            return self.finish(walked, events);
        }
        if let Some(after) = reached.filter(|_| !lane.range.is_open()) {
            self.share_out(lane.range, after, count);
        }
        self.fill().await?;
        let position = Position::Ranged(self.state.clone());
        self.output
            .page(walked.pieces, self.operation(), &position, events)?;
        Ok(Step::Going)
    }

    /// Splits what remains of a range when there is more room than there are ranges waiting,
    /// and more to read than a page.
    fn share_out(&mut self, range: Range, after: i64, count: u32) {
        let rest = Range { after, ..range };
        let lanes = self.place.lanes(self.client.concurrency());
        let idle = lanes.saturating_sub(self.state.competing(rest));
        // As if the rest were as dense as this page was.
        let read = u128::from(range.after.abs_diff(after)).max(1);
        let rows = u128::from(after.abs_diff(range.until)) * u128::from(count) / read;
        let pages = rows.div_ceil(self.rows_per_page().into());
        let parts = usize::try_from(pages).unwrap_or(usize::MAX).min(idle + 1);
        if parts > 1 {
            self.state.split(rest, parts);
        }
    }

    /// The last page of the tail has come.
    fn finish(&mut self, walked: Walked, events: &mut VecDeque<Event>) -> Result<Step, Error> {
        let operation = self.operation();
        let cursor = self.state.cursor();
        let position = match &cursor {
            Some(cursor) => Position::CaughtUp(cursor.clone()),
            None => Position::Ranged(self.state.later()),
        };
        self.output
            .page(walked.pieces, operation, &position, events)?;
        if matches!(self.state.later, Later::Delta { .. }) {
            // What has changed or gone meanwhile comes at once, which also shows that the
            // service takes the link.
            return Ok(Again::from(Start::at(position)).into());
        }
        Ok(Step::Complete)
    }

    async fn accept_baseline(
        &mut self,
        answered: Answered,
        events: &mut VecDeque<Event>,
    ) -> Result<Step, Error> {
        let Some(baseline) = &mut self.baseline else {
            return Ok(Step::Going);
        };
        let found = match baseline.accept(answered).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Step::Going),
            Err(error) => return self.without_baseline(error).map(Step::from),
        };
        match (found, &mut self.state.later) {
            (
                Found::Next(link),
                Later::Baseline {
                    next, page_size, ..
                },
            ) => {
                *next = link;
                self.behind -= i64::from(*page_size);
            }
            (Found::Delta(link), Later::Baseline { plain, .. }) => {
                self.state.later = Later::Delta {
                    plain: *plain,
                    link,
                };
                self.baseline = None;
            }
            (Found::Opaque, _) => return Ok(self.page_after_page().into()),
            _ => {
                self.state.later = Later::Versions { fallback: true };
                self.baseline = None;
                self.warn_untracked("the service does not say where they begin", events);
            }
        }
        self.fill().await?;
        if self.state.phase == Phase::Changes {
            let position = Position::Ranged(self.state.clone());
            self.output
                .page(Vec::new(), self.operation(), &position, events)?;
        }
        Ok(Step::Going)
    }

    /// What can be tried after the refusal of a page of the baseline.
    fn without_baseline(&self, error: Error) -> Result<Again, Error> {
        let (Later::Baseline { page_size, .. }, method) = (&self.state.later, self.state.method())
        else {
            return Err(error);
        };
        let again = |reason: String| {
            Again::from(Start {
                position: Position::Beginning { method },
                reason,
            })
        };
        if error.recovery == Some(Recovery::SmallerPages) && *page_size > 1 {
            let reason = "The pages were too large for the service or the host.";
            return Ok(again(reason.to_owned()).with_smaller_pages(*page_size));
        }
        if tracked::is_refused(&error) {
            let reason = format!(
                "The service no longer knows where this stream was ({}).",
                error.message
            );
            return Ok(again(reason).because_of(error));
        }
        Err(error)
    }

    /// Tries what can be tried after the refusal of a page of rows.
    async fn recover(&mut self, lane: &Lane, error: Error) -> Result<Step, Error> {
        if error.recovery == Some(Recovery::SmallerPages) && lane.rows > 1 {
            self.measure.most = self.measure.most.min((lane.rows / 4).max(1));
            self.fill().await?;
            return Ok(Step::Going);
        }
        if error.recovery == Some(Recovery::SmallerPages) && error.fault.is_none() {
            // What is too large for one page of many may not be for the only one.
            let (link, prefer) = self.page(lane.range, lane.rows)?;
            self.client.get(&link, &prefer).await?;
        }
        if is_unsupported(&error) || (!self.is_proven && fails(&error)) {
            return Ok(self.page_after_page().because_of(error).into());
        }
        Err(error)
    }

    /// The service does not keep to ranges.
    fn page_after_page(&self) -> Again {
        let method = match self.state.method() {
            method @ Method::Tracked { .. } => method,
            Method::Watermark { fallback, .. } => self.plan.untracked(fallback),
            Method::Full => Method::Full,
        };
        Again::from(Start {
            position: Position::Beginning { method },
            reason: "The service does not read the table in ranges of versions.".to_owned(),
        })
        .page_after_page()
    }

    /// Puts as many lanes to work as there may be, one at least, and the baseline beside them.
    async fn fill(&mut self) -> Result<(), Error> {
        let mut most = self.place.lanes(self.client.concurrency());
        let beside = most > LANES_BESIDE_BASELINE;
        if let Some(baseline) = &mut self.baseline
            && beside
            && self.client.spare_concurrency() > 0
        {
            baseline.ask().await;
        }
        most -= usize::from(beside && self.baseline.is_some());
        while self.lanes.is_empty()
            || (self.lanes.len() < most && self.client.spare_concurrency() > 0)
        {
            let Some(range) = self.waiting() else { break };
            self.ask(range, self.rows_per_page(), 0).await?;
        }
        if let Some(baseline) = &mut self.baseline
            && self.lanes.is_empty()
        {
            baseline.ask().await;
        }
        Ok(())
    }

    /// The next range without a lane, or the tail when it is time for that. The widest goes
    /// first, so that none is left over when the others are done; what is recent goes last.
    fn waiting(&self) -> Option<Range> {
        let has_lane = |range: Range| self.lanes.iter().any(|lane| lane.range == range);
        let idle = self
            .state
            .remaining
            .iter()
            .filter(|range| !has_lane(**range));
        if let Some(range) = idle.max_by_key(|range| self.state.precedence(**range)) {
            return Some(*range);
        }
        let is_time = self.state.remaining.is_empty() && self.lanes.is_empty();
        let waits = self.waits_for_baseline();
        (is_time && !waits).then(|| Range::above(self.state.tail))
    }

    /// Whether the baseline is to end before the tail is read, so that the next sync needs to
    /// read nothing again.
    fn waits_for_baseline(&self) -> bool {
        match &self.state.later {
            Later::Baseline { page_size, .. } => {
                self.state.phase == Phase::Changes
                    || self.behind <= MOST_PAGES_BEHIND * i64::from(*page_size)
            }
            Later::Delta { .. } | Later::Versions { .. } => false,
        }
    }

    /// Asks for a page of a range. After `attempts` bad answers it waits first.
    async fn ask(&mut self, range: Range, rows: u32, attempts: u32) -> Result<(), Error> {
        let (link, prefer) = self.page(range, rows)?;
        let client = self.client.clone().with_max_body(self.place.page_bytes());
        let answer = request(&client, &link, prefer, attempts).await;
        self.lanes.push(Lane {
            range,
            rows,
            attempts: attempts + 1,
            answer,
        });
        Ok(())
    }

    /// How a page of a range is asked for.
    fn page(&self, range: Range, rows: u32) -> Result<(Link, Prefer), Error> {
        let query = watermark::range(&self.plan, range);
        let prefer = Prefer {
            track_changes: false,
            ..self.plan.prefer(self.state.method(), rows)
        };
        Ok((self.client.resource(query.as_str())?, prefer))
    }

    fn rows_per_page(&self) -> u32 {
        self.measure.fitting(self.place.page_bytes())
    }

    fn operation(&self) -> Operation {
        match self.state.phase {
            Phase::Snapshot => Operation::Snapshot,
            Phase::Changes => Operation::Upsert,
        }
    }

    fn warn_untracked(&self, why: &str, events: &mut VecDeque<Event>) {
        let table = &self.plan.table.name;
        events.push_back(Event::Warning(Warning {
            stream: Some(table.clone()),
            id: "change-tracking-unavailable".to_owned(),
            message: tracking_unavailable(table, why, self.state.method()),
        }));
    }
}
