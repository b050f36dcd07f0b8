//! The columns of a stream: whether those selected exist, and how they changed between two syncs.
//!
//! A checkpoint keeps the columns by their types: `decimal:revenue;text:accountnumber,name`.

use crate::catalog::{DataType, Table, column_hint};
use crate::error::{Error, ErrorKind};
use crate::ordered::Map;
use crate::source::event::{Change, ColumnChange};

/// Checks that the table has the selected columns, or had them when `before` was written: a
/// column that was deleted since is reported as such, and the others are read.
///
/// # Errors
/// `NotFound` for a column that the table does not have and never had.
pub(super) fn check(
    table: &Table,
    selected: Option<&[String]>,
    before: Option<&str>,
) -> Result<(), Error> {
    for name in selected.unwrap_or_default() {
        let was_deleted = || before.is_some_and(|types| contains(types, name));
        if table.column(name).is_none() && !was_deleted() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "the table {} has no readable column {name:?}; {}",
                    table.name,
                    column_hint(name, table)
                ),
            ));
        }
    }
    Ok(())
}

/// The columns of the table that are selected, all of them if none are named, as a checkpoint
/// keeps them.
pub(in crate::source) fn types(table: &Table, selected: Option<&[String]>) -> String {
    let mut by_type: Map<&str, String> = Map::default();
    for column in &table.columns {
        let is_selected = selected.is_none_or(|names| names.contains(&column.name));
        if is_selected || table.is_key(&column.name) {
            by_type.merge(
                stored_type(column.data_type).name(),
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

/// The type under which a checkpoint keeps a column. Earlier versions did not distinguish local
/// timestamps, and their checkpoints must not report them as retyped: the text of the values is the
/// same.
fn stored_type(data_type: DataType) -> DataType {
    match data_type {
        DataType::LocalTimestamp => DataType::Timestamp,
        other => other,
    }
}

/// Whether the column is among these.
fn contains(types: &str, column: &str) -> bool {
    columns(types).any(|(name, _)| name == column)
}

/// The changes between two lists of columns, by the columns' names.
pub(in crate::source) fn changes(before: &str, now: &str) -> Vec<ColumnChange> {
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
    fn local_timestamps_are_kept_as_timestamps() {
        assert_eq!(stored_type(DataType::LocalTimestamp), DataType::Timestamp);
        assert_eq!(stored_type(DataType::Date), DataType::Date);
    }

    #[test]
    fn added_removed_and_retyped_columns_are_found() {
        let before = "decimal:revenue;text:accountnumber,fax,name";
        assert_eq!(changes(before, before), []);
        let found: Vec<(String, Change)> =
            changes(before, "decimal:fax,revenue;integer:rank;text:name")
                .into_iter()
                .map(|change| (change.column, change.change))
                .collect();
        assert_eq!(
            found,
            [
                ("accountnumber".to_owned(), Change::Removed),
                ("fax".to_owned(), Change::Retyped),
                ("rank".to_owned(), Change::Added),
            ]
        );
        assert!(contains(before, "fax") && !contains(before, "ax") && !contains("", ""));
    }
}
