//! Batches: many requests in one, with an outcome for each item (reference 8.1, 8.2).

use super::Client;
use super::attempt::BATCH;
use crate::dataverse::request::{Item, Request};
use crate::dataverse::response::Outcome;
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// The most requests in one batch (reference 8.1).
pub(super) const MAX_REQUESTS: usize = 1_000;

impl<H: Host> Client<H> {
    /// Sends up to 1,000 requests in one, and returns the outcome of each item, in order. They are
    /// carried out one after the other; one that fails does not stop the following ones. The batch
    /// is repeated only if that is safe for each of its requests, or if it never started.
    ///
    /// # Errors
    /// An error that concerns the whole batch, with what may have been changed; `Internal` for a
    /// batch that the service never accepts.
    pub async fn send_batch(&self, items: &[Item<'_>]) -> Result<Vec<Outcome>, Error> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        check(items)?;
        let link = self.resource(BATCH)?;
        let response = self.send(&Request::batch(&link, items)).await?;
        Ok(response.outcomes)
    }
}

/// Checks what a batch must not hold (reference 8.1).
fn check(items: &[Item<'_>]) -> Result<(), Error> {
    let count: usize = items.iter().map(|item| item.requests().len()).sum();
    let reason = if count > MAX_REQUESTS {
        format!("it has {count} requests, and Dataverse accepts {MAX_REQUESTS}")
    } else if items.iter().any(has_nothing_to_change) {
        "a change set is empty or has a request that reads".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new(
        ErrorKind::Internal,
        format!("cannot send a batch: {reason}; this is a defect of the connector"),
    ))
}

fn has_nothing_to_change(item: &Item<'_>) -> bool {
    match item {
        Item::One(_) => false,
        Item::ChangeSet(requests) => {
            requests.is_empty() || requests.iter().any(Request::only_reads)
        }
    }
}
