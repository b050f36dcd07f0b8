//! Columns that field security hides from the account.
//!
//! Their values are null, like those of empty columns. But the service rejects a filter on such a
//! column, so a request with a filter finds them without another privilege.

use crate::catalog::{Column, Table};
use crate::dataverse::query::Query;
use crate::dataverse::{Client, Prefer};
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// `AttributePermissionReadIsMissing`.
const READ_IS_MISSING: &str = "0x8004f504";

/// The selected columns of a table that field security hides from the account.
///
/// # Errors
/// What concerns the connection.
pub(super) async fn unreadable<H: Host>(
    client: &Client<H>,
    table: &Table,
    selected: &[String],
) -> Result<Vec<String>, Error> {
    let is_wanted = |column: &&Column| {
        column.secured && (selected.is_empty() || selected.contains(&column.name))
    };
    let secured: Vec<&Column> = table.columns.iter().filter(is_wanted).collect();
    let mut links = Vec::with_capacity(secured.len());
    for column in &secured {
        let query = Query::new(&table.entity_set)
            .select(&[&table.primary_key])
            .option("$filter", &format!("{} eq null", column.wire_name()))
            .option("$top", "1");
        links.push(client.resource(query.as_str())?);
    }
    let mut unreadable = Vec::new();
    if links.is_empty() {
        return Ok(unreadable);
    }
    let responses = client.batch(&links, &Prefer::default()).await?;
    for (column, response) in secured.iter().zip(responses) {
        if let Err(error) = response
            && (error.kind == ErrorKind::Forbidden
                || error
                    .fault
                    .is_some_and(|fault| fault.code == READ_IS_MISSING))
        {
            unreadable.push(column.name.clone());
        }
    }
    Ok(unreadable)
}
