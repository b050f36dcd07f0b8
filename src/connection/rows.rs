//! Reading few rows, all at once.

use serde_json::Value;

use crate::dataverse::query::Query;
use crate::dataverse::{Client, Prefer, Record, unreadable};
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// Nothing that is read here has more pages, of 5,000 rows each.
const MAX_PAGES: usize = 20;

/// All rows, page after page; `read` gives none for a row that lacks what was asked for.
pub(super) async fn rows<H: Host, T>(
    client: &Client<H>,
    query: &Query,
    read: impl Fn(Record<'_>) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let rows = values(client, query).await?;
    let read: Option<Vec<T>> = rows.iter().map(Record).map(read).collect();
    read.map_or_else(|| incomplete(client, query), Ok)
}

/// Reads one answer; `read` gives none if it lacks what was asked for.
pub(super) async fn get<H: Host, T>(
    client: &Client<H>,
    query: &Query,
    read: impl FnOnce(Record<'_>) -> Option<T>,
) -> Result<T, Error> {
    let link = client.resource(query.as_str())?;
    let answer: Value = client.get_json(&link, &Prefer::default()).await?;
    read(Record(&answer)).map_or_else(|| incomplete(client, query), Ok)
}

async fn values<H: Host>(client: &Client<H>, query: &Query) -> Result<Vec<Value>, Error> {
    let mut link = client.resource(query.as_str())?;
    let mut rows = Vec::new();
    for _ in 0..MAX_PAGES {
        let page: Value = client.get_json(&link, &Prefer::default()).await?;
        let page = Record(&page);
        match page.list("value") {
            Some(values) => rows.extend_from_slice(values),
            None => return incomplete(client, query),
        }
        match page.text("@odata.nextLink") {
            Some(next) => link = client.link(next)?,
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

fn incomplete<H: Host, T>(client: &Client<H>, query: &Query) -> Result<T, Error> {
    let link = client.resource(query.as_str())?;
    Err(unreadable(&link, &"it lacks what was asked for"))
}
