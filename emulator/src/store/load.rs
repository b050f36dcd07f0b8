//! Bulk loading, for seeds and imports.

use super::{Author, Store, StoreError, Value, activities, layout::Layout, take_versions};
use crate::{ids, schema::Table};

impl Store {
    /// Adds many rows in one transaction and returns how many.
    ///
    /// Each row has one value for each of `columns` (logical names; the primary key must be among
    /// them). Columns that the platform fills itself are filled where they are absent or null:
    /// who created and changed the row and when, owner and owning business unit, state and status,
    /// boolean defaults, currency, exchange rate and base amounts, composed names and addresses.
    /// Rows of activity tables appear in `activitypointer` as well. Nothing else is checked:
    /// a seed is trusted to respect lengths and choices.
    ///
    /// # Errors
    ///
    /// When a column does not exist, a row has another number of values, or the database fails.
    pub fn load(
        &self,
        table: &Table,
        columns: &[&str],
        rows: impl Iterator<Item = Vec<Value>>,
    ) -> Result<u64, StoreError> {
        let layout = self.layout(&table.logical_name)?;
        let given = positions(layout, columns)?;
        let now = self.clock().now();
        let count = self.write(|writer| -> Result<u64, StoreError> {
            let connection = writer.connection();
            let mut completer =
                writer.completer(table, Author::in_person(ids::ADMINISTRATOR, now))?;
            let used = completer.positions(&given);
            let sql = layout.insert_sql(&used);
            let first_version = take_versions(connection, 0)?;
            let mut statement = connection.prepare(&sql)?;
            let mut row = layout.empty_row();
            let mut count: i64 = 0;
            for values in rows {
                if values.len() != given.len() {
                    return Err(StoreError::RowLength {
                        table: table.logical_name.clone(),
                        expected: given.len(),
                        found: values.len(),
                    });
                }
                // The cells of other columns have never been anything but null.
                for &at in &used {
                    if let Some(cell) = row.get_mut(at) {
                        *cell = Value::Null;
                    }
                }
                for (&at, value) in given.iter().zip(values) {
                    if let Some(cell) = row.get_mut(at) {
                        *cell = value;
                    }
                }
                completer.complete(&mut row)?;
                count += 1;
                statement.raw_bind_parameter(1, first_version + count)?;
                let mut parameter = 2;
                for &at in &used {
                    if let (Some(slot), Some(value)) = (layout.slots.get(at), row.get(at)) {
                        parameter = layout.bind(&mut statement, slot, value, parameter)?;
                    }
                }
                statement.raw_execute()?;
            }
            drop(statement);
            take_versions(connection, count)?;
            activities::list_after(self, connection, layout, first_version)?;
            writer.note_security_change(&layout.table);
            Ok(u64::try_from(count).unwrap_or(0))
        })?;
        Ok(count)
    }
}

fn positions(layout: &Layout, columns: &[&str]) -> Result<Vec<usize>, StoreError> {
    columns
        .iter()
        .map(|column| {
            layout
                .position(column)
                .ok_or_else(|| StoreError::UnknownColumn {
                    table: layout.table.clone(),
                    column: (*column).to_owned(),
                })
        })
        .collect()
}
