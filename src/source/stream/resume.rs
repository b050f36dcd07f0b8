//! Where the read of a stream starts: from its checkpoint, or at the first row for a reason.

use crate::source::event::{Change, ColumnChange};
use crate::source::kind::{Listing, Queries};
use crate::source::position::{Cursor, Delta, Method, Position, QueryPosition};
use crate::source::read::{FullRead, ListingResume, PagedResume, Start};

const FIRST_TIME: &str = "The stream is read for the first time.";
const INTERRUPTED: &str = "The last full read was interrupted before its first page was complete.";
const NO_CHANGES: &str = "The service offers no way to find changes of the stream.";
const OTHER_METHOD: &str = "The checkpoint was made by another method of reading.";

/// Where the read of a listing starts. `changes` are those of its columns, `stale` is why its
/// change token can no longer be used.
pub(super) fn listing(
    position: Option<Position>,
    listing: &Listing,
    changes: &[ColumnChange],
    stale: Option<String>,
) -> Start<ListingResume> {
    let best = listing.method();
    let Some(position) = position else {
        return Start::full(best, FIRST_TIME);
    };
    match position {
        Position::Start { method } => Start::full(method, INTERRUPTED),
        Position::Paged(page) => Start::Resume(ListingResume::Paged(PagedResume::Page(page))),
        Position::Ranged(ranges) => Start::Resume(ListingResume::Ranges(ranges)),
        Position::CaughtUp(Cursor::Delta(delta)) => match stale {
            Some(reason) => Start::full(best, reason),
            None => Start::Resume(ListingResume::Paged(PagedResume::Delta(Delta {
                link: still_valid(delta.link, listing, changes),
                ..delta
            }))),
        },
        Position::CaughtUp(Cursor::Watermark(watermark))
            if !watermark.fallback && matches!(best, Method::Tracked { .. }) =>
        {
            Start::full(best, "The service now tracks changes of the table.")
        }
        Position::CaughtUp(Cursor::Watermark(watermark)) => {
            Start::Resume(ListingResume::Paged(PagedResume::Watermark(watermark)))
        }
        Position::CaughtUp(Cursor::Done { .. }) => full_read_again(best, position),
        Position::Queried(_) => Start::full(best, OTHER_METHOD),
    }
}

/// Where the read of queries starts.
pub(super) fn queries(position: Option<Position>, queries: &Queries) -> Start<QueryPosition> {
    match position {
        None => Start::full(Method::Full, FIRST_TIME),
        Some(Position::Start { .. }) => Start::full(Method::Full, INTERRUPTED),
        Some(Position::Queried(at)) if queries.starting_at(&at.query).is_some() => {
            Start::Resume(at)
        }
        Some(from @ Position::Queried(_)) => Start::Full(FullRead {
            method: Method::Full,
            from,
            reason: "The query has changed.".to_owned(),
        }),
        Some(position @ Position::CaughtUp(Cursor::Done { .. })) => {
            full_read_again(Method::Full, position)
        }
        Some(
            Position::Paged(_)
            | Position::Ranged(_)
            | Position::CaughtUp(Cursor::Delta(_) | Cursor::Watermark(_)),
        ) => Start::full(Method::Full, OTHER_METHOD),
    }
}

/// Another full read. Until its first page is complete, the end of the last one stays the
/// position in checkpoints.
fn full_read_again<R>(method: Method, from: Position) -> Start<R> {
    Start::Full(FullRead {
        method,
        from,
        reason: NO_CHANGES.to_owned(),
    })
}

/// The delta link, without columns that no longer exist by these names.
fn still_valid(link: String, listing: &Listing, changes: &[ColumnChange]) -> String {
    let has_lost_names = changes.iter().any(|change| change.change != Change::Added);
    if has_lost_names && listing.plan.binding.columns.is_some() {
        listing.changes_by_token(&link).unwrap_or(link)
    } else {
        link
    }
}
