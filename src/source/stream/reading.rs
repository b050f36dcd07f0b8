//! Reads one stream, from its opening to its end.

use std::rc::Rc;

use super::{Common, Waiting, opening, resume};
use crate::error::Error;
use crate::host::{Host, Started};
use crate::source::checkpoint::Checkpoint;
use crate::source::event::{ColumnChange, WarningText};
use crate::source::kind::{Listing, Plan, Queries, Source, plan};
use crate::source::output::{Output, Queue};
use crate::source::position::{Method, Position, QueryPosition, Ranges};
use crate::source::read::paged::Paged;
use crate::source::read::queried::Queried;
use crate::source::read::ranged::{Ranged, Survey, survey};
use crate::source::read::sweep::sweep;
use crate::source::read::{End, FullRead, ListingResume, PagedResume, Restart, Start, warnings};

/// How often a stream may start again in one sync because of an error.
const MAX_RESTARTS: u32 = 3;

/// Reads a stream from its opening to its end.
///
/// # Errors
/// Why the stream cannot be read further.
pub(super) async fn read<H: Host>(
    common: Common<H>,
    waiting: Waiting<H>,
    events: Rc<Queue>,
) -> Result<(), Error> {
    let fresh_at = waiting.fresh_at();
    let Waiting {
        selection,
        kind,
        binding,
        checkpoint,
    } = waiting;
    let opened = opening::open(&common.client, &*kind, &selection, fresh_at).await?;
    let (position, types) = match checkpoint {
        Some(Checkpoint { position, types }) => (Some(position), types),
        None => (None, None),
    };
    let limits = &common.client.settings().limits;
    let (page_size, allows_ranges) = (limits.page_size, limits.max_concurrency > 1);
    let shape = opened.shape;
    let (plan, source) = Plan::new(
        shape.table,
        shape.rows,
        binding,
        &selection,
        page_size,
        types.as_deref(),
    )?;
    let changes = types.map_or_else(Vec::new, |types| {
        plan::columns::changes(&types, &plan.types)
    });
    let mut reading = Reading {
        output: Output::new(Rc::clone(&plan), events),
        common,
        plan,
        restarts: 0,
        max_page_rows: u32::MAX,
        allows_ranges,
        has_read_ranges: false,
        sweeps: selection.sweep,
        is_warned: false,
    };
    match source {
        Source::Listing(listing) => {
            let start = resume::listing(position, &listing, &changes, opened.stale);
            reading.announce(changes, &opened.unreadable, shape.warnings);
            reading.read_listing(&listing, start).await?;
        }
        Source::Queries(queries) => {
            let start = resume::queries(position, &queries);
            let mut warnings = shape.warnings;
            warnings.extend(opening::files_not_read(&reading.plan));
            reading.announce(changes, &opened.unreadable, warnings);
            reading.read_queries(&queries, start).await?;
        }
    }
    reading.output.complete();
    Ok(())
}

/// An open stream, and the results of reads that had to start again.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and no two exclude each other"
)]
struct Reading<H> {
    common: Common<H>,
    plan: Rc<Plan>,
    output: Output,
    restarts: u32,
    /// Rows per page at most, after larger pages failed.
    max_page_rows: u32,
    /// Whether a full read may be divided into ranges.
    allows_ranges: bool,
    /// Whether one has been read in ranges to their end.
    has_read_ranges: bool,
    /// Whether the keys are read at the end, to find deletions.
    sweeps: bool,
    /// Whether the host has been warned that deletions cannot be seen.
    is_warned: bool,
}

impl<H: Host> Reading<H> {
    fn announce(
        &self,
        changes: Vec<ColumnChange>,
        unreadable: &[String],
        warnings: Vec<WarningText>,
    ) {
        opening::announce(&self.output, &self.plan, changes, unreadable, warnings);
    }

    /// Reads queries until they are complete.
    async fn read_queries(
        &mut self,
        queries: &Queries,
        mut start: Start<QueryPosition>,
    ) -> Result<(), Error> {
        loop {
            self.output.start_at(&start.position())?;
            let reader = Queried::new(
                self.common.client.clone(),
                Rc::clone(&self.common.share),
                Rc::clone(&self.plan),
                queries,
                &start,
                self.max_page_rows,
            );
            start.announce(&self.output);
            match reader.run(&mut self.output).await? {
                End::Complete(_) => return Ok(()),
                End::Restart(restart) => start = self.restart(*restart)?,
            }
        }
    }

    /// Reads a listing until it is complete, and then its keys for a sweep.
    async fn read_listing(
        &mut self,
        listing: &Rc<Listing>,
        mut start: Start<ListingResume>,
    ) -> Result<(), Error> {
        loop {
            let reader = self.reader(listing, &start).await?;
            start.announce(&self.output);
            let end = match reader {
                Reader::Paged(reader) => reader.run(&mut self.output).await?,
                Reader::Ranged(reader) => {
                    let end = reader.run(&mut self.output).await?;
                    // The ranges are read, and changes follow.
                    self.has_read_ranges |= matches!(
                        &end,
                        End::Restart(restart) if matches!(restart.start, Start::Resume(_))
                    );
                    end
                }
            };
            match end {
                End::Complete(method) => {
                    let sweeps = self.sweeps && !listing.is_append_only();
                    if sweeps && matches!(method, Method::Watermark { .. }) {
                        sweep(&self.common.client, listing, &mut self.output).await?;
                    }
                    return Ok(());
                }
                End::Restart(restart) => start = self.restart(*restart)?,
            }
        }
    }

    /// The reader for a start. A full read is divided into ranges if that is possible and faster.
    async fn reader(
        &mut self,
        listing: &Rc<Listing>,
        start: &Start<ListingResume>,
    ) -> Result<Reader<H>, Error> {
        let start = match start {
            Start::Full(full) => {
                if let Some(survey) = self.survey(listing, full).await? {
                    let method = survey.ranges.method();
                    if let Some(why) = survey.untracked {
                        let message = warnings::tracking_unavailable(listing.stream(), why, method);
                        self.output.warn("change-tracking-unavailable", message);
                        self.is_warned = true;
                    }
                    self.output.start_at(&Position::Start { method })?;
                    return self.ranged(listing, survey.ranges, false);
                }
                Start::Full(full.clone())
            }
            Start::Resume(ListingResume::Ranges(ranges)) => {
                self.output.start_at(&Position::Ranged(ranges.clone()))?;
                return self.ranged(listing, ranges.clone(), true);
            }
            Start::Resume(ListingResume::Paged(paged)) => Start::Resume(paged.clone()),
        };
        self.output.start_at(&start.position())?;
        self.warn_of_deletions(listing, start_method(&start));
        let reader = Paged::new(
            self.common.client.clone(),
            Rc::clone(&self.common.share),
            Rc::clone(listing),
            start,
            self.max_page_rows,
        )?;
        Ok(Reader::Paged(Box::new(reader)))
    }

    fn ranged(
        &mut self,
        listing: &Rc<Listing>,
        ranges: Ranges,
        is_resumed: bool,
    ) -> Result<Reader<H>, Error> {
        self.warn_of_deletions(listing, ranges.method());
        let reader = Ranged::new(
            self.common.client.clone(),
            &self.common.share,
            Rc::clone(listing),
            ranges,
            is_resumed,
            self.max_page_rows,
        )?;
        Ok(Reader::Ranged(Box::new(reader)))
    }

    /// The ranges of a full read, if it is divided.
    async fn survey(
        &self,
        listing: &Rc<Listing>,
        full: &FullRead,
    ) -> Result<Option<Survey>, Error> {
        let starts_anew = matches!(full.from, Position::Start { .. });
        if !(self.allows_ranges && starts_anew && listing.is_divisible()) {
            return Ok(None);
        }
        let Common { client, sizes, .. } = self.common.clone();
        let listing = Rc::clone(listing);
        let survey = survey(client, listing, sizes, full.method, self.max_page_rows);
        // In flight while the host takes the events so far.
        let survey = Started::new(survey).await;
        self.output.flush().await;
        survey.await
    }

    /// Where the stream starts again, unless that has happened too often.
    fn restart<R>(&mut self, restart: Restart<R>) -> Result<Start<R>, Error> {
        if let Some(cause) = restart.cause {
            if self.restarts >= MAX_RESTARTS {
                return Err(cause);
            }
            self.restarts += 1;
            // The link that another read in ranges leads to would fail the same way.
            self.allows_ranges &= !self.has_read_ranges;
        }
        if let Some((id, message)) = restart.warning {
            self.output.warn(id, message);
            self.is_warned = true;
        }
        let max_page_rows = restart.max_page_rows.unwrap_or(u32::MAX);
        self.max_page_rows = self.max_page_rows.min(max_page_rows);
        self.allows_ranges &= restart.allows_ranges;
        Ok(restart.start)
    }

    /// Warns once that deletions cannot be seen, if they cannot.
    fn warn_of_deletions(&mut self, listing: &Listing, method: Method) {
        let is_watermark = matches!(method, Method::Watermark { .. });
        if is_watermark && !self.is_warned && !self.sweeps && !listing.is_append_only() {
            self.is_warned = true;
            let message = warnings::deletions_not_observable(
                listing.stream(),
                method,
                listing.has_condition(),
            );
            self.output.warn("deletions-not-observable", message);
        }
    }
}

/// A reader of a listing.
enum Reader<H> {
    Paged(Box<Paged<H>>),
    Ranged(Box<Ranged<H>>),
}

fn start_method(start: &Start<PagedResume>) -> Method {
    match start {
        Start::Full(full) => full.method,
        Start::Resume(PagedResume::Page(page)) => page.method,
        Start::Resume(PagedResume::Delta(delta)) => Method::Tracked { plain: delta.plain },
        Start::Resume(PagedResume::Watermark(watermark)) => Method::Watermark {
            column: watermark.column,
            fallback: watermark.fallback,
        },
    }
}
