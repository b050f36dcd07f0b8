//! Reads a listing page after page: the next page is in flight while the host works on this
//! one.

mod ahead;
mod expansion;
mod recovery;
mod sequence;

use std::rc::Rc;

use dataverse_rows::Members;

use super::page::PageRequest;
use super::restart::{End, Restart};
use super::share::Share;
use super::start::{ListingResume, PagedResume, Start};
use crate::dataverse::{Client, Link};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::source::checkpoint;
use crate::source::event::Operation;
use crate::source::kind::Listing;
use crate::source::output::Output;
use crate::source::position::{Cursor, Delta, Method, PagedPosition, Phase, Position, Watermark};
use expansion::Expander;
use sequence::Sequence;

/// Reads a listing page after page.
pub(in crate::source) struct Paged<H> {
    client: Client<H>,
    listing: Rc<Listing>,
    share: Rc<Share>,
    members: Members,
    sequence: Sequence,
    expander: Expander,
    first: Link,
}

impl<H: Host> Paged<H> {
    /// Prepares a read with at most `max_page_rows` rows per page; nothing is requested yet.
    ///
    /// # Errors
    /// When the start has no usable link.
    pub(in crate::source) fn new(
        client: Client<H>,
        share: Rc<Share>,
        listing: Rc<Listing>,
        start: Start<PagedResume>,
        max_page_rows: u32,
    ) -> Result<Self, Error> {
        let page_size = listing.plan.page_size().min(max_page_rows);
        let expander = Expander::new(&listing, &start);
        let (sequence, first) = Sequence::new(&client, &listing, start, page_size)?;
        Ok(Self {
            members: listing.members(sequence.method),
            client,
            listing,
            share,
            sequence,
            expander,
            first,
        })
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// When the stream cannot be read further.
    pub(in crate::source) async fn run(
        mut self,
        output: &mut Output,
    ) -> Result<End<ListingResume>, Error> {
        let listing = Rc::clone(&self.listing);
        let share = Rc::clone(&self.share);
        let operation = match self.sequence.phase {
            Phase::Snapshot => Operation::Snapshot,
            Phase::Changes => Operation::Upsert,
        };
        let mut page = self.request(&self.first).await;
        loop {
            output.flush().await;
            let response = page.response().await;
            let _permit = share.permit().await;
            let body = match response {
                Ok(response) => response.body,
                Err(error) => return self.recover(error).map(End::from),
            };
            let ahead = self.request_ahead(page.link(), &body).await;
            let Some(walked) = page
                .walk(&mut self.members, &body, listing.stream())
                .await?
            else {
                continue;
            };
            drop(body);
            self.note_newest(walked.watched.as_deref())?;
            let Some(next) = walked.next_link else {
                let pieces = match self
                    .expander
                    .expand(&self.client, walked.pieces, output)
                    .await
                {
                    Ok(pieces) => pieces,
                    Err(error) => return self.recover_expansion(error).map(End::from),
                };
                let Some(cursor) = self.cursor(walked.delta_link)? else {
                    return Ok(self.without_delta_link().into());
                };
                let position = Position::CaughtUp(cursor.clone());
                output.page(pieces, operation, &position)?;
                return Ok(self.end(cursor));
            };
            let is_empty = walked.pieces.is_empty();
            let link = self
                .sequence
                .follow(&self.client, page.link(), &next, is_empty)?;
            let position = self.position(&next)?;
            // The next page is in flight before this one is handed out.
            page = match ahead {
                Some(ahead) if *ahead.link() == link => ahead,
                Some(_) | None => self.request(&link).await,
            };
            let pieces = match self
                .expander
                .expand(&self.client, walked.pieces, output)
                .await
            {
                Ok(pieces) => pieces,
                Err(error) => return self.recover_expansion(error).map(End::from),
            };
            output.page(pieces, operation, &position)?;
        }
    }

    async fn request(&self, link: &Link) -> PageRequest<H> {
        let Sequence {
            method, page_size, ..
        } = self.sequence;
        let prefer = self.listing.prefer(method, page_size);
        PageRequest::send(&self.client, link, prefer).await
    }

    /// Requests the page that seems to be the next one, if its link is found before the walk.
    async fn request_ahead(&self, page: &Link, body: &[u8]) -> Option<PageRequest<H>> {
        let link = self.client.link(&ahead::next_link(body)?).ok()?;
        if link == *page {
            // A paging loop, which is reported once the page is walked.
            return None;
        }
        Some(self.request(&link).await)
    }

    /// The position before the page of a link.
    fn position(&self, next: &str) -> Result<Position, Error> {
        let sequence = &self.sequence;
        Ok(Position::Paged(PagedPosition {
            method: sequence.method,
            phase: sequence.phase,
            next: checkpoint::relative(&self.client, next)?,
            page_size: sequence.page_size,
            newest: sequence.newest,
            began: match sequence.method {
                Method::Tracked { .. } => sequence.began,
                Method::Watermark { .. } | Method::Full => None,
            },
        }))
    }

    fn note_newest(&mut self, watched: Option<&str>) -> Result<(), Error> {
        let (Method::Watermark { column, .. }, Some(value)) = (self.sequence.method, watched)
        else {
            return Ok(());
        };
        let mark = column.mark(value).ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                format!(
                    "the column {} of {} contains a value that cannot be ordered; do not select \
                     the stream",
                    column.name(),
                    self.listing.stream()
                ),
            )
        })?;
        self.sequence.newest = self.sequence.newest.max(Some(mark));
        Ok(())
    }

    /// From where later changes are read, after the last page; `None` if the delta link is missing.
    fn cursor(&self, delta_link: Option<String>) -> Result<Option<Cursor>, Error> {
        Ok(match self.sequence.method {
            Method::Tracked { plain } => match delta_link {
                Some(link) => {
                    // Checked now, not only when it is used.
                    let link = checkpoint::relative(&self.client, &link)?;
                    let at = self.fresh_at(&link);
                    Some(Cursor::Delta(Delta { link, plain, at }))
                }
                None => None,
            },
            Method::Watermark { column, fallback } => Some(Cursor::Watermark(Watermark {
                column,
                fallback,
                mark: self.sequence.newest,
                seen: self.expander.seen(self.sequence.newest),
            })),
            Method::Full => {
                let at = self.client.host().unix_time().as_millis();
                Some(Cursor::Done {
                    at: u64::try_from(at).unwrap_or(u64::MAX),
                })
            }
        })
    }

    /// When a delta link was fresh: when the read began, or, if it is the one that the read
    /// started from, when that was.
    fn fresh_at(&self, delta_link: &str) -> Option<u64> {
        match &self.sequence.start {
            Start::Resume(PagedResume::Delta(delta)) if delta.link == delta_link => delta.at,
            Start::Resume(_) | Start::Full(_) => self.sequence.began,
        }
    }

    fn end(&self, cursor: Cursor) -> End<ListingResume> {
        match (&self.sequence.start, self.sequence.phase, cursor) {
            // The full read began in an earlier sync: its delta link brings what has changed
            // since.
            (Start::Resume(PagedResume::Page(_)), Phase::Snapshot, Cursor::Delta(delta)) => {
                let changes = ListingResume::Paged(PagedResume::Delta(delta));
                Restart::at(Start::Resume(changes)).into()
            }
            (Start::Full(_) | Start::Resume(_), Phase::Snapshot | Phase::Changes, _) => {
                End::Complete(self.sequence.method)
            }
        }
    }
}
