//! Decides whether a full read is divided into ranges, and into which.

use std::rc::Rc;

use super::super::keys::{Found, Keys};
use super::sizes::Sizes;
use crate::dataverse::Client;
use crate::error::Error;
use crate::host::{Host, Started};
use crate::json::Object;
use crate::source::kind::Listing;
use crate::source::position::{LaterChanges, MarkColumn, Method, Ranges};
use crate::source::rejection;

/// How many pages a table must have to be read in ranges. Requesting the bounds, a page or two
/// of each range and the tail take about as long as four pages, one after another.
const MIN_PAGES: u64 = 8;

/// The ranges of a table.
pub(in crate::source) struct Survey {
    pub(in crate::source) ranges: Ranges,
    /// Why the service does not track changes here, if that turned out.
    pub(in crate::source) untracked: Option<&'static str>,
}

/// Finds out whether the table is large enough for ranges, and where they start and end. `None` if
/// it is read page after page. Of a tracked table the first page of its baseline is read: only what
/// is read after that may count as part of it.
///
/// # Errors
/// An error that any other request for the table would have too.
pub(in crate::source) async fn survey<H: Host>(
    client: Client<H>,
    listing: Rc<Listing>,
    sizes: Rc<Sizes<H>>,
    method: Method,
    max_page_rows: u32,
) -> Result<Option<Survey>, Error> {
    let page_size = listing.plan.page_size().min(max_page_rows).max(1);
    let rows = sizes.of(listing.stream()).await.unwrap_or(0);
    let pages = rows / u64::from(page_size);
    if pages < MIN_PAGES {
        return Ok(None);
    }
    let newest = first_version(&client, &listing, "desc").await;
    let newest = wait_if_busy(&client, newest).await;
    let oldest = first_version(&client, &listing, "asc").await;
    let oldest = wait_if_busy(&client, oldest).await;
    let mut untracked = None;
    let later = match method {
        Method::Tracked { plain } => match start_baseline(&client, &listing, max_page_rows).await {
            (page_size, Ok(Found::Next(next))) => LaterChanges::Baseline {
                plain,
                next,
                page_size,
            },
            (_, Ok(Found::Delta(link))) => LaterChanges::Delta { plain, link },
            (_, Ok(Found::DeltaOfKeysOnly)) => return Ok(None),
            (_, Ok(Found::Nothing)) => {
                untracked = Some(NO_DELTA_LINK);
                LaterChanges::Versions { fallback: true }
            }
            (_, Err(error)) => {
                untracked = Some(rejection::tracking_unavailable(&error).ok_or(error)?);
                LaterChanges::Versions { fallback: true }
            }
        },
        Method::Watermark { fallback, .. } => LaterChanges::Versions { fallback },
        Method::Full => return Ok(None),
    };
    let (Some(newest), Some(oldest)) = (known(newest.await)?, known(oldest.await)?) else {
        return Ok(None);
    };
    let pages = usize::try_from(pages).unwrap_or(usize::MAX);
    let parts = client.settings().limits.max_concurrency.min(pages);
    Ok(Some(Survey {
        ranges: Ranges::new(oldest, newest, parts, page_size, later),
        untracked,
    }))
}

/// Why changes are not tracked where the service omits the delta link.
pub(super) const NO_DELTA_LINK: &str = "the service returns no delta link";

/// Waits for the response if the client may have no other request in flight beside this one.
async fn wait_if_busy<H: Host, T: Unpin + 'static>(
    client: &Client<H>,
    request: Started<T>,
) -> Started<T> {
    if client.spare_concurrency() > 0 {
        request
    } else {
        Started::new(std::future::ready(request.await)).await
    }
}

/// Reads the first page of the baseline, with pages as large as the service can handle, and
/// returns their size.
async fn start_baseline<H: Host>(
    client: &Client<H>,
    listing: &Rc<Listing>,
    max_page_rows: u32,
) -> (u32, Result<Found, Error>) {
    let mut page_size = listing.plan.max_page_rows().min(max_page_rows).max(1);
    loop {
        let found = match Keys::baseline(client, listing, page_size) {
            Ok(mut keys) => keys.next().await,
            Err(error) => Err(error),
        };
        match found {
            Err(error) if rejection::needs_smaller_pages(&error) && page_size > 1 => {
                page_size = (page_size / 4).max(1);
            }
            found => return (page_size, found),
        }
    }
}

/// Requests the first version in an order.
async fn first_version<H: Host>(
    client: &Client<H>,
    listing: &Listing,
    order: &str,
) -> Started<Result<Option<i64>, Error>> {
    let query = listing.first_version(order);
    let client = client.clone();
    Started::new(async move {
        let link = client.resource(query.as_str())?;
        client.read(&link, version_of_first_row).await
    })
    .await
}

/// The version in the first row, if there is one.
#[expect(
    clippy::option_option,
    reason = "a list without rows is a response, and no list of rows is none"
)]
fn version_of_first_row(response: &Object<'_>) -> Option<Option<i64>> {
    let first = response.list("value")?.next();
    Some(first.and_then(|row| row.integer(MarkColumn::VersionNumber.name())))
}

/// The requested version; none if there is no row, or if the service does not put this table in
/// order by version.
fn known(version: Result<Option<i64>, Error>) -> Result<Option<i64>, Error> {
    match version {
        Err(error)
            if rejection::is_version_order_unsupported(&error)
                || rejection::is_server_error(&error) =>
        {
            Ok(None)
        }
        version => version,
    }
}
