//! What there is to read: tables as streams, their columns, and what their rows look like.

mod column;
mod row_schema;
mod stream;
mod suggest;
mod table;

pub use column::{Choice, Column, DataType};
pub(crate) use row_schema::row_schema;
pub use stream::StreamKind;
pub(crate) use stream::StreamName;
pub(crate) use suggest::did_you_mean;
pub use table::{AlternateKey, ChangeDetection, Table};

use std::collections::VecDeque;

use crate::connection::Session;
use crate::dataverse::Client;
use crate::dataverse::metadata::{self, TableSummary};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Started};
use crate::ordered;

/// A stream in few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The table's logical name.
    pub name: String,
    /// Its title in the signed-in account's language.
    pub title: String,
    /// How later syncs find what has changed.
    pub change_detection: ChangeDetection,
}

/// A stream with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// In few words.
    pub summary: Summary,
    /// The columns that together name a row.
    pub primary_key: Vec<String>,
    /// The column that names a row for people.
    pub name_column: Option<String>,
    /// The columns of rows, in the service's order.
    pub columns: Vec<Column>,
    /// Other sets of columns that name a row.
    pub alternate_keys: Vec<AlternateKey>,
    /// JSON Schema 2020-12 of the rows when every column is selected.
    pub row_schema: String,
}

/// Every readable stream, by name.
///
/// # Errors
/// What the connection or the service said; a stream alone never fails the list.
pub async fn list<H: Host>(session: &Session<H>) -> Result<Vec<Summary>, Error> {
    Ok(readable(session.client())
        .await?
        .iter()
        .map(summary)
        .collect())
}

/// The named streams, in the order asked for.
///
/// # Errors
/// `NotFound` for a name that is no readable table, with names that are like it.
pub async fn describe<H: Host>(
    session: &Session<H>,
    names: &[String],
) -> Result<Vec<Description>, Error> {
    let mut descriptions = Vec::with_capacity(names.len());
    let mut names = names.iter();
    let mut running = VecDeque::new();
    loop {
        // One always, more as long as the service has room.
        while running.is_empty() || session.client().room() > 0 {
            let Some(name) = names.next() else { break };
            let (client, name) = (session.client().clone(), name.clone());
            running.push_back(Started::new(async move { read(&client, &name).await }).await);
        }
        let Some(first) = running.pop_front() else {
            return Ok(descriptions);
        };
        descriptions.push(describe_table(first.await?));
    }
}

/// One table by name.
///
/// # Errors
/// `NotFound` if it is no readable table, with names that are like it.
pub(crate) async fn read<H: Host>(client: &Client<H>, name: &str) -> Result<Table, Error> {
    if let Some(definition) = metadata::table(client, name).await? {
        return Table::from_definition(definition).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!(
                    "the table {name} exists, but cannot be read through the Web API; leave it out"
                ),
            )
        });
    }
    // Which names there are is worth a request only once a name has turned out wrong.
    let known = readable(client).await?;
    let names = known.iter().map(|table| table.logical_name.as_str());
    let hint = did_you_mean(name, names)
        .unwrap_or_else(|| "list the streams to see which there are".to_owned());
    let shown: String = name.chars().filter(|c| !c.is_control()).take(128).collect();
    Err(Error::new(
        ErrorKind::NotFound,
        format!("there is no table {shown:?} in this environment, or not for this account; {hint}"),
    ))
}

async fn readable<H: Host>(client: &Client<H>) -> Result<Vec<TableSummary>, Error> {
    let mut tables = metadata::list(client).await?;
    tables.retain(table::is_readable);
    ordered::sort_by(&mut tables, |a, b| a.logical_name.cmp(&b.logical_name));
    Ok(tables)
}

fn summary(table: &TableSummary) -> Summary {
    Summary {
        name: table.logical_name.clone(),
        title: table
            .title
            .clone()
            .unwrap_or_else(|| table.logical_name.clone()),
        change_detection: table::change_detection(table),
    }
}

fn describe_table(table: Table) -> Description {
    let row_schema = row_schema(&table, None, false);
    Description {
        summary: Summary {
            name: table.name,
            title: table.title,
            change_detection: table.change_detection,
        },
        primary_key: vec![table.primary_key],
        name_column: table.name_column,
        columns: table.columns,
        alternate_keys: table.alternate_keys,
        row_schema,
    }
}

#[cfg(test)]
mod tests;
