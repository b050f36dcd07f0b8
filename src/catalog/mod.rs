//! What there is to read: tables as streams, their columns, and what their rows look like.

mod column;
mod derived;
mod new_column;
mod query;
mod row_schema;
mod stream;
mod suggest;
mod table;
mod views;

pub use crate::dataverse::metadata::{Bounds, Cardinality, Relationship};
pub use column::{Choice, Column, DataType, Requirement};
pub(crate) use derived::{ENTRY_CHANGES, history_table, is_of_entry, members_table};
pub use new_column::{NewChoice, NewColumn, NewType, create as create_column};
pub(crate) use query::{ROW_NUMBER, shape as query_shape};
pub(crate) use row_schema::row_schema;
pub use stream::StreamKind;
pub(crate) use stream::StreamName;
pub(crate) use suggest::did_you_mean;
pub use table::{AlternateKey, ChangeDetection, Table};
pub(crate) use views::open as open_view;
pub use views::{View, list as list_views};

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;

use crate::dataverse::Client;
use crate::dataverse::metadata::{self, Extent, TableDefinition, TableSummary};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Started};
use crate::ordered;

/// The most streams that one call describes.
const MOST_NAMES: usize = 100;
/// The most that the descriptions of one call take in memory, in bytes, about. Handing them
/// over takes as much again.
const MOST_BYTES: usize = 20 << 20;
/// How many tables are asked about together.
const GROUP: usize = 10;
/// How many groups are asked about at once. Each may have a batch in memory.
const GROUPS_AT_ONCE: usize = 3;
/// What a name takes in memory beside itself, in bytes, about.
const NAME: usize = 48;

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
    /// By what later syncs find changes, and what they cannot find; for people.
    pub change_detection_reason: String,
    /// How its rows relate to those of other streams.
    pub relationships: Vec<Relationship>,
    /// JSON Schema 2020-12 of the rows when every column is selected.
    pub row_schema: String,
}

/// Every readable stream, by name.
///
/// # Errors
/// What the connection or the service said; a stream alone never fails the list.
pub async fn list<H: Host>(client: &Client<H>) -> Result<Vec<Summary>, Error> {
    let tables = readable(client).await?;
    let mut streams: Vec<Summary> = tables.iter().map(summary).collect();
    let has = |name: &str| tables.iter().any(|table| table.logical_name == name);
    let derived = [
        (has("audit"), stream::HISTORY, derived::HISTORY_TITLE),
        (has("listmember"), stream::MEMBERS, derived::MEMBERS_TITLE),
    ];
    for (is_there, name, title) in derived {
        if is_there {
            streams.push(Summary {
                name: name.to_owned(),
                title: title.to_owned(),
                change_detection: match name {
                    stream::HISTORY => ChangeDetection::Watermark,
                    _ => ChangeDetection::None,
                },
            });
        }
    }
    ordered::sort_by(&mut streams, |a, b| a.name.cmp(&b.name));
    Ok(streams)
}

/// The named streams, in the order asked for.
///
/// # Errors
/// `NotFound` for a name that is no readable table, with names that are like it;
/// `Unsupported` for more than a call can hold.
pub async fn describe<H: Host>(
    client: &Client<H>,
    names: &[String],
) -> Result<Vec<Description>, Error> {
    if names.len() > MOST_NAMES {
        return Err(too_many(names.len()));
    }
    let is_table = |name: &&String| matches!(StreamName::of(name), StreamName::Table(_));
    let tables: Vec<String> = names.iter().filter(is_table).cloned().collect();
    let mut tables = describe_tables(client, &tables).await?.into_iter();
    let mut descriptions = Vec::with_capacity(names.len());
    for name in names {
        if is_table(&name) {
            descriptions.extend(tables.next());
        } else {
            descriptions.push(describe_table(derived(client, name).await?));
        }
    }
    Ok(descriptions)
}

/// A stream that is no table.
async fn derived<H: Host>(client: &Client<H>, name: &str) -> Result<Table, Error> {
    match StreamName::of(name) {
        StreamName::View(view) => Ok(views::open(client, name, view).await?.0),
        StreamName::Members => Ok(members_table()),
        StreamName::History(table) => history_table(client, table).await,
        StreamName::Table(_) | StreamName::Query => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "what the rows of {name} look like follows from the text of the query; sync it: \
                 the schema that comes first tells"
            ),
        )),
    }
}

async fn describe_tables<H: Host>(
    client: &Client<H>,
    names: &[String],
) -> Result<Vec<Description>, Error> {
    let mut descriptions: Vec<Description> = Vec::with_capacity(names.len());
    let mut size = 0;
    let mut groups = names.chunks(GROUP);
    let mut running = VecDeque::new();
    loop {
        // One always, more as long as the service has room.
        let at_once = client.concurrency().min(GROUPS_AT_ONCE);
        while running.is_empty() || (running.len() < at_once && client.spare_concurrency() > 0) {
            let Some(group) = groups.next() else { break };
            running.push_back(Started::new(definitions(client.clone(), group.to_vec())).await);
        }
        let Some(mut first) = running.pop_front() else {
            return Ok(descriptions);
        };
        let found = poll_fn(|context| {
            for later in &mut running {
                later.drive(context);
            }
            Pin::new(&mut first).poll(context)
        });
        for definition in found.await? {
            let name = names.get(descriptions.len()).map_or("", String::as_str);
            let description = describe_table(readable_table(client, name, definition).await?);
            size += description.size();
            if size > MOST_BYTES {
                return Err(too_many(names.len()));
            }
            descriptions.push(description);
        }
    }
}

type Definitions = Vec<Option<TableDefinition>>;

async fn definitions<H: Host>(client: Client<H>, names: Vec<String>) -> Result<Definitions, Error> {
    metadata::tables(&client, &names, Extent::Relationships).await
}

fn too_many(count: usize) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "the descriptions of {count} streams are more than one call can hold; ask for at \
             most {MOST_NAMES} at once, and for fewer if they have many columns"
        ),
    )
}

/// One table by name.
///
/// # Errors
/// `NotFound` if it is no readable table, with names that are like it.
pub(crate) async fn read<H: Host>(client: &Client<H>, name: &str) -> Result<Table, Error> {
    let definition = metadata::table(client, name, Extent::Rows).await?;
    readable_table(client, name, definition).await
}

async fn readable_table<H: Host>(
    client: &Client<H>,
    name: &str,
    definition: Option<TableDefinition>,
) -> Result<Table, Error> {
    if let Some(definition) = definition {
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
        change_detection_reason: table::change_detection_reason(&table),
        primary_key: table.key(),
        summary: Summary {
            name: table.name,
            title: table.title,
            change_detection: table.change_detection,
        },
        name_column: table.name_column,
        columns: table.columns,
        alternate_keys: table.alternate_keys,
        relationships: table.relationships,
        row_schema,
    }
}

impl Summary {
    /// What its rows come from.
    pub fn kind(&self) -> StreamKind {
        StreamName::of(&self.name).kind()
    }
}

impl Description {
    /// What it takes in memory, about.
    fn size(&self) -> usize {
        let columns: usize = self
            .columns
            .iter()
            .map(|column| {
                let names = column.name.len() + column.title.len();
                let choices = column.choices.iter();
                size_of::<Column>()
                    + names
                    + choices
                        .map(|choice| size_of::<Choice>() + choice.label.len())
                        .sum::<usize>()
                    + column.targets.len() * NAME
            })
            .sum();
        let relationships = self.relationships.len() * (size_of::<Relationship>() + 4 * NAME);
        columns + relationships + self.row_schema.len()
    }
}

#[cfg(test)]
mod tests;
