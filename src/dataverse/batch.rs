//! Batches of reads: many resources, or one with a long address, in one request
//! (reference 4.12, 8.1, 8.2).

use std::fmt::Write as _;
use std::slice;
use std::time::Duration;

use super::client::Client;
use super::link::Link;
use super::message::Prefer;
use crate::error::{Error, ErrorKind, Recovery};
use crate::host::{Header, Host};

/// The most resources in one batch (reference 8.1).
const MOST_PARTS: usize = 1_000;

/// The resource that takes batches.
pub(super) const BATCH: &str = "$batch";

/// What one request reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'l> {
    /// The resource, or [`BATCH`].
    pub(super) link: &'l Link,
    /// The resources of a batch that the caller made.
    pub(super) parts: &'l [Link],
}

impl<'l> Asked<'l> {
    /// A resource, alone.
    pub(super) fn one(link: &'l Link) -> Self {
        Self { link, parts: &[] }
    }

    /// The same at the version that another link names.
    pub(super) fn at(self, link: &'l Link) -> Self {
        Self { link, ..self }
    }

    /// What travels in the body of a batch: its parts, or a single resource whose address is
    /// too long for a request of its own. Otherwise nothing.
    pub(super) fn batched(&self) -> &'l [Link] {
        if self.parts.is_empty() && self.link.is_long() {
            slice::from_ref(self.link)
        } else {
            self.parts
        }
    }

    /// The body of the batch; the headers are those of each part. Every line ends with CR LF,
    /// the last one too, and every request with an empty line.
    pub(super) fn body(&self, boundary: &str, headers: &[Header]) -> Vec<u8> {
        let mut lines = String::new();
        for header in headers {
            // Writing to a string cannot fail.
            let _ = write!(lines, "{}: {}\r\n", header.name, header.value);
        }
        let mut body = String::new();
        for part in self.batched() {
            let _ = write!(
                body,
                "--{boundary}\r\nContent-Type: application/http\r\n\
                 Content-Transfer-Encoding: binary\r\n\r\n\
                 GET {}{} HTTP/1.1\r\nAccept: application/json\r\nOData-MaxVersion: 4.0\r\n\
                 OData-Version: 4.0\r\nIf-None-Match: null\r\n{lines}\r\n\r\n",
                self.link.root(),
                part.below_root(),
            );
        }
        let _ = write!(body, "--{boundary}--\r\n");
        body.into_bytes()
    }
}

impl<H: Host> Client<H> {
    /// Reads several resources in as few requests as it takes, and gives their bodies in the
    /// same order. What fails in passing is asked for again, as by [`get`](Self::get), but
    /// only once when that has been in vain for another; an answer that is larger than the client
    /// accepts is asked for in two halves. A service that takes no batches is asked for one
    /// resource after another.
    ///
    /// # Errors
    /// What concerns all of them. What concerns one alone stands in its place.
    pub(crate) async fn batch(
        &self,
        links: &[Link],
        prefer: &Prefer,
    ) -> Result<Vec<Result<Vec<u8>, Error>>, Error> {
        let mut bodies = Vec::with_capacity(links.len());
        let mut most = MOST_PARTS;
        let mut client = self.clone();
        while let Some(rest) = links.get(bodies.len()..).filter(|rest| !rest.is_empty()) {
            let chunk = rest.get(..most).unwrap_or(rest);
            if let ([link], _) | ([link, ..], false) = (chunk, self.takes_batches()) {
                bodies.push(client.get_of_many(link, prefer).await);
                continue;
            }
            let batch = self.resource(BATCH)?;
            let asked = Asked {
                link: &batch,
                parts: chunk,
            };
            match self.ask(asked, prefer).await {
                Ok(answer) => {
                    let mut parts = answer.parts.into_iter();
                    for link in chunk {
                        let body = match parts.next() {
                            Some(Ok(range)) => {
                                Ok(answer.body.get(range).unwrap_or_default().to_vec())
                            }
                            Some(Err(failure)) if !failure.is_passing() => Err(failure.error),
                            // It failed in passing, or the batch stopped before it.
                            _ => client.get_of_many(link, prefer).await,
                        };
                        bodies.push(body);
                    }
                }
                Err(error) if error.recovery == Some(Recovery::SmallerPages) => {
                    most = chunk.len() / 2;
                }
                Err(error) if knows_no_batches(&error) => self.batch_no_more(),
                Err(error) => return Err(error),
            }
        }
        Ok(bodies)
    }

    /// Reads one of several resources. If that is in vain, the client's patience is at its end.
    async fn get_of_many(&mut self, link: &Link, prefer: &Prefer) -> Result<Vec<u8>, Error> {
        let outcome = self.get(link, prefer).await;
        let is_passing =
            |error: &Error| matches!(error.kind, ErrorKind::Throttled | ErrorKind::Unavailable);
        if outcome.as_ref().is_err_and(is_passing) {
            *self = self.clone().with_max_wait(Duration::ZERO);
        }
        outcome.map(|answer| answer.body)
    }
}

/// Whether a service that has no such resource, or a firewall before it, would answer like
/// this; a success is one whose answer has no parts. If something else is the matter, each
/// resource by itself meets it again.
fn knows_no_batches(error: &Error) -> bool {
    let status = error.status();
    status.is_some_and(|status| !matches!(status, 401 | 408 | 429 | 502..=504))
}

#[cfg(test)]
mod tests;
