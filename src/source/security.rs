//! Columns that field security keeps from the account.
//!
//! They come as null, like columns without a value. A condition on one of them is refused, and
//! that tells: it takes no privilege to find out.

use crate::catalog::{Column, StreamKind, StreamName, Table};
use crate::dataverse::query::Query;
use crate::dataverse::{Client, Prefer};
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// `AttributePermissionReadIsMissing`.
const READ_IS_MISSING: &str = "0x8004f504";

/// The secured columns of a table that the account may not read, of those that are selected.
///
/// # Errors
/// What concerns the connection.
pub(super) async fn unreadable<H: Host>(
    client: &Client<H>,
    table: &Table,
    selected: &[String],
) -> Result<Vec<String>, Error> {
    let is_table = StreamName::of(&table.name).kind() == StreamKind::Table;
    let is_wanted = |column: &&Column| {
        column.secured && is_table && (selected.is_empty() || selected.contains(&column.name))
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
    let answers = client.batch(&links, &Prefer::default()).await?;
    for (column, answer) in secured.iter().zip(answers) {
        if let Err(error) = answer
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
