//! Reading small responses, and few rows, all at once.

use super::client::{Client, unreadable};
use super::link::Link;
use super::preferences::Prefer;
use super::query::Query;
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::json::Object;

/// The most pages, of 5,000 rows each.
const MAX_PAGES: usize = 20;

/// The reason why a response cannot be used.
pub(super) const INCOMPLETE: &str = "a required property is missing";

/// All rows, page after page; `read` returns none for a row in which something is missing.
pub(crate) async fn rows<H: Host, T>(
    client: &Client<H>,
    query: &Query,
    read: impl Fn(&Object<'_>) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let mut rows = Vec::new();
    for page in pages(client, query).await? {
        let page = Object::parse(&page);
        for row in page.iter().flat_map(|page| page.objects("value")) {
            let Some(row) = read(&row) else {
                return Err(unreadable(&client.resource(query.as_str())?, &INCOMPLETE));
            };
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Every page, each with a list of rows.
pub(crate) async fn pages<H: Host>(
    client: &Client<H>,
    query: &Query,
) -> Result<Vec<Vec<u8>>, Error> {
    let mut link = client.resource(query.as_str())?;
    let mut pages = Vec::new();
    for _ in 0..MAX_PAGES {
        let page = client.get_json(&link, &Prefer::default()).await?;
        let next = Object::parse(&page)
            .filter(|page| page.elements("value").is_some())
            .map(|page| page.text("@odata.nextLink"))
            .ok_or_else(|| unreadable(&link, &INCOMPLETE))?;
        pages.push(page);
        match next {
            Some(next) => link = client.link(&next)?,
            None => return Ok(pages),
        }
    }
    Err(Error::new(
        ErrorKind::Unavailable,
        format!(
            "cannot read {}: more than {MAX_PAGES} pages; try again later",
            link.resource_name()
        ),
    ))
}

/// Reads one response; `read` returns none if something is missing in it.
pub(crate) async fn get<H: Host, T>(
    client: &Client<H>,
    query: &Query,
    read: impl FnOnce(&Object<'_>) -> Option<T>,
) -> Result<T, Error> {
    let link = client.resource(query.as_str())?;
    client.read(&link, read).await
}

impl<H: Host> Client<H> {
    /// Reads a small response; `read` returns none if something is missing in it.
    ///
    /// # Errors
    /// As for [`get_json`](Self::get_json).
    pub(crate) async fn read<T>(
        &self,
        link: &Link,
        read: impl FnOnce(&Object<'_>) -> Option<T>,
    ) -> Result<T, Error> {
        let body = self.get_json(link, &Prefer::default()).await?;
        let response = Object::parse(&body);
        response
            .and_then(|response| read(&response))
            .ok_or_else(|| unreadable(link, &INCOMPLETE))
    }
}
