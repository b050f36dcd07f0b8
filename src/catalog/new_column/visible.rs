//! Waiting until a new column is seen.
//!
//! The service answers from caches that lag about half a minute behind (reference §5.1,
//! §13 no. 28). Whoever is told that a column is there uses it at once.

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
/// How often it is looked for: for about a minute altogether.
const LOOKS: u32 = 7;

/// The column, once both the metadata and the rows of the table have it.
///
/// # Errors
/// What the service said, and `Unavailable` if it does not show the column in time.
pub(super) async fn wait<H: Host>(
    client: &Client<H>,
    table: &str,
    entity_set: &str,
    name: &SchemaName,
    new: &NewColumn,
) -> Result<Column, Error> {
    let mut pause = FIRST_PAUSE;
    for look in 1..=LOOKS {
        if let Some(column) = seen(client, table, entity_set, name, new).await? {
            return Ok(column);
        }
        if look < LOOKS {
            client.host().sleep(pause).await;
        }
        pause *= 2;
    }
    Err(Error::new(
        ErrorKind::Unavailable,
        format!(
            "the column {} of {table} is there, but the service does not show it yet; use it in a \
             minute",
            name.logical()
        ),
    ))
}

async fn seen<H: Host>(
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
        // Whoever may not read the rows cannot look.
        Err(error) if error.kind == ErrorKind::Forbidden => Ok(Some(column)),
        Err(error) if is_unknown(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the service does not know the column, or the table, as it says.
fn is_unknown(error: &Error) -> bool {
    matches!(error.status(), Some(400 | 404))
}
