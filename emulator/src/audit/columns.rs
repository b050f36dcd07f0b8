//! Changes to the columns of one row.

use super::{
    action::{Action, Operation},
    data::{Changed, Data, capped, text},
    entry::Entry,
};
use crate::{
    schema::Table,
    store::{Change, Layout, Value},
};

/// The entry about a change, if an audited column has another value.
pub(super) fn entry(table: &Table, layout: &Layout, change: &Change) -> Option<Entry> {
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

/// Some updates have an action of their own.
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
