//! Changes of the schema while rows are in it.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    AlternateKey, Column, KeyIndex, NEW_TABLE, OptionSet, Relationship, Schema, Table, derived,
    parse,
};

/// One change of the schema. It is validated before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SchemaChange {
    /// Adds a column, or puts it in the place of the one of its name.
    PutColumn {
        /// Logical name of the table.
        table: String,
        /// The column.
        column: Column,
    },
    /// Removes a column and the relationships it stands for.
    RemoveColumn {
        /// Logical name of the table.
        table: String,
        /// Logical name of the column.
        column: String,
    },
    /// Adds a relationship, or puts it in the place of the one of its name.
    PutRelationship(Relationship),
    /// Adds an alternate key, or puts it in the place of the one of its name.
    PutKey {
        /// Logical name of the table.
        table: String,
        /// The key.
        key: AlternateKey,
    },
    /// Removes an alternate key.
    RemoveKey {
        /// Logical name of the table.
        table: String,
        /// Logical name of the key.
        key: String,
    },
    /// Adds shared choices, or puts them in the place of those of their name.
    PutOptionSet(OptionSet),
    /// Adds a table.
    AddTable {
        /// The table in the format of the tables' files.
        text: String,
    },
    /// Removes a table and the relationships it is part of.
    RemoveTable {
        /// Logical name of the table.
        table: String,
    },
    /// Changes what the platform lets be done with a table.
    SetTable {
        /// Logical name of the table.
        table: String,
        /// Whether changes can be read by delta link; `None` leaves it as it is.
        tracked: Option<bool>,
        /// Whether changes are written to the audit log; `None` leaves it as it is.
        audited: Option<bool>,
    },
}

/// A change does not fit the schema.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the change does not fit the schema: {0}")]
pub struct UnusableChange(pub String);

impl SchemaChange {
    /// Whether it only adds, so that old definitions remain correct.
    pub fn only_adds(&self, schema: &Schema) -> bool {
        match self {
            Self::PutColumn { table, column } => schema
                .table(table)
                .is_none_or(|table| table.column(&column.logical_name).is_none()),
            Self::PutRelationship(relationship) => {
                schema.relationship(relationship.schema_name()).is_none()
            }
            Self::PutOptionSet(_) | Self::SetTable { .. } | Self::AddTable { .. } => true,
            Self::PutKey { .. }
            | Self::RemoveKey { .. }
            | Self::RemoveColumn { .. }
            | Self::RemoveTable { .. } => false,
        }
    }
}

impl Schema {
    /// Carries out a change.
    ///
    /// # Errors
    ///
    /// When the change names a table, column or key that does not exist, or does not fit it.
    pub fn apply(&mut self, change: &SchemaChange) -> Result<(), UnusableChange> {
        match change {
            SchemaChange::PutColumn { table, column } => {
                self.table_mut(table)?.put_column(column.clone());
            }
            SchemaChange::RemoveColumn { table, column } => {
                self.table_mut(table)?.remove_column(column);
                self.relationships.retain(|relationship| {
                    !matches!(relationship, Relationship::OneToMany {
                        referencing_table, referencing_column, ..
                    } if referencing_table == table && referencing_column == column)
                });
            }
            SchemaChange::PutRelationship(relationship) => {
                let name = relationship.schema_name();
                self.relationships
                    .retain(|known| known.schema_name() != name);
                self.relationships.push(relationship.clone());
                self.sort_relationships();
            }
            SchemaChange::PutKey { table, key } => {
                let table = self.table_mut(table)?;
                table
                    .keys
                    .retain(|known| known.logical_name != key.logical_name);
                table.keys.push(key.clone());
            }
            SchemaChange::RemoveKey { table, key } => {
                let table = self.table_mut(table)?;
                table.keys.retain(|known| known.logical_name != *key);
            }
            SchemaChange::PutOptionSet(set) => {
                self.option_sets.insert(set.name.clone(), set.clone());
            }
            SchemaChange::AddTable { text } => self.add_from_text(text).map_err(UnusableChange)?,
            SchemaChange::RemoveTable { table } => {
                self.tables.remove(table);
                self.logical_name_by_set.retain(|_, name| name != table);
                self.relationships.retain(|relationship| {
                    let (one, other) = relationship.tables();
                    let through = matches!(relationship, Relationship::ManyToMany {
                        intersect_table, ..
                    } if intersect_table == table);
                    one != table && other != table && !through
                });
            }
            SchemaChange::SetTable {
                table,
                tracked,
                audited,
            } => {
                let table = self.table_mut(table)?;
                if *tracked == Some(true) {
                    table.change_tracking = super::ChangeTracking::Enabled;
                }
                table.audit_enabled = audited.unwrap_or(table.audit_enabled);
            }
        }
        let keys = self.tables.values().flat_map(|table| table.keys.iter());
        let pending = keys.filter_map(|key| match key.index {
            KeyIndex::Pending { until } => Some(until),
            KeyIndex::Active | KeyIndex::Failed => None,
        });
        self.next_index = pending.min();
        self.changes += 1;
        self.ends = OnceLock::new();
        Ok(())
    }

    fn add_from_text(&mut self, text: &str) -> Result<(), String> {
        let (table, relationships) =
            parse::table(NEW_TABLE, text).map_err(|error| error.to_string())?;
        self.add_table(table)?;
        for (_, relationship) in relationships {
            let relationship = self.resolve(relationship)?;
            self.relationships.push(relationship);
        }
        self.sort_relationships();
        Ok(())
    }

    fn table_mut(&mut self, name: &str) -> Result<&mut Table, UnusableChange> {
        let table = self.tables.get_mut(name);
        table
            .map(Arc::make_mut)
            .ok_or_else(|| UnusableChange(format!("there is no table {name}")))
    }
}

impl Table {
    fn put_column(&mut self, mut column: Column) {
        let known = self.column(&column.logical_name);
        column.column_number = known.map_or_else(
            || {
                let numbers = self.columns.iter().map(|column| column.column_number);
                numbers.max().unwrap_or(0) + 1
            },
            |known| known.column_number,
        );
        self.remove_column(&column.logical_name);
        self.columns.push(column.clone());
        derived::add_label_columns_of(self, &column);
        self.columns
            .sort_by(|a, b| a.logical_name.cmp(&b.logical_name));
    }

    /// Removes a column and those that describe it.
    fn remove_column(&mut self, name: &str) {
        self.columns.retain(|column| {
            column.logical_name != name
                && (column.attribute_of.as_deref() != Some(name) || column.is_file_part())
        });
    }
}
