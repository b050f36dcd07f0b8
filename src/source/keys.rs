//! A read of a table's keys alone, page after page.
//!
//! It serves twice. The *baseline* of a full read in ranges is a tracked one, for the sake of
//! the link at its end: its token dates from its first page (reference §6.2), so what is read
//! after that page has come is as good as a part of the tracked read itself; its rows are
//! thrown away. A *sweep* is a plain one, for the sake of the keys: rows whose key does not
//! come are gone.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use dataverse_rows::{Members, Piece, walk};

use super::checkpoint;
use super::plan::Plan;
use super::sequence::{Answered, BODY_ATTEMPTS, Chain, circle, request, unreadable};
use super::tracked;
use crate::dataverse::{Client, Link, Prefer};
use crate::error::Error;
use crate::host::{Host, Started};

/// The largest page, in bytes: 5,000 rows with nothing but their key and their version.
const MAX_BODY: usize = 2 << 20;

/// A read of a table's keys.
pub(super) struct Keys<H> {
    client: Client<H>,
    plan: Rc<Plan>,
    members: Members,
    page_size: u32,
    /// Whether it is for the link at its end, and not for the keys.
    is_baseline: bool,
    /// The keys on the last page, if it is for them.
    rows: Vec<Piece>,
    /// The page that is on its way or to be asked for next.
    link: Link,
    chain: Chain,
    attempts: u32,
    /// None while it rests.
    answer: Option<Started<Answered>>,
}

/// What a page of keys ends with.
pub(super) enum Found {
    /// Where the next page is, relative to the API root.
    Next(String),
    /// Where later changes of all columns are, relative to the API root.
    Delta(String),
    /// A link that serves for changes of the keys alone.
    Opaque,
    /// No link: a service that forgets where changes begin.
    Nothing,
}

impl<H: Host> Keys<H> {
    /// Begins a baseline: reads its first page.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn begin(
        client: &Client<H>,
        plan: &Rc<Plan>,
        page_size: u32,
    ) -> Result<Found, Error> {
        let link = client.resource(tracked::keys(plan).as_str())?;
        let mut baseline = Self::at(client, plan, link, page_size, true);
        baseline.ask().await;
        loop {
            let answered = poll_fn(|context| baseline.poll(context)).await;
            if let Some(found) = baseline.accept(answered).await? {
                return Ok(found);
            }
        }
    }

    /// Rests before the first page of a sweep.
    ///
    /// # Errors
    /// When there is no address for it.
    pub(super) fn sweep(
        client: &Client<H>,
        plan: &Rc<Plan>,
        page_size: u32,
    ) -> Result<Self, Error> {
        let link = client.resource(plan.keys().as_str())?;
        Ok(Self::at(client, plan, link, page_size, false))
    }

    /// Rests before a page of a baseline, which is named relative to the API root.
    ///
    /// # Errors
    /// When the link cannot be used.
    pub(super) fn resume(
        client: &Client<H>,
        plan: &Rc<Plan>,
        next: &str,
        page_size: u32,
    ) -> Result<Self, Error> {
        let link = client.link(&checkpoint::absolute(client, next))?;
        Ok(Self::at(client, plan, link, page_size, true))
    }

    fn at(
        client: &Client<H>,
        plan: &Rc<Plan>,
        link: Link,
        page_size: u32,
        is_baseline: bool,
    ) -> Self {
        Self {
            client: client.clone().with_max_body(MAX_BODY),
            plan: Rc::clone(plan),
            members: plan.members_of_keys(),
            page_size,
            is_baseline,
            rows: Vec::new(),
            link,
            chain: Chain::default(),
            attempts: 0,
            answer: None,
        }
    }

    /// Asks for the page before which it rests.
    pub(super) async fn ask(&mut self) {
        if self.answer.is_none() {
            let prefer = Prefer {
                max_page_size: Some(self.page_size),
                track_changes: self.is_baseline,
                ..Prefer::default()
            };
            let answer = request(&self.client, &self.link, prefer, self.attempts).await;
            self.answer = Some(answer);
            self.attempts += 1;
        }
    }

    /// Whether the page that was asked for has come.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Answered> {
        match &mut self.answer {
            Some(answer) => Pin::new(answer).poll(context),
            None => Poll::Pending,
        }
    }

    /// Takes the page that has come, and rests before the next one. None if it came damaged
    /// and is asked for again.
    ///
    /// # Errors
    /// When the read cannot go on.
    pub(super) async fn accept(&mut self, answered: Answered) -> Result<Option<Found>, Error> {
        self.answer = None;
        let body = answered?.body;
        let walked = match walk(&mut self.members, &body) {
            Ok(walked) => walked,
            Err(malformed) if self.attempts >= BODY_ATTEMPTS => {
                return Err(unreadable(&self.plan.table.name, &malformed));
            }
            Err(_) => {
                self.ask().await;
                return Ok(None);
            }
        };
        self.attempts = 0;
        if !self.is_baseline {
            self.rows = walked.pieces;
        }
        if let Some(next) = walked.next_link {
            if next == self.link.as_str() || self.chain.closes_with(&next) {
                return Err(circle(&self.plan.table.name));
            }
            self.link = self.client.link(&next)?;
            return checkpoint::relative(&self.client, &next).map(|next| Some(Found::Next(next)));
        }
        let Some(delta) = walked.delta_link else {
            return Ok(Some(Found::Nothing));
        };
        self.client.link(&delta)?;
        Ok(Some(match tracked::changes(&self.plan, &delta) {
            Some(changes) => {
                // Checked now, not when it is needed.
                self.client
                    .link(&checkpoint::absolute(&self.client, &changes))?;
                Found::Delta(changes)
            }
            None => Found::Opaque,
        }))
    }

    /// The keys of the page that was taken last.
    pub(super) fn take_keys(&mut self) -> Vec<Piece> {
        std::mem::take(&mut self.rows)
    }

    /// Rows per page at most.
    pub(super) fn page_size(&self) -> u32 {
        self.page_size
    }
}
