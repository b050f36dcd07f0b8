//! A run of pages: where it begins, and how its pages are asked for.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use super::checkpoint::{self, Cursor, Method, Midway, Phase, Position};
use super::event::{Event, Reset};
use super::plan::Plan;
use super::watermark;
use crate::dataverse::{Answer, Client, Link};
use crate::error::Error;
use crate::host::{Host, Started};

/// What comes of a request for a page.
pub(super) type Answered = Result<Answer, Error>;

/// A run of pages that lead from one to the next.
pub(super) struct Sequence {
    pub(super) method: Method,
    pub(super) phase: Phase,
    pub(super) page_size: u32,
    pub(super) newest: Option<watermark::Mark>,
    /// Where it began; none if that was in an earlier sync.
    pub(super) start: Option<Position>,
    /// Whether the request in flight follows a link from the service.
    pub(super) follows_link: bool,
    /// The links so far, hashed.
    pub(super) links: HashSet<u64>,
    pub(super) empty_pages: u32,
}

/// Where to begin, and why from the beginning if so.
pub(super) struct Start {
    pub(super) position: Position,
    pub(super) reason: String,
}

/// What it means to read a stream that way.
pub(super) fn untracked_consequence(method: Method) -> String {
    match method {
        Method::Watermark { column, .. } => format!(
            "New and changed rows are found by {}; deletions are not observable.",
            column.name()
        ),
        Method::Tracked { .. } | Method::Full => "Every sync reads all rows again.".to_owned(),
    }
}

/// The sequence of pages that begins at a position, and its first link.
pub(super) fn begin<H: Host>(
    client: &Client<H>,
    plan: &Plan,
    start: Start,
    page_size: u32,
    events: &mut VecDeque<Event>,
) -> Result<(Sequence, Link), Error> {
    let Start { position, reason } = start;
    let mut sequence = Sequence {
        method: plan.method(),
        phase: Phase::Snapshot,
        page_size,
        newest: None,
        start: Some(position.clone()),
        follows_link: false,
        links: HashSet::new(),
        empty_pages: 0,
    };
    let link = match position {
        Position::Beginning { method } => {
            sequence.method = method;
            client.resource(plan.snapshot(method).as_str())?
        }
        Position::Midway(Midway {
            method,
            phase,
            next,
            page_size,
            newest,
        }) => {
            sequence = Sequence {
                method,
                phase,
                page_size,
                newest,
                start: None,
                follows_link: true,
                ..sequence
            };
            client.link(&checkpoint::absolute(client, &next))?
        }
        Position::CaughtUp(Cursor::Delta { link, plain }) => {
            sequence.method = Method::Tracked { plain };
            sequence.phase = Phase::Changes;
            sequence.follows_link = true;
            client.link(&checkpoint::absolute(client, &link))?
        }
        Position::CaughtUp(Cursor::Newest {
            column,
            fallback,
            mark,
        }) => {
            sequence.method = Method::Watermark { column, fallback };
            sequence.phase = Phase::Changes;
            sequence.newest = mark;
            let query = match mark {
                Some(mark) => watermark::changes(plan, column, mark),
                // The table was empty; whatever is there now has changed.
                None => watermark::snapshot(plan, column),
            };
            client.resource(query.as_str())?
        }
        Position::CaughtUp(Cursor::Done { .. }) => {
            sequence.start = Some(Position::Beginning {
                method: sequence.method,
            });
            client.resource(plan.snapshot(sequence.method).as_str())?
        }
    };
    if let (Phase::Snapshot, Some(_)) = (sequence.phase, &sequence.start) {
        events.push_back(Event::Reset(Reset {
            stream: plan.table.name.clone(),
            reason,
        }));
    }
    Ok((sequence, link))
}

/// Asks for a page. After `attempts` bad answers it waits a little first.
pub(super) async fn request<H: Host>(
    client: &Client<H>,
    plan: &Plan,
    sequence: &Sequence,
    link: &Link,
    attempts: u32,
) -> Started<Answered> {
    let client = client.clone();
    let link = link.clone();
    let prefer = plan.prefer(sequence.method, sequence.page_size);
    Started::new(async move {
        if attempts > 0 {
            client
                .host()
                .sleep(Duration::from_secs(1 << attempts.min(5)))
                .await;
        }
        client.get(&link, &prefer).await
    })
    .await
}
