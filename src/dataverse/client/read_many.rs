//! Reading many resources in few requests.

use super::Client;
use super::batch::MAX_REQUESTS;
use crate::call::Budget;
use crate::dataverse::link::Link;
use crate::dataverse::preferences::Prefer;
use crate::dataverse::request::{Item, Request};
use crate::dataverse::response::Outcome;
use crate::error::{Error, Recovery};
use crate::host::Host;

impl<H: Host> Client<H> {
    /// Reads several resources in as few requests as possible, and returns their bodies in the same
    /// order. A request that fails temporarily is repeated alone, as by [`get`](Self::get), but
    /// only once if repeating did not help the one before it. A batch whose response is larger than
    /// the client accepts is halved. If the service does not support batches, the resources are
    /// read one after the other.
    ///
    /// # Errors
    /// An error that concerns all of them. An error of a single resource is at its place in the
    /// list.
    pub(crate) async fn batch(
        &self,
        links: &[Link],
        prefer: &Prefer,
    ) -> Result<Vec<Result<Vec<u8>, Error>>, Error> {
        let mut bodies = Vec::with_capacity(links.len());
        let mut most = MAX_REQUESTS;
        let mut alone = Budget::new(self.policy);
        while let Some(rest) = links.get(bodies.len()..).filter(|rest| !rest.is_empty()) {
            let chunk = rest.get(..most).unwrap_or(rest);
            if let ([link], _) | ([link, ..], false) = (chunk, self.supports_batches()) {
                bodies.push(self.get_alone(&mut alone, link, prefer).await);
                continue;
            }
            let items: Vec<Item<'_>> = chunk
                .iter()
                .map(|link| Item::One(Request::get(link, prefer)))
                .collect();
            match self.send_batch(&items).await {
                Ok(outcomes) => {
                    for (link, outcome) in chunk.iter().zip(outcomes) {
                        bodies.push(match outcome {
                            Outcome::One(Ok(response)) => Ok(response.body),
                            Outcome::One(Err(failure)) if !failure.is_temporary() => {
                                Err(*failure.error)
                            }
                            Outcome::One(Err(_)) | Outcome::ChangeSet(_) => {
                                self.get_alone(&mut alone, link, prefer).await
                            }
                        });
                    }
                }
                Err(error) if error.recovery == Some(Recovery::SmallerPages) => {
                    most = chunk.len() / 2;
                }
                Err(error) if rejects_batches(&error) => self.set_supports_batches(false),
                Err(error) => return Err(error),
            }
        }
        Ok(bodies)
    }

    /// Reads one of several resources. They share the budget, which a success restores.
    async fn get_alone(
        &self,
        budget: &mut Budget,
        link: &Link,
        prefer: &Prefer,
    ) -> Result<Vec<u8>, Error> {
        let response = self
            .send_within(budget, &Request::get(link, prefer))
            .await?;
        budget.restore();
        Ok(response.body)
    }
}

/// Whether a service that has no such resource, or a firewall in front of it, would respond like
/// this; a success is one whose response has no parts. If something else is wrong, each single
/// request fails too.
fn rejects_batches(error: &Error) -> bool {
    let status = error.status();
    status.is_some_and(|status| !matches!(status, 401 | 408 | 429 | 502..=504))
}
