//! Batches: many requests in one, with an outcome for each item (reference 8.1, 8.2).

use super::Client;
use super::attempt::BATCH;
use crate::call::Budget;
use crate::dataverse::request::{Item, Request};
use crate::dataverse::response::Outcome;
use crate::error::Error;
use crate::host::Host;

/// The most requests in one batch (reference 8.1).
pub(super) const MAX_REQUESTS: usize = 1_000;

impl<H: Host> Client<H> {
    /// Sends up to 1,000 requests in one, and returns the outcome of each item, in order. They are
    /// carried out one after the other; one that fails does not stop the following ones. The batch
    /// is repeated only if that is safe for each of its requests, or if it never started.
    ///
    /// # Errors
    /// An error that concerns the whole batch, with what may have been changed.
    pub async fn send_batch(&self, items: &[Item<'_>]) -> Result<Vec<Outcome>, Error> {
        self.send_batch_within(&mut Budget::new(self.policy), items)
            .await
    }

    pub(super) async fn send_batch_within(
        &self,
        budget: &mut Budget,
        items: &[Item<'_>],
    ) -> Result<Vec<Outcome>, Error> {
        let link = self.resource(BATCH)?;
        let request = Request::batch(&link, items);
        let response = self.send_within(budget, &request).await?;
        Ok(response.outcomes)
    }
}
