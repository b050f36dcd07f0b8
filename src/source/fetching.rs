//! Reads a stream of queries in `FetchXML`, page after page (reference §4.13).
//!
//! There are no links to follow: each page is asked for by its number, and behind the cookie
//! of the page before where the service gives one.

use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use dataverse_rows::{Members, Piece, Walked, walk};

use super::checkpoint::{Cursor, Fetched, Method, Position};
use super::event::{Event, Operation, Reset, Warning};
use super::output::Output;
use super::plan::{MAX_PAGE_SIZE, Plan};
use super::queries::{Asked, Membership, list_left_out};
use super::sequence::{Answered, BODY_ATTEMPTS, Start, circle, request, unreadable};
use super::step::{Again, Step};
use super::tracked;
use crate::dataverse::fetch::{Extent, Fetch, MOST_WITHOUT_COOKIE, next_cookie};
use crate::dataverse::{Annotations, Client, Prefer};
use crate::error::{Error, ErrorKind, Recovery};
use crate::host::{Host, Started};

/// Reads one stream of queries.
pub(super) struct Fetching<H> {
    client: Client<H>,
    plan: Rc<Plan>,
    output: Output,
    sizes: Sizes,
    /// Which of the queries is being read.
    index: usize,
    /// The page that is on its way.
    at: Fetched,
    answer: Started<Answered>,
    attempts: u32,
}

/// Rows per page.
#[derive(Clone, Copy)]
struct Sizes {
    usual: u32,
    /// What the service and the host bear.
    most: u32,
}

impl<H: Host> Fetching<H> {
    /// Sets out from a position, with so many rows per page at most. The first request is on
    /// its way when this returns.
    ///
    /// # Errors
    /// When there is no address for it.
    pub(super) async fn start(
        client: Client<H>,
        plan: Rc<Plan>,
        start: Start,
        page_size: u32,
        events: &mut VecDeque<Event>,
    ) -> Result<Self, Error> {
        let output = Output::new(Rc::clone(&plan), &start.position)?;
        let sizes = Sizes {
            usual: plan.page_size().min(page_size),
            most: MAX_PAGE_SIZE.min(page_size),
        };
        let resumed = match start.position {
            Position::Fetched(at) => plan
                .queries
                .iter()
                .position(|query| query.name == at.query)
                .map(|index| (index, at)),
            _ => None,
        };
        let (index, at) = resumed.unwrap_or_else(|| {
            let reason = if start.reason.is_empty() {
                "The query is another one than before.".to_owned()
            } else {
                start.reason
            };
            events.push_back(Event::Reset(Reset {
                stream: plan.table.name.clone(),
                reason,
            }));
            (0, first_page(&plan, 0, sizes))
        });
        let answer = ask(&client, &plan, index, &at, 0).await?;
        Ok(Self {
            client,
            plan,
            output,
            sizes,
            index,
            at,
            answer,
            attempts: 1,
        })
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
        let Some(query) = self.plan.queries.get(self.index) else {
            return Ok(Step::Complete);
        };
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => return self.recover(error, events).await,
        };
        let mut members = members(&self.plan, query, self.at.rows);
        let walked = match walk(&mut members, &answer.body) {
            Ok(walked) => walked,
            Err(_) if self.attempts < BODY_ATTEMPTS => {
                self.ask(self.attempts).await?;
                return Ok(Step::Going);
            }
            Err(malformed) => return Err(unreadable(&self.plan.table.name, &malformed)),
        };
        drop(answer);
        let next = self.next(query, &walked)?;
        let pieces: Vec<Piece> = match &query.membership {
            None => walked.pieces,
            Some(membership) => walked
                .pieces
                .into_iter()
                .map(|piece| membership.write(&piece, self.plan.binding.labels))
                .collect(),
        };
        self.go_on(next, pieces, events).await
    }

    /// Hands out a page, with the next one on its way.
    async fn go_on(
        &mut self,
        next: Option<Fetched>,
        pieces: Vec<Piece>,
        events: &mut VecDeque<Event>,
    ) -> Result<Step, Error> {
        let next = next.or_else(|| {
            self.index += 1;
            let is_there = self.index < self.plan.queries.len();
            is_there.then(|| first_page(&self.plan, self.index, self.sizes))
        });
        let (position, step) = if let Some(next) = next {
            self.at = next.clone();
            self.ask(0).await?;
            (Position::Fetched(next), Step::Going)
        } else {
            let at = self.client.host().unix_time().as_millis();
            let at = u64::try_from(at).unwrap_or(u64::MAX);
            (Position::CaughtUp(Cursor::Done { at }), Step::Complete)
        };
        self.output
            .page(pieces, Operation::Snapshot, &position, events)?;
        Ok(step)
    }

    async fn ask(&mut self, attempts: u32) -> Result<(), Error> {
        self.answer = ask(&self.client, &self.plan, self.index, &self.at, attempts).await?;
        self.attempts = attempts + 1;
        Ok(())
    }

    /// The next page of the same query, if there is one.
    fn next(&self, query: &Asked, walked: &Walked) -> Result<Option<Fetched>, Error> {
        let stream = &self.plan.table.name;
        let count: u32 = walked.pieces.iter().map(|piece| piece.count).sum();
        // Some services do not say so, and some have smaller pages than were asked for.
        let more = walked.more.unwrap_or(
            count >= self.at.page_size
                || (count > 0 && (walked.paging_cookie.is_some() || walked.next_link.is_some())),
        );
        if !more || query.fetch.extent == Extent::Top {
            return Ok(None);
        }
        if query.fetch.is_distinct && !query.fetch.is_ordered {
            let message = format!(
                "{stream} has more than one page of rows that are distinct and in no order, so \
                 that pages could overlap; give the query an order"
            );
            return Err(Error::new(ErrorKind::InvalidData, message));
        }
        if count == 0 {
            return Err(circle(stream));
        }
        let cookie = walked.paging_cookie.as_deref().and_then(next_cookie);
        let reached = (u64::from(self.at.page) + 1) * u64::from(self.at.page_size);
        if cookie.is_none() && reached > MOST_WITHOUT_COOKIE {
            let message = format!(
                "the service pages through the query of {stream} without cookies, and so reaches \
                 {MOST_WITHOUT_COOKIE} rows and no further; order it by columns of its first \
                 table, or narrow it"
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        Ok(Some(Fetched {
            query: self.at.query.clone(),
            page: self.at.page + 1,
            page_size: self.at.page_size,
            rows: self.at.rows + u64::from(count),
            cookie,
        }))
    }

    /// Tries what can be tried after a refusal.
    async fn recover(&mut self, error: Error, events: &mut VecDeque<Event>) -> Result<Step, Error> {
        let again = |reason: String| {
            Again::from(Start {
                position: Position::Beginning {
                    method: Method::Full,
                },
                reason,
            })
        };
        if error.recovery == Some(Recovery::SmallerPages) && self.at.page_size > 1 {
            let reason = "The pages were too large for the service or the host.";
            return Ok(again(reason.to_owned())
                .with_smaller_pages(self.at.page_size)
                .into());
        }
        if tracked::is_refused(&error) && self.at.page > 1 {
            let reason = format!(
                "The service no longer knows where this stream was ({}).",
                error.message
            );
            return Ok(again(reason).because_of(error).into());
        }
        let is_of_list = tracked::is_refused(&error) || error.kind == ErrorKind::Forbidden;
        if is_of_list && self.index > 0 {
            // The query of one list; those of the others may be in order.
            let (id, message) = list_left_out(&self.at.query, &error);
            events.push_back(Event::Warning(Warning {
                stream: Some(self.plan.table.name.clone()),
                id: id.to_owned(),
                message,
            }));
            return self.go_on(None, Vec::new(), events).await;
        }
        Err(error)
    }
}

fn first_page(plan: &Plan, index: usize, sizes: Sizes) -> Fetched {
    let mut at = Fetched {
        query: String::new(),
        page: 1,
        page_size: sizes.usual,
        rows: 0,
        cookie: None,
    };
    if let Some(query) = plan.queries.get(index) {
        at.query.clone_from(&query.name);
        at.page_size = match query.fetch.count {
            // Of rows in no order it is best to have all at once.
            None if is_unordered(&query.fetch) => sizes.most,
            None => sizes.usual,
            Some(count) => count.clamp(1, sizes.usual),
        };
    }
    at
}

/// Whether nothing says in which order its rows come; of rows of a table their key does.
fn is_unordered(fetch: &Fetch) -> bool {
    (fetch.is_distinct || fetch.is_aggregate) && !fetch.is_ordered
}

async fn ask<H: Host>(
    client: &Client<H>,
    plan: &Plan,
    index: usize,
    at: &Fetched,
    attempts: u32,
) -> Result<Started<Answered>, Error> {
    let Some(query) = plan.queries.get(index) else {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("{} has no query; leave it out", plan.table.name),
        ));
    };
    let Fetched {
        page,
        page_size,
        cookie,
        ..
    } = at;
    let address = query
        .fetch
        .address(&query.entity_set, *page, *page_size, cookie.as_deref());
    let link = client.resource(address.as_str())?;
    // To which table a member belongs only annotations tell.
    let is_static = query.membership.as_ref().is_some_and(Membership::is_static);
    let prefer = Prefer {
        annotations: if plan.binding.labels || is_static {
            Annotations::Labels
        } else {
            Annotations::None
        },
        paging_cookie: true,
        ..Prefer::default()
    };
    Ok(request(client, &link, prefer, attempts).await)
}

/// How the members of a query's rows are named.
fn members(plan: &Plan, query: &Asked, before: u64) -> Members {
    match &query.membership {
        None => plan.members_of_query(before),
        Some(membership) if membership.is_static() => plan.members_of_lists(),
        Some(membership) => Members::new(&membership.key, &[], Some(&[]), false, None),
    }
}
