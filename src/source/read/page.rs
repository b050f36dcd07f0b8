//! One page: its request, the walk over its rows, and the links from page to page.

use std::future::poll_fn;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use dataverse_rows::{Malformed, Members, Walked, walk};

use crate::dataverse::{Client, Link, Prefer, Response};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Started};

/// How often a page is requested whose body is damaged.
const MAX_ATTEMPTS: u32 = 4;

/// The response to the request for a page.
pub(super) type PageResponse = Result<Response, Error>;

/// A page that has been requested.
///
/// If the body is damaged, the page is requested again, as after a lost connection.
pub(super) struct PageRequest<H> {
    client: Client<H>,
    link: Link,
    prefer: Prefer,
    /// How often the page has been requested.
    attempts: u32,
    response: Started<PageResponse>,
}

impl<H: Host> PageRequest<H> {
    /// Requests a page. The request is in flight when this returns.
    pub(super) async fn send(client: &Client<H>, link: &Link, prefer: Prefer) -> Self {
        Self {
            client: client.clone(),
            link: link.clone(),
            prefer,
            attempts: 1,
            response: request(client, link, prefer, 0).await,
        }
    }

    /// Where the page is.
    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    /// Polls the response.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<PageResponse> {
        Pin::new(&mut self.response).poll(context)
    }

    /// Waits for the response.
    pub(super) async fn response(&mut self) -> PageResponse {
        poll_fn(|context| self.poll(context)).await
    }

    /// Walks over the body of the response. None if it is damaged and has been requested again.
    ///
    /// # Errors
    /// `Unavailable` if it was damaged too often.
    pub(super) async fn walk(
        &mut self,
        members: &mut Members,
        body: &[u8],
        stream: &str,
    ) -> Result<Option<Walked>, Error> {
        match walk(members, body) {
            Ok(walked) => Ok(Some(walked)),
            Err(_) if self.attempts < MAX_ATTEMPTS => {
                self.response = request(&self.client, &self.link, self.prefer, self.attempts).await;
                self.attempts += 1;
                Ok(None)
            }
            Err(malformed) => Err(unreadable(stream, &malformed)),
        }
    }
}

/// Requests a page. After `failures` damaged bodies it waits a little first.
async fn request<H: Host>(
    client: &Client<H>,
    link: &Link,
    prefer: Prefer,
    failures: u32,
) -> Started<PageResponse> {
    let client = client.clone();
    let link = link.clone();
    Started::new(async move {
        if failures > 0 {
            let pause = Duration::from_secs(1 << failures.min(5));
            client.host().sleep(pause).await;
        }
        client.get(&link, &prefer).await
    })
    .await
}

fn unreadable(stream: &str, malformed: &Malformed) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!(
            "cannot read {stream}: a page was damaged in {MAX_ATTEMPTS} responses ({malformed}); \
            check any proxy in between, or try again later"
        ),
    )
}

/// The links of a stream's pages form a loop.
pub(super) fn paging_loop(stream: &str) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("paging loop: a page of {stream} links to one already read; try again later"),
    )
}

/// Detects in constant memory when links form a loop (Brent's algorithm): each link is compared
/// with a kept one, and each kept link is used for twice as long as the one before.
#[derive(Debug, Default)]
pub(super) struct LoopDetector {
    kept: Option<u64>,
    length: u64,
}

impl LoopDetector {
    /// Follows the link of a page to the next one.
    ///
    /// # Errors
    /// `Unavailable` if the link leads to a page already read.
    pub(super) fn follow(&mut self, page: &Link, next: &str, stream: &str) -> Result<(), Error> {
        if next == page.as_str() || self.closes_with(next) {
            return Err(paging_loop(stream));
        }
        Ok(())
    }

    /// Adds a link. Returns whether it closes a loop. A loop is never found in its first round,
    /// and always before three times as many links have been added as led to its end.
    fn closes_with(&mut self, link: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        link.hash(&mut hasher);
        let link = hasher.finish();
        let closes = self.kept == Some(link);
        self.length += 1;
        if self.length.is_power_of_two() {
            self.kept = Some(link);
        }
        closes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_detected_and_other_sequences_are_not() {
        let mut straight = LoopDetector::default();
        assert!((0..5_000).all(|n| !straight.closes_with(&n.to_string())));
        for lead in 0..40 {
            for length in 1..40 {
                let mut detector = LoopDetector::default();
                let links = (0..lead).chain((lead..lead + length).cycle());
                let detected = links
                    .take(lead + 200)
                    .position(|n| detector.closes_with(&n.to_string()))
                    .unwrap();
                assert!(
                    detected <= 3 * (lead + length),
                    "{lead} {length}: {detected}"
                );
            }
        }
    }
}
