//! The list of streams.

use super::change_detection::ChangeDetection;
use super::stream::{HISTORY, HISTORY_TITLE, MEMBERS, MEMBERS_TITLE, StreamKind, StreamName};
use super::table::is_readable;
use crate::dataverse::Client;
use crate::dataverse::metadata::{self, TableSummary};
use crate::error::Error;
use crate::host::Host;
use crate::ordered;

/// A stream without its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The name that selects it: of a table the logical name.
    pub name: String,
    /// For people, in the signed-in account's language.
    pub title: String,
    /// How later syncs find changes.
    pub change_detection: ChangeDetection,
}

impl Summary {
    /// Where its rows come from.
    pub fn kind(&self) -> StreamKind {
        StreamName::of(&self.name).kind()
    }
}

/// Every readable stream, by name.
///
/// # Errors
/// The error of the connection or of the service.
pub async fn list<H: Host>(client: &Client<H>) -> Result<Vec<Summary>, Error> {
    let tables = readable_tables(client).await?;
    let mut streams: Vec<Summary> = tables
        .iter()
        .map(|table| Summary {
            name: table.logical_name.clone(),
            title: table
                .title
                .clone()
                .unwrap_or_else(|| table.logical_name.clone()),
            change_detection: ChangeDetection::of(table),
        })
        .collect();
    // Each of these is read from a table that not every environment has.
    for (table, name, title, change_detection) in [
        ("audit", HISTORY, HISTORY_TITLE, ChangeDetection::Watermark),
        ("listmember", MEMBERS, MEMBERS_TITLE, ChangeDetection::None),
    ] {
        if tables.iter().any(|known| known.logical_name == table) {
            streams.push(Summary {
                name: name.to_owned(),
                title: title.to_owned(),
                change_detection,
            });
        }
    }
    ordered::sort_by(&mut streams, |a, b| a.name.cmp(&b.name));
    Ok(streams)
}

/// Every readable table, by name.
pub(super) async fn readable_tables<H: Host>(
    client: &Client<H>,
) -> Result<Vec<TableSummary>, Error> {
    let mut tables = metadata::list(client).await?;
    tables.retain(is_readable);
    ordered::sort_by(&mut tables, |a, b| a.logical_name.cmp(&b.logical_name));
    Ok(tables)
}
