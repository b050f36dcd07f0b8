//! Where a stream begins: from a checkpoint, or from its beginning for a reason.

use super::checkpoint::{Cursor, Method, Position, Stop};
use super::event::{Change, ColumnChange};
use super::plan::Plan;
use super::sequence::Start;
use super::tracked;

/// Where the stream begins. `changes` are those of its columns, `stale` tells why its change
/// token is of no use any more.
pub(super) fn start(
    resume: Option<Stop>,
    plan: &Plan,
    changes: &[ColumnChange],
    stale: Option<String>,
) -> Start {
    let best = plan.method();
    let beginning = |reason: &str| Start {
        position: Position::Beginning { method: best },
        reason: reason.to_owned(),
    };
    let Some(Stop { position, .. }) = resume else {
        return beginning("The stream is read for the first time.");
    };
    match position {
        Position::Beginning { method } => Start {
            position: Position::Beginning { method },
            reason: "The last full read was interrupted before its first page was complete."
                .to_owned(),
        },
        Position::CaughtUp(Cursor::Newest {
            fallback: false, ..
        }) if matches!(best, Method::Tracked { .. }) => {
            beginning("The service has begun to track changes of the table.")
        }
        Position::CaughtUp(Cursor::Delta { link, plain, at }) => match stale {
            Some(reason) => beginning(&reason),
            None => Start::at(Position::CaughtUp(Cursor::Delta {
                link: still_valid(link, plan, changes),
                plain,
                at,
            })),
        },
        Position::CaughtUp(Cursor::Done { .. }) => Start {
            position,
            reason: "The service offers no way to find changes of the stream.".to_owned(),
        },
        position => Start::at(position),
    }
}

/// The delta link, without columns that the service no longer knows by these names.
fn still_valid(link: String, plan: &Plan, changes: &[ColumnChange]) -> String {
    let names_others = changes.iter().any(|change| change.change != Change::Added);
    if names_others && plan.binding.columns.is_some() {
        tracked::changes(plan, &link).unwrap_or(link)
    } else {
        link
    }
}
