//! What can be tried when a page does not come, or not as it should.

use super::Reader;
use crate::error::{Error, ErrorKind, Recovery};
use crate::host::Host;
use crate::source::checkpoint::{Cursor, Method, Phase, Position};
use crate::source::sequence::{Sequence, Start, tracking_unavailable, untracked_consequence};
use crate::source::step::Again;
use crate::source::survey::fails;
use crate::source::tracked;

impl<H: Host> Reader<H> {
    /// What can be tried when the rows of a page became too large.
    pub(super) fn too_much(&self, error: Error) -> Result<Again, Error> {
        match error.recovery {
            Some(Recovery::SmallerPages) => self.recover(error),
            _ => Err(error),
        }
    }

    /// The last page of a tracked read has no delta link: a known fault of some versions when
    /// annotations are asked for (reference §6.5).
    pub(super) fn without_delta_link(&self) -> Again {
        let labels = self.plan.binding.labels;
        let table = &self.plan.table.name;
        let (method, id, message) = match self.sequence.method {
            Method::Tracked { plain: false } if labels => (
                Method::Tracked { plain: true },
                "labels-unavailable",
                format!(
                    "The service forgets where changes of {table} begin when labels are asked \
                     for. It is read again without; the columns with labels stay empty."
                ),
            ),
            _ => (
                self.plan.untracked(true),
                "change-tracking-unavailable",
                format!(
                    "The service does not say where changes of {table} begin. {}",
                    untracked_consequence(self.plan.untracked(true))
                ),
            ),
        };
        Again::from(Start {
            position: Position::Beginning { method },
            reason: "The service did not say where later changes begin.".to_owned(),
        })
        .warning(id, message)
    }

    /// What can be tried after a refusal.
    pub(super) fn recover(&self, error: Error) -> Result<Again, Error> {
        let Sequence {
            method,
            phase,
            page_size,
            follows_link,
            ..
        } = self.sequence;
        let beginning = Position::Beginning { method };
        if error.recovery == Some(Recovery::SmallerPages) && page_size > 1 {
            // The sequence starts over, because on its way the page size must not change.
            let again = Again::from(Start {
                position: self.sequence.start.clone().unwrap_or(beginning),
                reason: "The pages were too large for the service or the host.".to_owned(),
            });
            return Ok(again.with_smaller_pages(page_size));
        }
        if follows_link && tracked::is_refused(&error) {
            let start = match (method, phase, self.sequence.newest) {
                (Method::Watermark { column, fallback }, Phase::Changes, mark @ Some(_)) => {
                    Start::at(Position::CaughtUp(Cursor::Newest {
                        column,
                        fallback,
                        mark,
                        seen: None,
                    }))
                }
                _ => Start {
                    position: beginning,
                    reason: format!(
                        "The service no longer knows where this stream was ({}).",
                        error.message
                    ),
                },
            };
            return Ok(Again::from(start).because_of(error));
        }
        if let (Method::Tracked { .. }, false, Some(why)) =
            (method, follows_link, tracked::unavailable(&error))
        {
            let method = self.plan.untracked(true);
            let message = tracking_unavailable(&self.plan.table.name, why, method);
            let again = Again::from(Start {
                position: Position::Beginning { method },
                reason: "The stream is read without change tracking.".to_owned(),
            });
            return Ok(again
                .warning("change-tracking-unavailable", message)
                .because_of(error));
        }
        if let (Method::Watermark { column, .. }, false) = (method, self.plan.has_condition())
            && !follows_link
            && self.history.is_none()
            && (error.is_not_offered() || (phase == Phase::Snapshot && fails(&error)))
        {
            let again = Again::from(Start {
                position: Position::Beginning {
                    method: Method::Full,
                },
                reason: format!("The service does not read the table by {}.", column.name()),
            });
            return Ok(again.page_after_page().because_of(error));
        }
        Err(self.of_filter(error))
    }

    /// A refusal of what the caller's own filter says is the caller's to mend.
    fn of_filter(&self, error: Error) -> Error {
        if error.status() != Some(400)
            || self.plan.binding.filter.is_none()
            || self.sequence.follows_link
        {
            return error;
        }
        let (failure, _) = error.parts();
        Error {
            kind: ErrorKind::InvalidData,
            message: format!("{failure}; correct the filter"),
            ..error
        }
    }
}
