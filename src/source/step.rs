//! What becomes of a stream once a page has been worked on.

use super::sequence::Start;
use crate::error::Error;

/// How a stream goes on.
pub(super) enum Step {
    /// With the pages that are on their way.
    Going,
    /// Not at all: it is at its end.
    Complete,
    /// From another place.
    Again(Box<Again>),
}

/// A stream sets out again.
pub(super) struct Again {
    pub(super) start: Start,
    /// Rows per page from now on, at most; none if that stays as it is.
    pub(super) page_size: Option<u32>,
    /// Whether the table may be read in several ranges.
    pub(super) in_ranges: bool,
    /// What made it necessary, and what is told if it happens too often. None for what
    /// happens once or leads to an end by itself.
    pub(super) cause: Option<Error>,
    /// What a person should know of it: the id and the message of a warning.
    pub(super) warning: Option<(&'static str, String)>,
}

impl Again {
    /// Sets out from there, in the best way.
    pub(super) fn from(start: Start) -> Self {
        Self {
            start,
            page_size: None,
            in_ranges: true,
            cause: None,
            warning: None,
        }
    }

    /// The same with pages of a quarter of that many rows. Ends at pages of one row.
    pub(super) fn with_smaller_pages(mut self, page_size: u32) -> Self {
        self.page_size = Some((page_size / 4).max(1));
        self
    }

    /// The same because of an error.
    pub(super) fn because_of(mut self, cause: Error) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The same with a warning.
    pub(super) fn warning(mut self, id: &'static str, message: String) -> Self {
        self.warning = Some((id, message));
        self
    }

    /// The same, page after page.
    pub(super) fn page_after_page(mut self) -> Self {
        self.in_ranges = false;
        self
    }
}

impl From<Again> for Step {
    fn from(again: Again) -> Self {
        Self::Again(Box::new(again))
    }
}
