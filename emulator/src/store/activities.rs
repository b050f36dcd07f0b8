//! The table that lists all activities: it holds what theirs hold, under the same keys.

use uuid::Uuid;

use super::{Layout, StoreError, Writer};

/// The table in which all activities are listed.
pub(super) const ACTIVITIES: &str = "activitypointer";

impl Writer<'_> {
    /// Lists an activity as it is now.
    pub(super) fn mirror_activity(&self, layout: &Layout, id: Uuid) -> Result<(), StoreError> {
        if !self.is_mirrored(layout)? {
            return Ok(());
        }
        let sql = self.mirror_sql(layout, &format!("\"{}\" = ?1", layout.primary_id))?;
        self.connection()
            .prepare_cached(&sql)?
            .execute([id.to_string()])?;
        self.remove_deletion(ACTIVITIES, id)
    }

    /// Lists the activities written after this version in `activitypointer`.
    pub(super) fn mirror_activities_after(
        &self,
        layout: &Layout,
        version: i64,
    ) -> Result<(), StoreError> {
        if self.is_mirrored(layout)? {
            let sql = self.mirror_sql(layout, "\"$version\" > ?1")?;
            self.connection().execute(&sql, [version])?;
        }
        Ok(())
    }

    fn is_mirrored(&self, layout: &Layout) -> Result<bool, StoreError> {
        Ok(layout.table != ACTIVITIES
            && self.store().table(&layout.table)?.is_activity
            && self.store().layout(ACTIVITIES).is_ok())
    }

    fn mirror_sql(&self, layout: &Layout, condition: &str) -> Result<String, StoreError> {
        let pointer = self.store().layout(ACTIVITIES)?;
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
            "INSERT OR REPLACE INTO \"{ACTIVITIES}\" (\"$version\", {columns}) \
             SELECT \"$version\", {columns} FROM \"{}\" WHERE {condition}",
            layout.table,
        ))
    }
}
