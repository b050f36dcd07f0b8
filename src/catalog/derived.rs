//! Streams that the connector makes of several tables.

use super::column::{Column, DataType};
use super::stream::{HISTORY, MEMBERS};
use super::table::{ChangeDetection, Table};
use crate::dataverse::Client;
use crate::error::Error;
use crate::host::Host;

/// What the members of lists are called.
pub(super) const MEMBERS_TITLE: &str = "List members";
/// What the history of rows is called.
pub(super) const HISTORY_TITLE: &str = "Audit history";

/// What the log keeps of an entry's changes; it is read and does not come.
pub(crate) const ENTRY_CHANGES: &str = "changedata";

/// What the details of an entry say, one row for each column that changed.
const DETAILS: [(&str, &str); 7] = [
    ("column", "Column"),
    ("oldvalue", "Old value"),
    ("newvalue", "New value"),
    ("oldvaluename", "Old label"),
    ("newvaluename", "New label"),
    ("detail", "What was given or taken"),
    // `old`, `new` or `both`: the value that the service cut off.
    ("truncated", "Cut off"),
];

/// Whether the column tells of an entry of the history, rather than of what it changed.
pub(crate) fn is_of_entry(column: &str) -> bool {
    !DETAILS.iter().any(|(name, _)| *name == column)
}

/// Who changed what, and when (reference §10): a line for each column that changed, or for each
/// thing that was given or taken. `table` is the only one whose rows count, if there is one.
///
/// # Errors
/// `NotFound` if there is no such table.
pub(crate) async fn history_table<H: Host>(
    client: &Client<H>,
    table: Option<&str>,
) -> Result<Table, Error> {
    let audit = super::read(client, "audit").await?;
    if let Some(table) = table {
        super::read(client, table).await?;
    }
    // What the service says of an entry, as far as it does.
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
    history.also_key = Some("column".to_owned());
    history.change_detection = ChangeDetection::Watermark;
    Ok(history)
}

/// The members of marketing lists, static and dynamic ones (reference §12.3).
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
        // `list` for a static list, `query` for what the query of a dynamic one finds.
        column("source", "How it is a member", DataType::Text),
    ];
    let mut table = Table::derived(MEMBERS, MEMBERS_TITLE.to_owned(), "", "listid", columns);
    table.also_key = Some("entityid".to_owned());
    table
}
