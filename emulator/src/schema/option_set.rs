//! Choices that several columns share (`GlobalOptionSetDefinitions`, reference §5.1).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Choice, Column, ColumnKind, Label, Schema, metadata_id};

/// A list of choices with a name of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionSet {
    /// The name by which columns refer to it.
    pub name: String,
    /// The label shown to people.
    pub display_name: Option<Label>,
    /// The choices.
    pub options: Vec<Choice>,
    /// Whether it was added by a customization.
    pub is_custom: bool,
}

impl OptionSet {
    /// Stable identifier of the definition.
    pub fn metadata_id(&self) -> Uuid {
        metadata_id(&["globaloptionset", &self.name])
    }
}

impl Schema {
    /// Keeps the choices a column shares with others under their name.
    pub(super) fn add_option_set(&mut self, column: &Column) -> Result<(), String> {
        let (ColumnKind::Picklist {
            options,
            global: Some(name),
            ..
        }
        | ColumnKind::MultiSelectPicklist {
            options,
            global: Some(name),
        }) = &column.kind
        else {
            return Ok(());
        };
        if let Some(known) = self.option_sets.get(name) {
            return if known.options == *options {
                Ok(())
            } else {
                Err(format!(
                    "column {} has other choices named {name} than an earlier column",
                    column.schema_name
                ))
            };
        }
        let set = OptionSet {
            name: name.clone(),
            display_name: column.display_name.clone(),
            options: options.clone(),
            is_custom: column.is_custom,
        };
        self.option_sets.insert(name.clone(), set);
        Ok(())
    }
}
