//! How a read continues when a page is rejected, or is not as expected.

use super::super::restart::{PAGES_TOO_LARGE, Restart, place_lost};
use super::super::start::{FullRead, ListingResume, PagedResume, Start};
use super::super::warnings::{tracking_unavailable, without_tracking};
use super::Paged;
use super::sequence::Sequence;
use crate::error::Error;
use crate::host::Host;
use crate::source::position::{Method, Phase, Watermark};
use crate::source::rejection;

type ListingRestart = Restart<ListingResume>;

impl<H: Host> Paged<H> {
    /// The restart after the rows of a page became too large.
    pub(super) fn recover_expansion(&self, error: Error) -> Result<ListingRestart, Error> {
        if rejection::needs_smaller_pages(&error) {
            self.recover(error)
        } else {
            Err(error)
        }
    }

    /// The last page of a tracked read has no delta link: a known fault of some versions when
    /// annotations are requested (reference §6.5).
    pub(super) fn without_delta_link(&self) -> ListingRestart {
        let labels = self.listing.plan.binding.labels;
        let stream = self.listing.stream();
        let (method, id, message) = match self.sequence.method {
            Method::Tracked { plain: false } if labels => (
                Method::Tracked { plain: true },
                "labels-unavailable",
                format!(
                    "The service returns no delta link for {stream} when labels are requested. \
                     The stream is read again without them; the columns with labels stay empty."
                ),
            ),
            Method::Tracked { .. } | Method::Watermark { .. } | Method::Full => {
                let method = self.listing.untracked(true);
                (
                    method,
                    "change-tracking-unavailable",
                    format!(
                        "The service returns no delta link for {stream}. {}",
                        without_tracking(method)
                    ),
                )
            }
        };
        Restart::at(Start::full(method, "The service returned no delta link."))
            .with_warning(id, message)
    }

    /// The restart after a rejection, or the error if there is none.
    pub(super) fn recover(&self, error: Error) -> Result<ListingRestart, Error> {
        let Sequence {
            method,
            phase,
            page_size,
            follows_link,
            ..
        } = self.sequence;
        if rejection::needs_smaller_pages(&error) && page_size > 1 {
            // The page size is constant over a sequence, so the sequence starts again.
            return Ok(Restart::at(self.start_again()).with_smaller_pages(page_size));
        }
        if follows_link && rejection::is_permanent(&error) {
            let start = match (method, phase, self.sequence.newest) {
                (Method::Watermark { column, fallback }, Phase::Changes, mark @ Some(_)) => {
                    Start::Resume(ListingResume::Paged(PagedResume::Watermark(Watermark {
                        column,
                        fallback,
                        mark,
                        seen: None,
                    })))
                }
                (
                    Method::Tracked { .. } | Method::Watermark { .. } | Method::Full,
                    Phase::Snapshot | Phase::Changes,
                    _,
                ) => Start::full(method, place_lost(&error)),
            };
            return Ok(Restart::at(start).because_of(error));
        }
        if let (Method::Tracked { .. }, false, Some(why)) = (
            method,
            follows_link,
            rejection::tracking_unavailable(&error),
        ) {
            let method = self.listing.untracked(true);
            let message = tracking_unavailable(self.listing.stream(), why, method);
            let start = Start::full(method, "The stream is read without change tracking.");
            return Ok(Restart::at(start)
                .with_warning("change-tracking-unavailable", message)
                .because_of(error));
        }
        if let (Method::Watermark { column, .. }, false) = (method, self.listing.has_condition())
            && !follows_link
            && !self.listing.is_append_only()
            && (error.is_not_offered()
                || (phase == Phase::Snapshot && rejection::is_server_error(&error)))
        {
            let reason = format!(
                "The service cannot read the table in the order of {}.",
                column.name()
            );
            return Ok(Restart::at(Start::full(Method::Full, reason))
                .without_ranges()
                .because_of(error));
        }
        // The service rejects the caller's own filter.
        if error.status() == Some(400) && !follows_link {
            return Err(self.listing.with_filter_advice(error));
        }
        Err(error)
    }

    /// The start of this sequence, if it started in this sync; else a full read.
    fn start_again(&self) -> Start<ListingResume> {
        match &self.sequence.start {
            Start::Full(full) => Start::Full(FullRead {
                reason: PAGES_TOO_LARGE.to_owned(),
                ..full.clone()
            }),
            Start::Resume(PagedResume::Page(_)) => {
                Start::full(self.sequence.method, PAGES_TOO_LARGE)
            }
            Start::Resume(changes @ (PagedResume::Delta(_) | PagedResume::Watermark(_))) => {
                Start::Resume(ListingResume::Paged(changes.clone()))
            }
        }
    }
}
