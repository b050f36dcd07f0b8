//! Reading few rows, all at once.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::dataverse::query::Query;
use crate::dataverse::{Client, Prefer};
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// Nothing that is read here has more pages, of 5,000 rows each.
const MAX_PAGES: usize = 20;

/// All rows, page after page.
pub(super) async fn rows<H: Host, T: DeserializeOwned>(
    client: &Client<H>,
    query: &Query,
) -> Result<Vec<T>, Error> {
    #[derive(Deserialize)]
    struct Page<T> {
        value: Vec<T>,
        #[serde(rename = "@odata.nextLink")]
        next: Option<String>,
    }

    let mut link = client.resource(query.as_str())?;
    let mut rows = Vec::new();
    for _ in 0..MAX_PAGES {
        let page: Page<T> = client.get_json(&link, &Prefer::default()).await?;
        rows.extend(page.value);
        match page.next {
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

/// Reads one answer.
pub(super) async fn get<H: Host, T: DeserializeOwned>(
    client: &Client<H>,
    query: &Query,
) -> Result<T, Error> {
    let link = client.resource(query.as_str())?;
    client.get_json(&link, &Prefer::default()).await
}
