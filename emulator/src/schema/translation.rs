//! Labels in other languages than the organization's.

use std::{collections::HashMap, sync::Arc};

use super::{Column, ColumnKind, Label, Schema};

/// The language code of German.
const GERMAN: i32 = 1031;

impl Schema {
    /// Adds the German labels that are known.
    pub(super) fn translate(&mut self) {
        let known: HashMap<&str, &str> = include_str!("../../labels/german.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('\t'))
            .collect();
        let translate = |label: &mut Label| {
            if let Some(text) = known.get(label.text.as_str()) {
                label.translations.push((GERMAN, (*text).to_owned()));
            }
        };
        for table in self.tables.values_mut() {
            let table = Arc::make_mut(table);
            translate(&mut table.display_name);
            translate(&mut table.display_collection_name);
            for column in &mut table.columns {
                labels_of(column).for_each(translate);
            }
        }
        for set in self.option_sets.values_mut() {
            let choices = set.options.iter_mut().map(|choice| &mut choice.label);
            choices.chain(&mut set.display_name).for_each(translate);
        }
    }
}

/// The labels of a column and of its choices.
fn labels_of(column: &mut Column) -> impl Iterator<Item = &mut Label> {
    let (choices, yes_no) = match &mut column.kind {
        ColumnKind::Picklist { options, .. }
        | ColumnKind::MultiSelectPicklist { options, .. }
        | ColumnKind::State { options }
        | ColumnKind::Status { options } => (Some(options), None),
        ColumnKind::Boolean {
            true_label,
            false_label,
            ..
        } => (None, Some([true_label, false_label])),
        _ => (None, None),
    };
    let choices = choices
        .into_iter()
        .flatten()
        .map(|choice| &mut choice.label);
    choices
        .chain(yes_no.into_iter().flatten())
        .chain(&mut column.display_name)
}
