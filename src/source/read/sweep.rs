//! Finds deletions that the service does not report, by reading every key.

use std::rc::Rc;

use super::keys::{Found, Keys};
use crate::dataverse::Client;
use crate::error::Error;
use crate::host::Host;
use crate::source::kind::Listing;
use crate::source::output::Output;
use crate::source::rejection;

/// Reads the keys of a stream whose changes have been read.
///
/// # Errors
/// When the keys cannot be read; then no row counts as deleted.
pub(in crate::source) async fn sweep<H: Host>(
    client: &Client<H>,
    listing: &Rc<Listing>,
    output: &mut Output,
) -> Result<(), Error> {
    let mut page_size = listing.plan.max_page_rows();
    // Pages that are too large are read again, smaller, from the first key.
    'pages: loop {
        let mut keys = Keys::sweep(client, listing, page_size)?;
        keys.request().await;
        output.sweep();
        loop {
            output.flush().await;
            let found = match keys.next().await {
                Ok(found) => found,
                Err(error) if rejection::needs_smaller_pages(&error) && page_size > 1 => {
                    page_size = (page_size / 4).max(1);
                    continue 'pages;
                }
                Err(error) => return Err(error),
            };
            let rows = keys.take_rows();
            let is_last = !matches!(found, Found::Next(_));
            if !is_last {
                keys.request().await;
            }
            output.present(rows);
            if is_last {
                return Ok(());
            }
        }
    }
}
