//! The table that lists all activities: it holds what theirs hold, under the same keys.

use rusqlite::Connection;
use uuid::Uuid;

use super::{Layout, Store, StoreError, remove_deletion};

/// The table in which all activities are listed.
pub(super) const TABLE: &str = "activitypointer";

/// Whether the rows of the table are activities, and listed.
pub(super) fn are_listed(store: &Store, layout: &Layout) -> Result<bool, StoreError> {
    Ok(layout.table != TABLE
        && store.table(&layout.table)?.is_activity
        && store.layout(TABLE).is_ok())
}

/// Lists a row as it is now, if it is an activity.
pub(super) fn list(
    store: &Store,
    connection: &Connection,
    layout: &Layout,
    id: Uuid,
) -> Result<(), StoreError> {
    if !are_listed(store, layout)? {
        return Ok(());
    }
    let sql = insertion(store, layout, &format!("\"{}\" = ?1", layout.primary_id))?;
    connection.prepare_cached(&sql)?.execute([id.to_string()])?;
    remove_deletion(connection, TABLE, id)
}

/// Lists the rows written after this version, if they are activities.
pub(super) fn list_after(
    store: &Store,
    connection: &Connection,
    layout: &Layout,
    version: i64,
) -> Result<(), StoreError> {
    if are_listed(store, layout)? {
        let sql = insertion(store, layout, "\"$version\" > ?1")?;
        connection.execute(&sql, [version])?;
    }
    Ok(())
}

/// The statement that lists the rows for which the condition is true.
fn insertion(store: &Store, layout: &Layout, condition: &str) -> Result<String, StoreError> {
    let pointer = store.layout(TABLE)?;
    let shared: Vec<&str> = pointer
        .slots
        .iter()
        .filter(|slot| {
            layout
                .position(&slot.name)
                .and_then(|at| layout.slots.get(at))
                .is_some_and(|other| other.stored == slot.stored)
        })
        .map(|slot| slot.name.as_str())
        .collect();
    let positions: Vec<usize> = shared
        .iter()
        .filter_map(|name| pointer.position(name))
        .collect();
    let columns = pointer.column_list(&positions).join(", ");
    Ok(format!(
        "INSERT OR REPLACE INTO \"{TABLE}\" (\"$version\", {columns}) \
         SELECT \"$version\", {columns} FROM \"{}\" WHERE {condition}",
        layout.table,
    ))
}
