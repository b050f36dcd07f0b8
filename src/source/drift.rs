//! What has become of a stream's columns between two syncs.
//!
//! A checkpoint keeps the columns by their types: `decimal:revenue;text:accountnumber,name`.

use super::event::{Change, ColumnChange};
use crate::catalog::Table;
use crate::ordered::Map;

/// The columns of the table that are selected, all of them if none are named, as a checkpoint
/// keeps them.
pub(super) fn types(table: &Table, selected: Option<&[String]>) -> String {
    let mut by_type: Map<&str, String> = Map::default();
    for column in &table.columns {
        let is_selected = selected.is_none_or(|names| names.contains(&column.name));
        if is_selected || table.is_key(&column.name) {
            by_type.merge(
                column.data_type.name(),
                column.name.clone(),
                |names, name| {
                    names.push(',');
                    names.push_str(&name);
                },
            );
        }
    }
    let parts: Vec<String> = by_type
        .iter()
        .map(|(data_type, names)| format!("{data_type}:{names}"))
        .collect();
    parts.join(";")
}

/// Whether the column is among these.
pub(super) fn knows(types: &str, column: &str) -> bool {
    columns(types).any(|(name, _)| name == column)
}

/// What has changed from then to now, by the columns' names.
pub(super) fn changes(before: &str, now: &str) -> Vec<ColumnChange> {
    let was: Map<&str, &str> = columns(before).collect();
    let is: Map<&str, &str> = columns(now).collect();
    let mut changes = Map::default();
    for (name, data_type) in is.iter() {
        match was.get(name) {
            None => changes.insert(*name, Change::Added),
            Some(was) if was != data_type => changes.insert(*name, Change::Retyped),
            Some(_) => {}
        }
    }
    for name in was.keys().filter(|name| !is.contains_key(*name)) {
        changes.insert(*name, Change::Removed);
    }
    changes
        .into_iter()
        .map(|(column, change)| ColumnChange {
            column: column.to_owned(),
            change,
        })
        .collect()
}

/// Each column with its type.
fn columns(types: &str) -> impl Iterator<Item = (&str, &str)> {
    types
        .split(';')
        .filter_map(|part| part.split_once(':'))
        .flat_map(|(data_type, names)| names.split(',').map(move |name| (name, data_type)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_gone_or_of_another_type_is_told() {
        let before = "decimal:revenue;text:accountnumber,fax,name";
        assert_eq!(changes(before, before), []);
        let told: Vec<(String, Change)> =
            changes(before, "decimal:fax,revenue;integer:rank;text:name")
                .into_iter()
                .map(|change| (change.column, change.change))
                .collect();
        assert_eq!(
            told,
            [
                ("accountnumber".to_owned(), Change::Removed),
                ("fax".to_owned(), Change::Retyped),
                ("rank".to_owned(), Change::Added),
            ]
        );
        assert!(knows(before, "fax") && !knows(before, "ax") && !knows("", ""));
    }
}
