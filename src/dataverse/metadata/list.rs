//! Every table, without its columns.

use dataverse_metadata::{TableSummary, WATERMARKS};

use super::{TABLE_PROPERTIES, TABLES_PER_FILTER, incomplete, is_rejected};
use crate::dataverse::query::{Query, string_literal};
use crate::dataverse::{Client, Prefer};
use crate::error::{Error, Recovery};
use crate::host::Host;

/// The most tables that are read from a list with pages, in case it never ends.
const MAX_TABLES: usize = 20_000;

/// Every table, in one request.
///
/// Of the columns only the watermarks are requested: by them changes are found if the service does
/// not track the table.
///
/// # Errors
/// The error of the service.
pub async fn list<H: Host>(client: &Client<H>) -> Result<Vec<TableSummary>, Error> {
    let columns = format!(
        "Attributes($select=LogicalName;$filter={})",
        any_of(WATERMARKS.into_iter())
    );
    let query = Query::new("EntityDefinitions").option("$select", TABLE_PROPERTIES);
    match summaries(client, query.clone().option("$expand", &columns)).await {
        // Older versions may reject a filter in an expansion, or send too much.
        Err(error) if is_rejected(&error) || error.recovery == Some(Recovery::SmallerPages) => {}
        response => return response,
    }
    let mut tables = summaries(client, query).await?;
    for some in tables.chunks_mut(TABLES_PER_FILTER) {
        let names = some.iter().map(|table| table.logical_name.as_str());
        let query = Query::new("EntityDefinitions")
            .option("$select", "LogicalName")
            .option("$filter", &any_of(names))
            .option("$expand", "Attributes($select=LogicalName)");
        let found = match summaries(client, query).await {
            // How changes are found is then seen when a table is read.
            Err(error) if error.is_not_offered() => break,
            found => found?,
        };
        for found in found {
            for table in &mut *some {
                table.has_watermark |=
                    found.has_watermark && table.logical_name == found.logical_name;
            }
        }
    }
    Ok(tables)
}

/// The condition for definitions with one of these logical names.
pub(super) fn any_of<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let conditions: Vec<String> = names
        .map(|name| format!("LogicalName eq {}", string_literal(name)))
        .collect();
    conditions.join(" or ")
}

async fn summaries<H: Host>(client: &Client<H>, query: Query) -> Result<Vec<TableSummary>, Error> {
    let mut link = client.resource(query.as_str())?;
    let mut tables = Vec::new();
    loop {
        let body = client.get_json(&link, &Prefer::default()).await?;
        let page = dataverse_metadata::summaries(&body).ok_or_else(|| incomplete(&link))?;
        let before = tables.len();
        tables.extend(page.tables);
        let may_continue = (before + 1..MAX_TABLES).contains(&tables.len());
        // Dataverse sends all definitions at once, but a server with pages would hide the rest.
        match page.next_link {
            Some(next) if may_continue => link = client.link(&next)?,
            _ => return Ok(tables),
        }
    }
}
