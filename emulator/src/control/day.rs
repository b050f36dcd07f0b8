//! A day's work in the organization, for demonstrations: creates, updates and deletes.

use serde::Serialize;

use super::ControlError;
use crate::{
    api::delete,
    audit,
    environment::Environment,
    ids,
    seed::day::{self, Change, Existing},
    store::{Author, Value, Writer},
};

/// Most rows of a table that a day draws its changes from.
const MOST_ROWS: usize = 10_000;

/// What a day's work did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DayReport {
    /// Rows created.
    pub created: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted, without those deleted with other rows.
    pub deleted: u64,
}

impl Environment {
    /// Carries out this many changes; the same seed and rows give the same changes.
    pub(crate) fn work_a_day(&self, seed: u64, changes: usize) -> Result<DayReport, ControlError> {
        let store = &self.api.current().store;
        let mut existing = Existing::new();
        for table in day::TABLES {
            existing.insert(table, store.ids(table, MOST_ROWS)?);
        }
        let now = store.clock().now();
        let mut report = DayReport::default();
        for change in day::plan(seed, &existing, now, changes) {
            store.write(|writer| -> Result<(), ControlError> {
                let auditing = audit::begin(writer)?;
                carry_out(writer, &change, now, &mut report)?;
                let author = Author::in_person(ids::ADMINISTRATOR, now);
                Ok(audit::record(writer, auditing, author)?)
            })?;
        }
        Ok(report)
    }
}

fn carry_out(
    writer: &Writer<'_>,
    change: &Change,
    now: i64,
    report: &mut DayReport,
) -> Result<(), ControlError> {
    let author = Author::in_person(ids::ADMINISTRATOR, now);
    match change {
        Change::Create { table, id, values } => {
            let key = writer.store().table(table)?.primary_id.clone();
            let mut values = values.clone();
            values.push((key.as_str(), Value::Guid(*id)));
            writer.create(table, author, &values)?;
            report.created += 1;
        }
        Change::Update { table, id, values } => {
            // A row planned for an update may have been deleted with another.
            if let Some(before) = writer.row(table, *id)? {
                let layout = writer.store().layout(table)?;
                let mut after = before.values.clone();
                for (column, value) in values {
                    layout.set(&mut after, column, value.clone());
                }
                layout.set(&mut after, "modifiedon", Value::DateTime(now));
                let definition = writer.store().table(table)?;
                writer.completer(definition, author)?.derive(&mut after)?;
                writer.update(table, &before, &after)?;
                report.updated += 1;
            }
        }
        Change::Delete { table, id } => {
            let definition = writer.store().table(table)?;
            if writer.row(table, *id)?.is_some() {
                delete(writer, definition, *id, now)
                    .map_err(|error| ControlError::Refused(error.message))?;
                report.deleted += 1;
            }
        }
    }
    Ok(())
}
