//! Which actions on many rows at once the tables support (reference §8.3).

use super::new_rows::{NewOrganization, put};
use crate::{
    schema::{Table, TableType, metadata_id},
    store::{Author, StoreError, Value, Writer},
};

const BULK_ACTIONS: [&str; 3] = ["CreateMultiple", "UpdateMultiple", "UpsertMultiple"];

/// The one that only elastic tables support.
const ELASTIC_ACTION: &str = "DeleteMultiple";

/// The actions on many rows at once that a table supports.
fn actions_of(table: &Table) -> impl Iterator<Item = &'static str> {
    let elastic = table.table_type == TableType::Elastic;
    let more = elastic.then_some(ELASTIC_ACTION);
    BULK_ACTIONS.into_iter().chain(more)
}

/// Adds the rows that say that the bulk actions work on a table.
pub(super) fn support_bulk_actions(
    writer: &Writer<'_>,
    author: Author,
    table: &Table,
) -> Result<(), StoreError> {
    let table_name = table.logical_name.as_str();
    for name in actions_of(table) {
        let filter = metadata_id(&["sdkmessagefilter", name, table_name]);
        let message = Value::lookup("sdkmessage", metadata_id(&["sdkmessage", name]));
        let values = [
            ("sdkmessagefilterid", Value::Guid(filter)),
            ("sdkmessageid", message),
            ("primaryobjecttypecode", table_name.into()),
        ];
        put(writer, author, "sdkmessagefilter", &values)?;
    }
    Ok(())
}

/// Removes the rows of [`support_bulk_actions`], for a table that is deleted.
pub(super) fn end_bulk_actions(writer: &Writer<'_>, table: &Table) -> Result<(), StoreError> {
    if writer.store().layout("sdkmessagefilter").is_ok() {
        for name in actions_of(table) {
            let filter = metadata_id(&["sdkmessagefilter", name, &table.logical_name]);
            writer.delete("sdkmessagefilter", filter)?;
        }
    }
    Ok(())
}

impl NewOrganization<'_> {
    /// The bulk actions, and the tables they work on (reference §8.3).
    pub(super) fn messages(&self) -> Result<(), StoreError> {
        for name in BULK_ACTIONS.into_iter().chain([ELASTIC_ACTION]) {
            self.put(
                "sdkmessage",
                &[
                    (
                        "sdkmessageid",
                        Value::Guid(metadata_id(&["sdkmessage", name])),
                    ),
                    ("name", name.into()),
                ],
            )?;
        }
        for table in self.writer.store().schema().tables() {
            let name = table.logical_name.as_str();
            if !matches!(name, "activitypointer" | "activityparty") {
                support_bulk_actions(self.writer, self.author, table)?;
            }
        }
        Ok(())
    }
}
