//! Streams with their columns.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;

use super::derived::{history_table, members_table};
use super::read::readable;
use super::stream::StreamName;
use super::table::Table;
use super::views;
use crate::dataverse::Client;
use crate::dataverse::metadata::{self, Extent, TableDefinition};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Started};

/// The most streams that one call describes.
pub(super) const MAX_NAMES: usize = 100;
/// The approximate limit for the streams of one call in memory, in bytes. The data for the host and
/// the batches in flight are not included.
pub(super) const MAX_BYTES: usize = 16 << 20;
/// How many tables are requested together.
pub(super) const GROUP: usize = 10;
/// How many groups are requested at a time. Each may have a batch in memory.
pub(super) const MAX_RUNNING: usize = 3;

/// The named streams, in the order requested.
///
/// # Errors
/// `NotFound` for a name that is not a readable table, with names that are similar; `Unsupported`
/// for more than one call can hold; or the error of the service.
pub async fn describe<H: Host>(client: &Client<H>, names: &[String]) -> Result<Vec<Table>, Error> {
    if names.len() > MAX_NAMES {
        return Err(too_many(names.len()));
    }
    let is_table = |name: &&String| matches!(StreamName::of(name), StreamName::Table(_));
    let tables: Vec<String> = names.iter().filter(is_table).cloned().collect();
    let mut tables = describe_tables(client, &tables).await?.into_iter();
    let mut described = Vec::with_capacity(names.len());
    for name in names {
        if is_table(&name) {
            described.extend(tables.next());
        } else {
            described.push(describe_other(client, name).await?);
        }
    }
    Ok(described)
}

/// A stream that is not a table.
async fn describe_other<H: Host>(client: &Client<H>, name: &str) -> Result<Table, Error> {
    match StreamName::of(name) {
        StreamName::View(view) => Ok(views::open(client, name, view).await?.0),
        StreamName::Members => Ok(members_table()),
        StreamName::History(table) => history_table(client, table).await,
        StreamName::Table(_) | StreamName::Query => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "cannot describe {name}: its columns follow from the text of the query; sync it \
                 and read the schema that comes first"
            ),
        )),
    }
}

async fn describe_tables<H: Host>(
    client: &Client<H>,
    names: &[String],
) -> Result<Vec<Table>, Error> {
    let mut tables: Vec<Table> = Vec::with_capacity(names.len());
    let mut size = 0;
    let mut groups = names.chunks(GROUP);
    let mut running = VecDeque::new();
    loop {
        // Always one, more while the rate limiter has room.
        let at_once = client.concurrency().min(MAX_RUNNING);
        while running.is_empty() || (running.len() < at_once && client.spare_concurrency() > 0) {
            let Some(group) = groups.next() else { break };
            running.push_back(Started::new(definitions(client.clone(), group.to_vec())).await);
        }
        let Some(mut first) = running.pop_front() else {
            return Ok(tables);
        };
        let found = poll_fn(|context| {
            for later in &mut running {
                later.drive(context);
            }
            Pin::new(&mut first).poll(context)
        });
        for definition in found.await? {
            let name = names.get(tables.len()).map_or("", String::as_str);
            let table = readable(client, name, definition).await?;
            size += table.size();
            if size > MAX_BYTES {
                return Err(too_many(names.len()));
            }
            tables.push(table);
        }
    }
}

async fn definitions<H: Host>(
    client: Client<H>,
    names: Vec<String>,
) -> Result<Vec<Option<TableDefinition>>, Error> {
    metadata::tables(&client, &names, Extent::Relationships).await
}

fn too_many(count: usize) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "cannot describe {count} streams in one call: their descriptions do not fit into \
             memory; request at most {MAX_NAMES} at a time, and fewer if they have many columns"
        ),
    )
}
