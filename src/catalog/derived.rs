//! Streams that are made of several tables.

use super::change_detection::ChangeDetection;
use super::column::{Column, DataType};
use super::read::read;
use super::stream::{HISTORY, HISTORY_TITLE, MEMBERS, MEMBERS_TITLE};
use super::table::Table;
use crate::dataverse::Client;
use crate::error::Error;
use crate::host::Host;

/// The column of the log with the changes of an entry. It is read but not returned.
pub(crate) const ENTRY_CHANGES: &str = "changedata";

/// The columns with the details of an entry, which has one row for each column that changed.
const DETAILS: [(&str, &str); 7] = [
    ("column", "Column"),
    ("oldvalue", "Old value"),
    ("newvalue", "New value"),
    ("oldvaluename", "Old label"),
    ("newvaluename", "New label"),
    ("detail", "What was granted or revoked"),
    // `old`, `new` or `both`: which value the service truncated.
    ("truncated", "Truncated"),
];

/// Whether the column describes the entry of the log, rather than a change in it.
pub(crate) fn is_of_entry(column: &str) -> bool {
    !DETAILS.iter().any(|(name, _)| *name == column)
}

/// Who changed what, and when (reference §10): a row for each column that changed, or for each
/// right that was granted or revoked. With `table`, only for the rows of that table.
///
/// # Errors
/// `NotFound` if there is no such table, or the error of the service.
pub(crate) async fn history_table<H: Host>(
    client: &Client<H>,
    table: Option<&str>,
) -> Result<Table, Error> {
    let audit = read(client, "audit").await?;
    if let Some(table) = table {
        read(client, table).await?;
    }
    let of_entry = [
        "auditid",
        "createdon",
        "operation",
        "action",
        "objecttypecode",
        "objectid",
        "userid",
        "callinguserid",
        "transactionid",
    ];
    let mut columns: Vec<Column> = of_entry
        .iter()
        .filter_map(|name| audit.column(name).cloned())
        .collect();
    for (name, title) in DETAILS {
        let column = Column::new(name.to_owned(), title.to_owned(), DataType::Text);
        columns.push(Column {
            nullable: name != "column",
            ..column
        });
    }
    let name = match table {
        Some(table) => format!("{HISTORY}:{table}"),
        None => HISTORY.to_owned(),
    };
    let title = HISTORY_TITLE.to_owned();
    let mut history = Table::derived(&name, title, &audit.entity_set, "auditid", columns);
    history.second_key = Some("column".to_owned());
    history.change_detection = ChangeDetection::Watermark;
    Ok(history)
}

/// The members of static and dynamic marketing lists (reference §12.3).
pub(crate) fn members_table() -> Table {
    let column = |name: &str, title: &str, data_type| {
        Column::new(name.to_owned(), title.to_owned(), data_type)
    };
    let to = |name: &str, title: &str, targets: &[&str]| Column {
        targets: targets.iter().map(|name| (*name).to_owned()).collect(),
        nullable: false,
        ..column(name, title, DataType::Reference)
    };
    let columns = vec![
        to("listid", "List", &["list"]),
        to("entityid", "Member", &["account", "contact", "lead"]),
        column("entitytype", "Member's table", DataType::StreamName),
        // `list` of a static list, `query` of a dynamic one, whose query finds its members.
        column("source", "Source of the membership", DataType::Text),
    ];
    let mut table = Table::derived(MEMBERS, MEMBERS_TITLE.to_owned(), "", "listid", columns);
    table.second_key = Some("entityid".to_owned());
    table
}
