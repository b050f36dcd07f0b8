//! From what was written to what is logged.

use std::collections::HashSet;

use uuid::Uuid;

use super::{
    action::{Action, Operation},
    data::{Changed, Data, capped, text},
    links,
};
use crate::{
    schema::Table,
    store::{Change, Layout, StoreError, Value, Writer},
};

/// One row of the log.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) action: Action,
    pub(super) operation: Operation,
    pub(super) table: String,
    pub(super) id: Uuid,
    /// Numbers of the changed columns.
    pub(super) mask: String,
    pub(super) data: String,
}

impl Entry {
    /// An entry about something else than columns.
    pub(super) fn about(
        action: Action,
        operation: Operation,
        (table, id): (&str, Uuid),
        data: &Data,
    ) -> Self {
        Self {
            action,
            operation,
            table: table.to_owned(),
            id,
            mask: String::new(),
            data: data.to_text(),
        }
    }
}

/// What the log says about a request's writes, in their order.
pub(super) fn entries(writer: &Writer<'_>, journal: &[Change]) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    for change in journal {
        let table = writer.store().table(&change.table)?;
        let layout = writer.store().layout(&change.table)?;
        if table.audit_enabled {
            entries.extend(of_columns(table, layout, change));
        }
    }
    // What hangs on a deleted row goes with it and is not worth an entry.
    let gone = |change: &&Change| change.after.is_none();
    let deleted: HashSet<Uuid> = journal
        .iter()
        .filter(gone)
        .map(|change| change.id)
        .collect();
    let linked = links::entries(writer, journal)?;
    entries.extend(
        linked
            .into_iter()
            .filter(|entry| !deleted.contains(&entry.id)),
    );
    Ok(entries)
}

fn of_columns(table: &Table, layout: &Layout, change: &Change) -> Option<Entry> {
    let value = |row: &Option<Vec<Value>>, at: usize| {
        let slot = layout.slots.get(at)?;
        text(row.as_ref()?.get(at)?, slot.stored)
    };
    let mut changed = Vec::new();
    let mut numbers = Vec::new();
    for (at, slot) in layout.slots.iter().enumerate() {
        let Some(column) = table.column(&slot.name).filter(|c| table.audits(c)) else {
            continue;
        };
        let (old_value, new_value) = (value(&change.before, at), value(&change.after, at));
        if old_value != new_value {
            numbers.push(column.column_number);
            changed.push(Changed {
                logical_name: slot.name.clone(),
                old_value: old_value.map(capped),
                new_value: new_value.map(capped),
            });
        }
    }
    let (action, operation) = match (&change.before, &change.after) {
        (None, _) => (Action::Create, Operation::Create),
        (_, None) => (Action::Delete, Operation::Delete),
        (Some(before), Some(after)) => {
            if changed.is_empty() {
                return None;
            }
            (
                update_action(table, layout, before, after),
                Operation::Update,
            )
        }
    };
    numbers.sort_unstable();
    let numbers: Vec<String> = numbers.iter().map(i32::to_string).collect();
    let data = Data::Attributes {
        changed_attributes: changed,
    };
    Some(Entry {
        action,
        operation,
        table: table.logical_name.clone(),
        id: change.id,
        mask: numbers.join(","),
        data: data.to_text(),
    })
}

/// An update may have a name of its own.
fn update_action(table: &Table, layout: &Layout, before: &[Value], after: &[Value]) -> Action {
    let changed = |column: &str| layout.differs(before, after, column);
    if changed("statecode")
        && let Value::Int(state) = layout.get(after, "statecode")
    {
        return Action::of_state(table, *state);
    }
    if changed("ownerid") {
        return Action::Assign;
    }
    if table.logical_name == "organization" && changed("isauditenabled") {
        return match layout.get(after, "isauditenabled") {
            Value::Bool(true) => Action::AuditEnabled,
            _ => Action::AuditDisabled,
        };
    }
    Action::Update
}
