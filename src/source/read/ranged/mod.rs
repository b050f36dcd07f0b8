//! Reads a listing in several ranges at once.
//!
//! Every range that is being read has a lane: one page in flight. How many lanes there are
//! depends on the client's concurrency, on how many other streams there are, and on memory;
//! there is always one. When a lane would be idle, the rest of a range is split.

mod baseline;
mod measure;
pub(in crate::source) mod sizes;
mod survey;

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use dataverse_rows::{Members, Walked};

pub(in crate::source) use survey::{Survey, survey};

use super::keys::{Keys, KeysPage};
use super::page::{PageRequest, PageResponse};
use super::restart::{End, Restart};
use super::share::{Place, Share};
use super::start::{ListingResume, PagedResume, Start};
use crate::dataverse::{Client, Link, Prefer};
use crate::error::Error;
use crate::host::Host;
use crate::source::event::Operation;
use crate::source::kind::Listing;
use crate::source::output::Output;
use crate::source::position::{
    Cursor, LaterChanges, MarkColumn, Method, Phase, Position, Range, Ranges,
};
use crate::source::rejection;
use measure::{Measure, reached};

/// Where there can be more lanes than this, one is used for the baseline; where there cannot, the
/// baseline would delay the rows, and they come first.
const LANES_BESIDE_BASELINE: usize = 3;
/// Reads a listing in ranges.
pub(in crate::source) struct Ranged<H> {
    client: Client<H>,
    share: Rc<Share>,
    listing: Rc<Listing>,
    place: Place,
    members: Members,
    measure: Measure,
    state: Ranges,
    /// In the order of their requests.
    lanes: Vec<Lane<H>>,
    /// `None` once it has been read to its end.
    baseline: Option<Keys<H>>,
    /// About how many rows the baseline is behind the ranges.
    behind: i64,
    /// Whether the service has returned a page of a range before.
    is_proven: bool,
}

/// A page in flight.
struct Lane<H> {
    range: Range,
    /// How many rows were requested.
    rows: u32,
    page: PageRequest<H>,
}

/// A page that has arrived.
enum Arrival<H> {
    /// Of a range.
    Page(Lane<H>, PageResponse),
    /// Of the baseline.
    Baseline(KeysPage<H>),
}

/// How a read ends, if a page ends it.
type Step = Option<End<ListingResume>>;

impl<H: Host> Ranged<H> {
    /// Prepares to read what remains in ranges, with at most `max_page_rows` rows per page; nothing is
    /// requested yet. `is_resumed` says whether the service has returned pages of them before.
    ///
    /// # Errors
    /// When the ranges hold no usable link.
    pub(in crate::source) fn new(
        client: Client<H>,
        share: &Rc<Share>,
        listing: Rc<Listing>,
        ranges: Ranges,
        is_resumed: bool,
        max_page_rows: u32,
    ) -> Result<Self, Error> {
        let baseline = match &ranges.later {
            LaterChanges::Baseline {
                next, page_size, ..
            } => Some(Keys::resume(&client, &listing, next, *page_size)?),
            LaterChanges::Delta { .. } | LaterChanges::Versions { .. } => None,
        };
        Ok(Self {
            members: listing.members_watching(Some(MarkColumn::VersionNumber)),
            measure: Measure::new(&listing.plan, max_page_rows),
            share: Rc::clone(share),
            place: share.place(),
            client,
            listing,
            state: ranges,
            lanes: Vec::new(),
            baseline,
            behind: 0,
            is_proven: is_resumed,
        })
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// When the stream cannot be read further.
    pub(in crate::source) async fn run(
        mut self,
        output: &mut Output,
    ) -> Result<End<ListingResume>, Error> {
        let share = Rc::clone(&self.share);
        self.fill().await?;
        loop {
            output.flush().await;
            let arrival = poll_fn(|context| self.poll(context)).await;
            let _permit = share.permit().await;
            let step = match arrival {
                Arrival::Baseline(page) => self.accept_baseline(page, output).await?,
                Arrival::Page(lane, Ok(response)) => {
                    self.accept_page(lane, &response.body, output).await?
                }
                Arrival::Page(lane, Err(error)) => self.recover(&lane, error).await?,
            };
            if let Some(end) = step {
                return Ok(end);
            }
        }
    }

    /// Takes a page that has arrived.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Arrival<H>> {
        let arrived = self.lanes.iter_mut().enumerate().find_map(|(index, lane)| {
            match lane.page.poll(context) {
                Poll::Ready(response) => Some((index, response)),
                Poll::Pending => None,
            }
        });
        if let Some((index, response)) = arrived {
            return Poll::Ready(Arrival::Page(self.lanes.remove(index), response));
        }
        match &mut self.baseline {
            Some(baseline) => baseline.poll(context).map(Arrival::Baseline),
            None => Poll::Pending,
        }
    }

    async fn accept_page(
        &mut self,
        mut lane: Lane<H>,
        body: &[u8],
        output: &mut Output,
    ) -> Result<Step, Error> {
        let stream = self.listing.stream();
        let Some(walked) = lane.page.walk(&mut self.members, body, stream).await? else {
            self.lanes.push(lane);
            return Ok(None);
        };
        let Ok(reached) = reached(lane.range, &walked) else {
            return Ok(Some(self.restart_page_after_page().into()));
        };
        self.is_proven = true;
        let count = walked.pieces.iter().map(|piece| piece.count).sum();
        self.measure.note(body.len(), count);
        self.behind += i64::from(count);
        self.state.advance(lane.range, reached);
        let is_last = lane.range.is_open() && walked.next_link.is_none();
        if is_last {
            return self.finish(walked, output).map(Some);
        }
        if let Some(after) = reached.filter(|_| !lane.range.is_open()) {
            self.share_out(lane.range, after, count);
        }
        self.fill().await?;
        let position = Position::Ranged(self.state.clone());
        output.page(walked.pieces, self.operation(), &position)?;
        Ok(None)
    }

    /// Splits what remains of a range when there is more room than there are ranges waiting,
    /// and more to read than a page.
    fn share_out(&mut self, range: Range, after: i64, count: u32) {
        let rest = Range { after, ..range };
        let lanes = self.place.lanes(self.client.concurrency());
        let idle = lanes.saturating_sub(self.state.competing(rest));
        // Assumes that the rest has as many rows per version as this page.
        let read = u128::from(range.after.abs_diff(after)).max(1);
        let rows = u128::from(after.abs_diff(range.until)) * u128::from(count) / read;
        let pages = rows.div_ceil(self.rows_per_page().into());
        let parts = usize::try_from(pages).unwrap_or(usize::MAX).min(idle + 1);
        if parts > 1 {
            self.state.split(rest, parts);
        }
    }

    /// Ends the read after the last page of the tail.
    fn finish(&mut self, walked: Walked, output: &mut Output) -> Result<End<ListingResume>, Error> {
        let cursor = self.state.cursor();
        let position = match &cursor {
            Some(cursor) => Position::CaughtUp(cursor.clone()),
            None => Position::Ranged(self.state.left_for_later()),
        };
        output.page(walked.pieces, self.operation(), &position)?;
        Ok(match cursor {
            // What was changed or deleted meanwhile is read at once, which also shows that the
            // service accepts the link.
            Some(Cursor::Delta(delta)) => {
                let changes = ListingResume::Paged(PagedResume::Delta(delta));
                Restart::at(Start::Resume(changes)).into()
            }
            Some(Cursor::Watermark(_) | Cursor::Done { .. }) | None => {
                End::Complete(self.state.method())
            }
        })
    }

    /// Continues after the rejection of a page of rows, or returns a restart.
    async fn recover(&mut self, lane: &Lane<H>, error: Error) -> Result<Step, Error> {
        if rejection::needs_smaller_pages(&error) && lane.rows > 1 {
            self.measure.max_rows = self.measure.max_rows.min((lane.rows / 4).max(1));
            self.fill().await?;
            return Ok(None);
        }
        if rejection::needs_smaller_pages(&error) && error.fault.is_none() {
            // A row that is too large for one of many lanes may fit into the only one.
            let (link, prefer) = self.page(lane.range, lane.rows)?;
            self.client.get(&link, &prefer).await?;
        }
        if rejection::is_version_order_unsupported(&error)
            || (!self.is_proven && rejection::is_server_error(&error))
        {
            return Ok(Some(
                self.restart_page_after_page().because_of(error).into(),
            ));
        }
        Err(error)
    }

    /// The restart page after page, because the service does not read ranges as requested.
    fn restart_page_after_page(&self) -> Restart<ListingResume> {
        let method = match self.state.method() {
            method @ Method::Tracked { .. } => method,
            Method::Watermark { fallback, .. } => self.listing.untracked(fallback),
            Method::Full => Method::Full,
        };
        let reason = "The service does not read the table in ranges of versions.";
        Restart::at(Start::full(method, reason)).without_ranges()
    }

    /// Requests pages for as many lanes as there may be, at least one, and of the baseline beside
    /// them.
    async fn fill(&mut self) -> Result<(), Error> {
        let mut lanes = self.place.lanes(self.client.concurrency());
        let has_room_for_baseline = lanes > LANES_BESIDE_BASELINE;
        if let Some(baseline) = &mut self.baseline
            && has_room_for_baseline
            && self.client.spare_concurrency() > 0
        {
            baseline.request().await;
        }
        lanes -= usize::from(has_room_for_baseline && self.baseline.is_some());
        while self.lanes.is_empty()
            || (self.lanes.len() < lanes && self.client.spare_concurrency() > 0)
        {
            let Some(range) = self.next_range() else {
                break;
            };
            self.request(range).await?;
        }
        if let Some(baseline) = &mut self.baseline
            && self.lanes.is_empty()
        {
            baseline.request().await;
        }
        Ok(())
    }

    /// The next range without a lane, or the tail once there is no range. The widest is read first,
    /// so that none is left when the others are done; recent versions are read last.
    fn next_range(&self) -> Option<Range> {
        let has_lane = |range: Range| self.lanes.iter().any(|lane| lane.range == range);
        let idle = self
            .state
            .remaining
            .iter()
            .filter(|range| !has_lane(**range));
        if let Some(range) = idle.max_by_key(|range| self.state.precedence(**range)) {
            return Some(*range);
        }
        let is_tail_next = self.state.remaining.is_empty() && self.lanes.is_empty();
        (is_tail_next && !self.waits_for_baseline()).then(|| Range::above(self.state.tail))
    }

    /// Requests a page of a range.
    async fn request(&mut self, range: Range) -> Result<(), Error> {
        let rows = self.rows_per_page();
        let (link, prefer) = self.page(range, rows)?;
        let client = self.client.clone().with_max_body(self.place.page_bytes());
        let page = PageRequest::send(&client, &link, prefer).await;
        self.lanes.push(Lane { range, rows, page });
        Ok(())
    }

    /// The address and the preferences of a page of a range.
    fn page(&self, range: Range, rows: u32) -> Result<(Link, Prefer), Error> {
        let query = self.listing.range(range);
        let prefer = Prefer {
            track_changes: false,
            ..self.listing.prefer(self.state.method(), rows)
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
}
