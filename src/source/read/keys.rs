//! A read of a table's keys alone, page after page.
//!
//! It has two uses. The *baseline* of a full read in ranges is a tracked one, for the delta link at
//! its end: the token dates from its first page (reference §6.2), so rows that are read after that
//! page has arrived count as part of the tracked read; its own rows are dropped. A *sweep* is a
//! plain one, for the keys: rows whose key does not come were deleted.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use dataverse_rows::{Members, Piece};

use super::page::{LoopDetector, PageRequest, PageResponse};
use crate::dataverse::{Client, Link, Prefer};
use crate::error::Error;
use crate::host::Host;
use crate::source::checkpoint;
use crate::source::kind::Listing;

/// The largest page, in bytes: 5,000 rows with nothing but their key and their version.
const MAX_BODY: usize = 2 << 20;

/// A read of a table's keys.
pub(super) struct Keys<H> {
    client: Client<H>,
    listing: Rc<Listing>,
    members: Members,
    purpose: Purpose,
    page_size: u32,
    /// The next page.
    link: Link,
    links: LoopDetector,
    /// The request for it, once it is sent.
    page: Option<PageRequest<H>>,
    /// The keys on the last page, for a sweep.
    rows: Vec<Piece>,
}

/// A page of keys that has arrived.
pub(super) struct KeysPage<H> {
    page: PageRequest<H>,
    response: PageResponse,
}

/// What keys are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// The delta link at the end.
    Baseline,
    /// The keys.
    Sweep,
}

/// What a page of keys ends with.
pub(super) enum Found {
    /// A link to the next page, relative to the API root.
    Next(String),
    /// A link to later changes of all selected columns, relative to the API root.
    Delta(String),
    /// A link that works for changes of the keys alone.
    DeltaOfKeysOnly,
    /// No link: some versions of the service omit it.
    Nothing,
}

impl<H: Host> Keys<H> {
    /// Prepares a baseline; nothing is requested yet.
    ///
    /// # Errors
    /// If its address is not valid.
    pub(super) fn baseline(
        client: &Client<H>,
        listing: &Rc<Listing>,
        page_size: u32,
    ) -> Result<Self, Error> {
        let link = client.resource(listing.tracked_keys().as_str())?;
        Ok(Self::at(
            client,
            listing,
            link,
            page_size,
            Purpose::Baseline,
        ))
    }

    /// Prepares the rest of a baseline, from a page relative to the API root.
    ///
    /// # Errors
    /// When the link cannot be used.
    pub(super) fn resume(
        client: &Client<H>,
        listing: &Rc<Listing>,
        next: &str,
        page_size: u32,
    ) -> Result<Self, Error> {
        let link = client.link(&checkpoint::absolute(client, next))?;
        Ok(Self::at(
            client,
            listing,
            link,
            page_size,
            Purpose::Baseline,
        ))
    }

    /// Prepares a sweep; nothing is requested yet.
    ///
    /// # Errors
    /// If its address is not valid.
    pub(super) fn sweep(
        client: &Client<H>,
        listing: &Rc<Listing>,
        page_size: u32,
    ) -> Result<Self, Error> {
        let link = client.resource(listing.keys().as_str())?;
        Ok(Self::at(client, listing, link, page_size, Purpose::Sweep))
    }

    fn at(
        client: &Client<H>,
        listing: &Rc<Listing>,
        link: Link,
        page_size: u32,
        purpose: Purpose,
    ) -> Self {
        Self {
            client: client.clone().with_max_body(MAX_BODY),
            listing: Rc::clone(listing),
            members: listing.plan.members_of_keys(),
            purpose,
            page_size,
            link,
            links: LoopDetector::default(),
            page: None,
            rows: Vec::new(),
        }
    }

    /// Requests the next page, if that has not happened yet.
    pub(super) async fn request(&mut self) {
        if self.page.is_none() {
            let prefer = Prefer {
                max_page_size: Some(self.page_size),
                track_changes: self.purpose == Purpose::Baseline,
                ..Prefer::default()
            };
            self.page = Some(PageRequest::send(&self.client, &self.link, prefer).await);
        }
    }

    /// Takes the requested page, once it has arrived.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<KeysPage<H>> {
        let Some(mut page) = self.page.take() else {
            return Poll::Pending;
        };
        if let Poll::Ready(response) = page.poll(context) {
            return Poll::Ready(KeysPage { page, response });
        }
        self.page = Some(page);
        Poll::Pending
    }

    /// Reads the next page.
    ///
    /// # Errors
    /// When the read cannot continue.
    pub(super) async fn next(&mut self) -> Result<Found, Error> {
        loop {
            self.request().await;
            let page = poll_fn(|context| self.poll(context)).await;
            if let Some(found) = self.accept(page).await? {
                return Ok(found);
            }
        }
    }

    /// Reads a page that has arrived; the next one is not requested yet. None if the page is
    /// damaged and has been requested again.
    ///
    /// # Errors
    /// When the read cannot continue.
    pub(super) async fn accept(&mut self, page: KeysPage<H>) -> Result<Option<Found>, Error> {
        let KeysPage { mut page, response } = page;
        let body = response?.body;
        let stream = self.listing.stream();
        let Some(walked) = page.walk(&mut self.members, &body, stream).await? else {
            self.page = Some(page);
            return Ok(None);
        };
        if self.purpose == Purpose::Sweep {
            self.rows = walked.pieces;
        }
        if let Some(next) = walked.next_link {
            self.links.follow(page.link(), &next, stream)?;
            self.link = self.client.link(&next)?;
            return checkpoint::relative(&self.client, &next).map(|next| Some(Found::Next(next)));
        }
        let Some(delta) = walked.delta_link else {
            return Ok(Some(Found::Nothing));
        };
        self.client.link(&delta)?;
        Ok(Some(match self.listing.changes_by_token(&delta) {
            Some(changes) => {
                // Checked now, not only when it is used.
                self.client
                    .link(&checkpoint::absolute(&self.client, &changes))?;
                Found::Delta(changes)
            }
            None => Found::DeltaOfKeysOnly,
        }))
    }

    /// The keys of the last page.
    pub(super) fn take_rows(&mut self) -> Vec<Piece> {
        std::mem::take(&mut self.rows)
    }
}
