//! Reading few rows, all at once.

use serde_json::Value;

use super::client::{Client, unreadable};
use super::query::Query;
use super::record::{INCOMPLETE, Record};
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// Nothing that is read here has more pages, of 5,000 rows each.
const MAX_PAGES: usize = 20;

/// All rows, page after page; `read` gives none for a row that lacks what was asked for.
pub(crate) async fn rows<H: Host, T>(
    client: &Client<H>,
    query: &Query,
    read: impl Fn(Record<'_>) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let rows = values(client, query).await?;
    let read: Option<Vec<T>> = rows.iter().map(Record).map(read).collect();
    match read {
        Some(rows) => Ok(rows),
        None => Err(unreadable(&client.resource(query.as_str())?, &INCOMPLETE)),
    }
}

/// Reads one answer; `read` gives none if it lacks what was asked for.
pub(crate) async fn get<H: Host, T>(
    client: &Client<H>,
    query: &Query,
    read: impl FnOnce(Record<'_>) -> Option<T>,
) -> Result<T, Error> {
    let link = client.resource(query.as_str())?;
    client.read(&link, read).await
}

async fn values<H: Host>(client: &Client<H>, query: &Query) -> Result<Vec<Value>, Error> {
    let mut link = client.resource(query.as_str())?;
    let mut rows = Vec::new();
    for _ in 0..MAX_PAGES {
        let next = client.read(&link, |page| {
            rows.extend_from_slice(page.elements("value")?);
            Some(page.text("@odata.nextLink").map(str::to_owned))
        });
        match next.await? {
            Some(next) => link = client.link(&next)?,
            None => return Ok(rows),
        }
    }
    Err(Error::new(
        ErrorKind::Unavailable,
        format!(
            "the rows of {} do not end after {MAX_PAGES} pages; try again later",
            link.resource_name()
        ),
    ))
}
