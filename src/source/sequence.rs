//! A run of pages: where it begins, and how its pages are asked for.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use dataverse_rows::Malformed;

use super::checkpoint::{self, Cursor, Method, Midway, Phase, Position};
use super::event::{Event, Reset};
use super::plan::Plan;
use super::watermark;
use crate::dataverse::{Client, Link, Prefer, Response};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Started};

/// How often a page is asked for whose body cannot be read.
pub(super) const BODY_ATTEMPTS: u32 = 4;

/// What comes of a request for a page.
pub(super) type Answered = Result<Response, Error>;

/// A run of pages that lead from one to the next.
pub(super) struct Sequence {
    pub(super) method: Method,
    pub(super) phase: Phase,
    pub(super) page_size: u32,
    pub(super) newest: Option<watermark::Mark>,
    /// When it began, in seconds since 1970, if that is known.
    pub(super) began: Option<u64>,
    /// Where it began; none if that was in an earlier sync.
    pub(super) start: Option<Position>,
    /// Whether the request in flight follows a link from the service.
    pub(super) follows_link: bool,
    /// The links so far.
    pub(super) chain: Chain,
    pub(super) empty_pages: u32,
}

/// Notices in constant memory when links lead in a circle (Brent's algorithm): each link is
/// held against one that was kept, and each kept one stays for twice as long as the one before.
#[derive(Debug, Default)]
pub(super) struct Chain {
    kept: Option<u64>,
    length: u64,
}

impl Chain {
    /// Adds a link. Returns whether it closes a circle; none is noticed in its first round, and
    /// every one before three times as many links have come as led to its end.
    pub(super) fn closes_with(&mut self, link: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        link.hash(&mut hasher);
        let link = hasher.finish();
        let closes = self.kept == Some(link);
        self.length += 1;
        if self.length.is_power_of_two() {
            self.kept = Some(link);
        }
        closes
    }
}

/// Where to begin, and why from the beginning if so.
pub(super) struct Start {
    pub(super) position: Position,
    pub(super) reason: String,
}

impl Start {
    /// Where an earlier read, or an earlier part of this one, has come to.
    pub(super) fn at(position: Position) -> Self {
        Self {
            position,
            reason: String::new(),
        }
    }
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

/// For people: changes of a table are not tracked after all.
pub(super) fn tracking_unavailable(table: &str, why: &str, method: Method) -> String {
    format!(
        "Changes of {table} are not tracked: {why}. {} Once that is mended, start the stream \
         without its checkpoint.",
        untracked_consequence(method)
    )
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
        began: Some(client.host().unix_time().as_secs()),
        start: Some(position.clone()),
        follows_link: false,
        chain: Chain::default(),
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
            began,
        }) => {
            sequence = Sequence {
                method,
                phase,
                page_size,
                newest,
                began,
                start: None,
                follows_link: true,
                ..sequence
            };
            client.link(&checkpoint::absolute(client, &next))?
        }
        Position::CaughtUp(Cursor::Delta { link, plain, .. }) => {
            sequence.method = Method::Tracked { plain };
            sequence.phase = Phase::Changes;
            sequence.follows_link = true;
            client.link(&checkpoint::absolute(client, &link))?
        }
        Position::CaughtUp(Cursor::Newest {
            column,
            fallback,
            mark,
            ..
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
        // Page after page there is no way to go on between ranges.
        Position::Ranged(ranges) => {
            sequence.method = ranges.method();
            sequence.start = Some(Position::Beginning {
                method: sequence.method,
            });
            client.resource(plan.snapshot(sequence.method).as_str())?
        }
        // Queries are read elsewhere.
        Position::CaughtUp(Cursor::Done { .. }) | Position::Fetched(_) => {
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
    link: &Link,
    prefer: Prefer,
    attempts: u32,
) -> Started<Answered> {
    let client = client.clone();
    let link = link.clone();
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

/// A page came too often in a form that cannot be read.
pub(super) fn unreadable(table: &str, malformed: &Malformed) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!(
            "a page of {table} came {BODY_ATTEMPTS} times in a form that cannot be read: \
             {malformed}; check any proxy between, or try again later"
        ),
    )
}

/// The links of a table's pages lead in a circle.
pub(super) fn circle(table: &str) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!(
            "the service leads in a circle: a page of {table} names as the next one a page that \
             has been read already; try again later"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_circle_is_noticed_and_no_straight_line() {
        let mut straight = Chain::default();
        assert!((0..5_000).all(|n| !straight.closes_with(&n.to_string())));
        for lead in 0..40 {
            for length in 1..40 {
                let mut chain = Chain::default();
                let links = (0..lead).chain((lead..lead + length).cycle());
                let noticed = links
                    .take(lead + 200)
                    .position(|n| chain.closes_with(&n.to_string()))
                    .unwrap();
                assert!(noticed <= 3 * (lead + length), "{lead} {length}: {noticed}");
            }
        }
    }
}
