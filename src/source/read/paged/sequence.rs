//! A sequence of pages that link to each other.

use super::super::page::LoopDetector;
use super::super::start::{PagedResume, Start};
use crate::dataverse::{Client, Link};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::source::checkpoint;
use crate::source::kind::Listing;
use crate::source::position::{Mark, Method, Phase};

/// How many pages in a row may be empty. A filter over many rows can leave some; a service
/// that returns new links forever must not keep the host busy forever.
const MAX_EMPTY_PAGES: u32 = 1_000;

/// A sequence of pages, and what has been read of it.
pub(super) struct Sequence {
    pub(super) method: Method,
    pub(super) phase: Phase,
    pub(super) page_size: u32,
    /// The newest change so far.
    pub(super) newest: Option<Mark>,
    /// When it began, in seconds since 1970, if that is known.
    pub(super) began: Option<u64>,
    /// Where it started.
    pub(super) start: Start<PagedResume>,
    /// Whether the current page was requested by a link from the service.
    pub(super) follows_link: bool,
    links: LoopDetector,
    empty_pages: u32,
    stream: String,
}

impl Sequence {
    /// The sequence from a start, and the link to its first page.
    ///
    /// # Errors
    /// When there is no usable link.
    pub(super) fn new<H: Host>(
        client: &Client<H>,
        listing: &Listing,
        start: Start<PagedResume>,
        page_size: u32,
    ) -> Result<(Self, Link), Error> {
        let mut sequence = Self {
            method: listing.method(),
            phase: Phase::Changes,
            page_size,
            newest: None,
            began: Some(client.host().unix_time().as_secs()),
            follows_link: false,
            links: LoopDetector::default(),
            empty_pages: 0,
            stream: listing.stream().to_owned(),
            start,
        };
        let link = match &sequence.start {
            Start::Full(full) => {
                sequence.method = full.method;
                sequence.phase = Phase::Snapshot;
                client.resource(listing.snapshot(full.method).as_str())?
            }
            Start::Resume(PagedResume::Page(page)) => {
                sequence.method = page.method;
                sequence.phase = page.phase;
                sequence.page_size = page.page_size;
                sequence.newest = page.newest;
                sequence.began = page.began;
                sequence.follows_link = true;
                client.link(&checkpoint::absolute(client, &page.next))?
            }
            Start::Resume(PagedResume::Delta(delta)) => {
                sequence.method = Method::Tracked { plain: delta.plain };
                sequence.follows_link = true;
                client.link(&checkpoint::absolute(client, &delta.link))?
            }
            Start::Resume(PagedResume::Watermark(watermark)) => {
                let (column, fallback) = (watermark.column, watermark.fallback);
                sequence.method = Method::Watermark { column, fallback };
                sequence.newest = watermark.mark;
                let query = match watermark.mark {
                    Some(mark) => listing.changes_since(column, mark),
                    // The table was empty; every row is a change.
                    None => listing.snapshot(sequence.method),
                };
                client.resource(query.as_str())?
            }
        };
        Ok((sequence, link))
    }

    /// Follows the link of a page to the next one.
    ///
    /// # Errors
    /// When the link leads elsewhere or to a page already read, or too many pages were empty.
    pub(super) fn follow<H: Host>(
        &mut self,
        client: &Client<H>,
        page: &Link,
        next: &str,
        is_empty: bool,
    ) -> Result<Link, Error> {
        self.links.follow(page, next, &self.stream)?;
        self.empty_pages = if is_empty { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > MAX_EMPTY_PAGES {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!(
                    "the service sent more than {MAX_EMPTY_PAGES} empty pages of {} in a row; \
                     try again later",
                    self.stream
                ),
            ));
        }
        self.follows_link = true;
        client.link(next)
    }
}
