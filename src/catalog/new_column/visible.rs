//! Waiting until a new column is visible.
//!
//! The service responds from caches that lag about half a minute behind (reference §5.1, §13 no.
//! 28), but callers may use the column as soon as they know that it exists.

use std::time::Duration;

use super::name::SchemaName;
use super::{Column, NewColumn, described, find};
use crate::dataverse::metadata::{self, Extent};
use crate::dataverse::query::Query;
use crate::dataverse::{Client, Prefer};
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// The first pause; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How often the column is looked for, which takes about a minute in total.
const ATTEMPTS: u32 = 7;

/// The column, once both the metadata and the rows of the table have it.
///
/// # Errors
/// `Unavailable` if the service does not show the column in time, or the error of the service.
pub(super) async fn wait<H: Host>(
    client: &Client<H>,
    table: &str,
    entity_set: &str,
    name: &SchemaName,
    new: &NewColumn,
) -> Result<Column, Error> {
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=ATTEMPTS {
        if let Some(column) = find_visible(client, table, entity_set, name, new).await? {
            return Ok(column);
        }
        if attempt < ATTEMPTS {
            client.host().sleep(pause).await;
        }
        pause *= 2;
    }
    Err(Error::new(
        ErrorKind::Unavailable,
        format!(
            "the column {} of {table} was created, but the service does not show it yet; try again \
             in a minute",
            name.logical()
        ),
    ))
}

async fn find_visible<H: Host>(
    client: &Client<H>,
    table: &str,
    entity_set: &str,
    name: &SchemaName,
    new: &NewColumn,
) -> Result<Option<Column>, Error> {
    let definition = metadata::table(client, table, Extent::Rows).await?;
    let Some(found) = definition.as_ref().and_then(|it| find(it, name)) else {
        return Ok(None);
    };
    let column = described(found, table, new)?;
    let query = Query::new(entity_set)
        .select(&[column.wire_name()])
        .option("$top", "1");
    let link = client.resource(query.as_str())?;
    match client.get(&link, &Prefer::default()).await {
        Ok(_) => Ok(Some(column)),
        // An account that may not read the rows cannot check them.
        Err(error) if error.kind == ErrorKind::Forbidden => Ok(Some(column)),
        Err(error) if is_unknown(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the service does not know the column or the table yet.
fn is_unknown(error: &Error) -> bool {
    matches!(error.status(), Some(400 | 404))
}
