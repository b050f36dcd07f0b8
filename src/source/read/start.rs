//! Where a read starts.

use crate::source::output::Output;
use crate::source::position::{
    Cursor, Delta, Method, PagedPosition, Position, QueryPosition, Ranges, Watermark,
};

/// Where a read starts: at the first row, or where an earlier read stopped.
#[derive(Clone, Debug)]
pub(in crate::source) enum Start<R> {
    Full(FullRead),
    Resume(R),
}

/// A read of all rows.
#[derive(Clone, Debug)]
pub(in crate::source) struct FullRead {
    pub(in crate::source) method: Method,
    /// The position in checkpoints until the first page is complete.
    pub(in crate::source) from: Position,
    /// Why all rows are read, for people.
    pub(in crate::source) reason: String,
}

impl FullRead {
    /// A read of all rows that no earlier position belongs to.
    pub(in crate::source) fn new(method: Method, reason: impl Into<String>) -> Self {
        Self {
            method,
            from: Position::Start { method },
            reason: reason.into(),
        }
    }
}

/// Where the read of a listing can resume.
#[derive(Clone, Debug)]
pub(in crate::source) enum ListingResume {
    Paged(PagedResume),
    Ranges(Ranges),
}

/// Where a read can resume that follows links from page to page.
#[derive(Clone, Debug)]
pub(in crate::source) enum PagedResume {
    /// In the middle of an earlier read.
    Page(PagedPosition),
    /// At the changes since a change token.
    Delta(Delta),
    /// At the changes since the newest one that was read.
    Watermark(Watermark),
}

impl<R> Start<R> {
    /// A read of all rows.
    pub(in crate::source) fn full(method: Method, reason: impl Into<String>) -> Self {
        Self::Full(FullRead::new(method, reason))
    }

    /// The position in checkpoints until the first page is complete.
    pub(in crate::source) fn position(&self) -> Position
    where
        R: Clone + Into<Position>,
    {
        match self {
            Self::Full(full) => full.from.clone(),
            Self::Resume(resume) => resume.clone().into(),
        }
    }
}

impl<R> Start<R> {
    /// Tells the sink that all rows are read, if they are.
    pub(in crate::source) fn announce(&self, output: &Output) {
        match self {
            Self::Full(full) => output.reset(full.reason.clone()),
            Self::Resume(_) => {}
        }
    }
}

impl From<QueryPosition> for Position {
    fn from(position: QueryPosition) -> Self {
        Self::Queried(position)
    }
}

impl From<PagedResume> for Position {
    fn from(resume: PagedResume) -> Self {
        match resume {
            PagedResume::Page(page) => Self::Paged(page),
            PagedResume::Delta(delta) => Self::CaughtUp(Cursor::Delta(delta)),
            PagedResume::Watermark(watermark) => Self::CaughtUp(Cursor::Watermark(watermark)),
        }
    }
}

impl From<ListingResume> for Position {
    fn from(resume: ListingResume) -> Self {
        match resume {
            ListingResume::Paged(paged) => paged.into(),
            ListingResume::Ranges(ranges) => Self::Ranged(ranges),
        }
    }
}
