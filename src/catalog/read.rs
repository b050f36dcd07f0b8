//! One table by its name.

use super::list::readable_tables;
use super::suggest::did_you_mean;
use super::table::Table;
use crate::dataverse::Client;
use crate::dataverse::metadata::{self, Extent, TableDefinition};
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// One table by its name, without its relationships.
///
/// # Errors
/// `NotFound` if there is no such table or it is not readable, with names that are similar; or the
/// error of the service.
pub(crate) async fn read<H: Host>(client: &Client<H>, name: &str) -> Result<Table, Error> {
    let definition = metadata::table(client, name, Extent::Rows).await?;
    readable(client, name, definition).await
}

/// The table with this definition; `None` if the service has no table of that name.
///
/// # Errors
/// As for [`read`].
pub(super) async fn readable<H: Host>(
    client: &Client<H>,
    name: &str,
    definition: Option<TableDefinition>,
) -> Result<Table, Error> {
    if let Some(definition) = definition {
        return Table::from_definition(definition).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("cannot read {name}: the Web API has no rows of this table; leave it out"),
            )
        });
    }
    // The list of tables is requested only for the suggestion.
    let known = readable_tables(client).await?;
    let names = known.iter().map(|table| table.logical_name.as_str());
    let hint = did_you_mean(name, names)
        .unwrap_or_else(|| "list the streams to see which exist".to_owned());
    let shown: String = name.chars().filter(|c| !c.is_control()).take(128).collect();
    Err(Error::new(
        ErrorKind::NotFound,
        format!(
            "cannot read {shown:?}: this environment has no such table, or this account cannot see \
             it; {hint}"
        ),
    ))
}
