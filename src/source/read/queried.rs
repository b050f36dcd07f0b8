//! Reads the queries of a stream in `FetchXML`, page after page (reference §4.13).
//!
//! There are no links to follow: each page is requested by its number, and by the cookie of the
//! page before where the service gives one.

use std::collections::VecDeque;
use std::rc::Rc;

use dataverse_rows::Walked;

use super::page::{PageRequest, paging_loop};
use super::restart::{End, PAGES_TOO_LARGE, Restart, place_lost};
use super::share::Share;
use super::start::Start;
use crate::dataverse::Client;
use crate::dataverse::fetch::{Extent, MOST_WITHOUT_COOKIE, next_cookie};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::source::event::Operation;
use crate::source::kind::{FetchQuery, MAX_PAGE_SIZE, Plan, Queries, list_unreadable};
use crate::source::output::Output;
use crate::source::position::{Cursor, Method, Position, QueryPosition};
use crate::source::rejection;

/// Reads the queries of one stream.
pub(in crate::source) struct Queried<H> {
    client: Client<H>,
    share: Rc<Share>,
    plan: Rc<Plan>,
    page_sizes: PageSizes,
    /// The query that is being read.
    query: Rc<FetchQuery>,
    /// Those that are read after it.
    rest: VecDeque<Rc<FetchQuery>>,
    /// The page that is in flight.
    at: QueryPosition,
}

/// Rows per page.
#[derive(Clone, Copy)]
struct PageSizes {
    usual: u32,
    /// The most that the service and the host can handle.
    max: u32,
}

impl<H: Host> Queried<H> {
    /// Prepares a read of the queries with at most `max_page_rows` rows per page; nothing is requested
    /// yet.
    pub(in crate::source) fn new(
        client: Client<H>,
        share: Rc<Share>,
        plan: Rc<Plan>,
        queries: &Queries,
        start: &Start<QueryPosition>,
        max_page_rows: u32,
    ) -> Self {
        let page_sizes = PageSizes {
            usual: plan.page_size().min(max_page_rows),
            max: MAX_PAGE_SIZE.min(max_page_rows),
        };
        let resumed = match start {
            Start::Full(_) => None,
            Start::Resume(at) => queries
                .starting_at(&at.query)
                .map(|rest| (rest, at.clone())),
        };
        let (queries, at) =
            resumed.unwrap_or_else(|| (queries.clone(), first_page(&queries.first, page_sizes)));
        Self {
            client,
            share,
            plan,
            page_sizes,
            query: queries.first,
            rest: queries.rest.into(),
            at,
        }
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// When the stream cannot be read further.
    pub(in crate::source) async fn run(
        mut self,
        output: &mut Output,
    ) -> Result<End<QueryPosition>, Error> {
        let share = Rc::clone(&self.share);
        let mut page = self.request().await?;
        loop {
            output.flush().await;
            let response = page.response().await;
            let _permit = share.permit().await;
            let (next, pieces) = match response {
                Ok(response) => {
                    let mut members = self.query.members(&self.plan, self.at.rows);
                    let stream = self.plan.stream();
                    let walked = page.walk(&mut members, &response.body, stream).await?;
                    let Some(walked) = walked else { continue };
                    drop(response);
                    let next = self.next_page(&walked)?;
                    (next, self.query.finish(walked.pieces, &self.plan))
                }
                // The other queries may be valid.
                Err(error) if self.can_skip(&error) => {
                    let (id, message) = list_unreadable(&self.query.name, &error);
                    output.warn(id, message);
                    (None, Vec::new())
                }
                Err(error) => return self.recover(error).map(End::from),
            };
            if !self.advance_to(next) {
                let at = self.client.host().unix_time().as_millis();
                let at = u64::try_from(at).unwrap_or(u64::MAX);
                let position = Position::CaughtUp(Cursor::Done { at });
                output.page(pieces, Operation::Snapshot, &position)?;
                return Ok(End::Complete(Method::Full));
            }
            page = self.request().await?;
            let position = Position::Queried(self.at.clone());
            output.page(pieces, Operation::Snapshot, &position)?;
        }
    }

    async fn request(&self) -> Result<PageRequest<H>, Error> {
        let address = self.query.fetch.address(
            &self.query.entity_set,
            self.at.page,
            self.at.page_size,
            self.at.cookie.as_deref(),
        );
        let link = self.client.resource(address.as_str())?;
        let prefer = self.query.prefer(&self.plan);
        Ok(PageRequest::send(&self.client, &link, prefer).await)
    }

    /// Advances to a page of the same query, or else to the first page of the next query. Returns
    /// whether there is one.
    fn advance_to(&mut self, next: Option<QueryPosition>) -> bool {
        if let Some(next) = next {
            self.at = next;
            return true;
        }
        let Some(query) = self.rest.pop_front() else {
            return false;
        };
        self.at = first_page(&query, self.page_sizes);
        self.query = query;
        true
    }

    /// The next page of the same query, if there is one.
    fn next_page(&self, walked: &Walked) -> Result<Option<QueryPosition>, Error> {
        let stream = self.plan.stream();
        let fetch = &self.query.fetch;
        let count: u32 = walked.pieces.iter().map(|piece| piece.count).sum();
        // Some services do not say, and some return smaller pages than requested.
        let more = walked.more.unwrap_or(
            count >= self.at.page_size
                || (count > 0 && (walked.paging_cookie.is_some() || walked.next_link.is_some())),
        );
        if !more || fetch.extent == Extent::Top {
            return Ok(None);
        }
        if fetch.is_distinct && !fetch.is_ordered {
            let message = format!(
                "cannot read {stream}: it has more than one page of distinct rows without an \
                order, so pages could overlap; add an order to the query"
            );
            return Err(Error::new(ErrorKind::InvalidData, message));
        }
        if count == 0 {
            return Err(paging_loop(stream));
        }
        let cookie = walked.paging_cookie.as_deref().and_then(next_cookie);
        let reached = (u64::from(self.at.page) + 1) * u64::from(self.at.page_size);
        if cookie.is_none() && reached > MOST_WITHOUT_COOKIE {
            let message = format!(
                "cannot read {stream}: the service returns no paging cookie, so no more than \
                {MOST_WITHOUT_COOKIE} rows can be read; order the query by columns of its first \
                table, or make it return fewer rows"
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        Ok(Some(QueryPosition {
            query: self.at.query.clone(),
            page: self.at.page + 1,
            page_size: self.at.page_size,
            rows: self.at.rows + u64::from(count),
            cookie,
        }))
    }

    /// Whether the current query is left out after a rejection.
    fn can_skip(&self, error: &Error) -> bool {
        let is_rejected = rejection::is_permanent(error) || error.kind == ErrorKind::Forbidden;
        self.query.is_optional()
            && is_rejected
            && !self.needs_smaller_pages(error)
            && !self.is_place_lost(error)
    }

    /// The restart after a rejection, or the error if there is none.
    fn recover(&self, error: Error) -> Result<Restart<QueryPosition>, Error> {
        if self.needs_smaller_pages(&error) {
            let start = Start::full(Method::Full, PAGES_TOO_LARGE);
            return Ok(Restart::at(start).with_smaller_pages(self.at.page_size));
        }
        if self.is_place_lost(&error) {
            let start = Start::full(Method::Full, place_lost(&error));
            return Ok(Restart::at(start).because_of(error));
        }
        Err(error)
    }

    fn needs_smaller_pages(&self, error: &Error) -> bool {
        rejection::needs_smaller_pages(error) && self.at.page_size > 1
    }

    fn is_place_lost(&self, error: &Error) -> bool {
        rejection::is_permanent(error) && self.at.page > 1
    }
}

fn first_page(query: &FetchQuery, page_sizes: PageSizes) -> QueryPosition {
    QueryPosition {
        query: query.name.clone(),
        page: 1,
        page_size: match query.fetch.count {
            // Rows in no order are best read all at once.
            None if query.is_unordered() => page_sizes.max,
            None => page_sizes.usual,
            Some(count) => count.clamp(1, page_sizes.usual),
        },
        rows: 0,
        cookie: None,
    }
}
