//! Deleting a row and the rows that depend on it.

use axum::http::StatusCode;
use uuid::Uuid;

use super::{
    Condition,
    record::{require_not_of_platform, require_writable},
    require_version,
};
use crate::{
    api::{Call, Response, files::delete_files, key::RowKey},
    schema::{Cascade, Ownership, PrivilegeType, Relationship, Table},
    store::{Value, Writer},
    wire::ODataError,
};

impl Call<'_> {
    /// `DELETE {set}(key)`.
    pub(super) fn delete_row(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        key: &str,
    ) -> Result<Response, ODataError> {
        let key = RowKey::parse(table, key)?;
        let condition = self.condition(table)?;
        self.delete_one(writer, table, &key, condition)?;
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// Deletes the row of a key for the caller.
    pub(in crate::api) fn delete_one(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        key: &RowKey,
        condition: Condition,
    ) -> Result<(), ODataError> {
        if table.is_read_only {
            require_writable(table, "Delete")?;
        }
        require_not_of_platform(table, "Delete")?;
        self.caller.depth(table, PrivilegeType::Delete)?;
        let found = key.find(writer.connection(), self.model(), table)?;
        let row = match found {
            Some(id) => writer.row(&table.logical_name, id)?,
            None => None,
        };
        let row = row.ok_or_else(|| key.not_found(table))?;
        require_version(condition, row.version)?;
        self.require_access(writer.connection(), table, row.id, PrivilegeType::Delete)?;
        self.prepare_delete(writer, table, row.id)?;
        self.delete_record(writer, table, row.id)
    }

    /// Deletes a row: rows that refer to it lose the reference, are deleted too, or prevent it.
    pub(crate) fn delete_record(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
    ) -> Result<(), ODataError> {
        delete(writer, table, id, self.now())
    }
}

/// Deletes a row as [`Call::delete_record`] does.
pub(crate) fn delete(
    writer: &Writer<'_>,
    table: &Table,
    id: Uuid,
    now: i64,
) -> Result<(), ODataError> {
    let schema = writer.store().schema();
    // An activity stands in `activitypointer` under the same key; deleting the activity deletes
    // its entry there.
    if table.logical_name == "activitypointer" {
        let layout = writer.store().layout(&table.logical_name)?;
        let kind = writer
            .row(&table.logical_name, id)?
            .map(|row| layout.get(&row.values, "activitytypecode").clone());
        if let Some(Value::Text(kind)) = kind
            && let Some(activity) = schema.table(&kind)
        {
            return delete(writer, activity, id, now);
        }
    }
    for relationship in schema.relationships_of(&table.logical_name) {
        match relationship {
            Relationship::OneToMany {
                referenced_table,
                referencing_table,
                referencing_column,
                cascade_delete,
                ..
            } if *referenced_table == table.logical_name
                && referencing_table != "activitypointer" =>
            {
                let referring = writer.referring(referencing_table, referencing_column, id)?;
                if referring.is_empty() {
                    continue;
                }
                let child = writer.store().table(referencing_table)?;
                release(
                    writer,
                    child,
                    referencing_column,
                    &referring,
                    *cascade_delete,
                    now,
                )?;
            }
            Relationship::ManyToMany {
                intersect_table,
                table1,
                intersect_column1,
                table2,
                intersect_column2,
                ..
            } => {
                for (side, column) in [(table1, intersect_column1), (table2, intersect_column2)] {
                    if *side != table.logical_name {
                        continue;
                    }
                    for link in writer.referring(intersect_table, column, id)? {
                        writer.delete(intersect_table, link)?;
                    }
                }
            }
            Relationship::OneToMany { .. } => {}
        }
    }
    if table.ownership == Ownership::UserOwned {
        for share in shares(writer, id)? {
            writer.delete(SHARES, share)?;
        }
    }
    delete_files(writer, table, id)?;
    writer.delete(&table.logical_name, id)?;
    Ok(())
}

/// The table of shares.
const SHARES: &str = "principalobjectaccess";

/// Keys of the shares of a row.
fn shares(writer: &Writer<'_>, id: Uuid) -> Result<Vec<Uuid>, ODataError> {
    match writer.store().layout(SHARES) {
        Ok(_) => Ok(writer.referring(SHARES, "objectid", id)?),
        Err(_) => Ok(Vec::new()),
    }
}

fn release(
    writer: &Writer<'_>,
    child: &Table,
    column: &str,
    referring: &[Uuid],
    cascade: Cascade,
    now: i64,
) -> Result<(), ODataError> {
    if cascade == Cascade::Restrict {
        return Err(ODataError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "0x80040227",
            format!(
                "The record cannot be deleted because it is associated with another record: {} of \
                 '{}' refer to it.",
                referring.len(),
                child.logical_name
            ),
        ));
    }
    let layout = writer.store().layout(&child.logical_name)?;
    for &id in referring {
        if cascade == Cascade::Cascade {
            delete(writer, child, id, now)?;
            continue;
        }
        if let Some(before) = writer.row(&child.logical_name, id)? {
            let mut after = before.values.clone();
            layout.set(&mut after, column, Value::Null);
            layout.set(&mut after, "modifiedon", Value::DateTime(now));
            writer.update(&child.logical_name, &before, &after)?;
        }
    }
    Ok(())
}
