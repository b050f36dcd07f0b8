//! The columns that only describe another column.
//!
//! Dataverse adds them to the metadata by itself: for a lookup the name of the row it refers to
//! (and its reading in Japanese, and its table), for a choice its label. They exist for the
//! platform's own clients; the Web API rejects to select them (reference §4.10) and sends
//! annotations in their place.

use std::collections::HashSet;

use super::{Column, ColumnKind, StringFormat, Table};

/// Tables whose names have a reading in Japanese.
const YOMI: [&str; 6] = ["account", "contact", "lead", "systemuser", "team", "owner"];

/// Adds the describing columns that the table's file does not spell out.
pub(super) fn add_label_columns(table: &mut Table) {
    let columns = table.columns.iter();
    let added: Vec<Column> = columns
        .filter(|column| column.attribute_of.is_none())
        .flat_map(|column| label_columns(table, column))
        .collect();
    add(table, added);
}

/// Adds the columns that describe one column.
pub(super) fn add_label_columns_of(table: &mut Table, column: &Column) {
    if column.attribute_of.is_none() {
        let added = label_columns(table, column);
        add(table, added);
    }
}

/// Adds the columns that are not there yet.
fn add(table: &mut Table, added: Vec<Column>) {
    let mut present: HashSet<String> = table
        .columns
        .iter()
        .map(|column| column.logical_name.clone())
        .collect();
    for mut column in added {
        if present.insert(column.logical_name.clone()) {
            column.column_number = i32::try_from(table.columns.len() + 1).unwrap_or(i32::MAX);
            table.columns.push(column);
        }
    }
}

fn label_columns(table: &Table, column: &Column) -> Vec<Column> {
    let mut added = Vec::new();
    match &column.kind {
        ColumnKind::Boolean { .. }
        | ColumnKind::Picklist { .. }
        | ColumnKind::MultiSelectPicklist { .. }
        | ColumnKind::State { .. }
        | ColumnKind::Status { .. } => {
            added.push(describing(table, column, "Name", ColumnKind::Virtual));
        }
        ColumnKind::Lookup { .. } | ColumnKind::Customer { .. } | ColumnKind::Owner => {
            // The owning user and team are only views of `ownerid`.
            if matches!(column.logical_name.as_str(), "owninguser" | "owningteam") {
                return added;
            }
            let targets = column.targets();
            added.push(describing(table, column, "Name", name(StringFormat::Text)));
            if targets.iter().any(|target| YOMI.contains(target)) {
                let kind = name(StringFormat::PhoneticGuide);
                added.push(describing(table, column, "YomiName", kind));
            }
            let has_type = table.columns.iter().any(|other| {
                other.kind == ColumnKind::EntityName
                    && other.attribute_of.as_ref() == Some(&column.logical_name)
            });
            if targets.len() > 1 && !has_type {
                added.push(describing(table, column, "Type", ColumnKind::EntityName));
            }
        }
        ColumnKind::File { .. } => {
            added.push(describing(table, column, "_Name", name(StringFormat::Text)));
        }
        _ => {}
    }
    added
}

fn name(format: StringFormat) -> ColumnKind {
    ColumnKind::String {
        max_length: 4000,
        format,
    }
}

fn describing(table: &Table, column: &Column, suffix: &str, kind: ColumnKind) -> Column {
    let schema_name = format!("{}{suffix}", column.schema_name);
    Column {
        readable: column.readable,
        creatable: false,
        updatable: false,
        attribute_of: Some(column.logical_name.clone()),
        is_custom: column.is_custom,
        audited: false,
        ..Column::plain(&table.logical_name, &schema_name, kind)
    }
}
