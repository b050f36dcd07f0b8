//! The tables of the emulated organization: columns, choices, keys, relationships, privileges.
//!
//! Each table is described in a text file of its own under `emulator/schema/`; the module `parse`
//! explains the format.

mod change;
mod column;
mod custom;
mod derived;
mod label;
mod option_set;
mod parse;
mod privilege;
mod relationship;
mod standard;
mod table;
mod translation;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

use thiserror::Error;
use uuid::Uuid;

pub use change::{SchemaChange, UnusableChange};
pub use column::{
    Column, RequiredLevel, SourceType,
    kind::{
        Choice, ColumnKind, DateTimeBehavior, DateTimeFormat, MAX_DECIMAL, MAX_FILE_KIB,
        MAX_IMAGE_KIB, MAX_MONEY, Range, StringFormat,
    },
};
pub(crate) use custom::skeleton::{Skeleton, quotable};
pub use label::Label;
pub use option_set::OptionSet;
pub use privilege::{Privilege, PrivilegeDepth, PrivilegeType};
pub use relationship::{Cascade, Relationship};
pub use table::{AlternateKey, ChangeTracking, KeyIndex, Ownership, Table, TableType};

/// The referenced table of every `ownerid` relationship: a user or a team, found by its id in
/// either table. It is not a table of its own in [`Schema::tables`].
pub const OWNER: &str = "owner";

/// The version of a schema that has never been changed.
const FIRST_VERSION: i64 = 1_000_001;

/// The tables of an organization and the relationships between them.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    tables: BTreeMap<String, Arc<Table>>,
    logical_name_by_set: HashMap<String, String>,
    relationships: Vec<Relationship>,
    option_sets: BTreeMap<String, OptionSet>,
    /// Positions of relationships by the tables at their ends, built on first use.
    ends: OnceLock<HashMap<String, Vec<usize>>>,
    /// How often the schema has been changed since it was read.
    changes: i64,
    /// When the index of an alternate key is to be built next.
    next_index: Option<i64>,
}

impl Schema {
    /// The schema every emulated organization starts with.
    ///
    /// # Errors
    ///
    /// When the definitions in the program cannot be read, which tests rule out.
    pub fn standard() -> Result<Self, SchemaError> {
        Self::parse(standard::TABLES)
    }

    /// Reads a schema from the names and texts of its tables' files.
    ///
    /// # Errors
    ///
    /// When a line cannot be read or the definitions contradict each other; the error names the
    /// line.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, SchemaError> {
        let mut schema = Self::default();
        let mut declared = Vec::new();
        for (file, text) in files {
            let (table, relationships) = parse::table(file, text)?;
            declared.extend(
                relationships
                    .into_iter()
                    .map(|(line, it)| (*file, line, it)),
            );
            let problem = |problem| SchemaError {
                file: (*file).to_owned(),
                line: 1,
                problem,
            };
            schema.add_table(table).map_err(problem)?;
        }
        for (file, line, relationship) in declared {
            let relationship = schema
                .resolve(relationship)
                .map_err(|problem| SchemaError {
                    file: file.to_owned(),
                    line,
                    problem,
                })?;
            schema.relationships.push(relationship);
        }
        schema.sort_relationships();
        schema.translate();
        Ok(schema)
    }

    fn add_table(&mut self, table: Table) -> Result<(), String> {
        let (set, name) = (table.entity_set_name.clone(), table.logical_name.clone());
        if let Some(other) = self.logical_name_by_set.insert(set, name.clone()) {
            return Err(format!("table {other} has the same entity set"));
        }
        for column in &table.columns {
            self.add_option_set(column)?;
        }
        match self.tables.insert(name, Arc::new(table)) {
            None => Ok(()),
            Some(_) => Err("another file describes the same table".to_owned()),
        }
    }

    fn sort_relationships(&mut self) {
        self.relationships
            .sort_by(|a, b| a.schema_name().cmp(b.schema_name()));
    }

    /// Fills in what a relationship takes from the tables at its ends.
    fn resolve(&self, mut relationship: Relationship) -> Result<Relationship, String> {
        let find = |name: &str| {
            self.table(name)
                .ok_or_else(|| format!("there is no table {name}"))
        };
        match &mut relationship {
            Relationship::OneToMany {
                referenced_table,
                referenced_column,
                ..
            } => {
                *referenced_column = if referenced_table == OWNER {
                    "ownerid".to_owned()
                } else {
                    find(referenced_table)?.primary_id.clone()
                };
            }
            Relationship::ManyToMany {
                intersect_table,
                table1,
                intersect_column1,
                table2,
                intersect_column2,
                ..
            } => {
                let intersect = find(intersect_table)?;
                for (table, column) in [(table1, intersect_column1), (table2, intersect_column2)] {
                    find(table)?;
                    if intersect.column(column).is_none() {
                        return Err(format!("there is no column {column}"));
                    }
                }
            }
        }
        Ok(relationship)
    }

    /// The table of this logical name (case matters).
    pub fn table(&self, logical_name: &str) -> Option<&Table> {
        self.tables.get(logical_name).map(Arc::as_ref)
    }

    /// The table whose rows are reached through this entity set (case matters).
    pub fn table_by_set(&self, entity_set: &str) -> Option<&Table> {
        self.table(self.logical_name_by_set.get(entity_set)?)
    }

    /// Every table, sorted by logical name.
    pub fn tables(&self) -> impl Iterator<Item = &Table> + Clone {
        self.tables.values().map(Arc::as_ref)
    }

    /// Every privilege of the organization once, sorted by name.
    pub fn privileges(&self) -> impl Iterator<Item = Privilege> {
        let of_tables = self.tables().flat_map(|table| table.privileges.clone());
        let all: BTreeMap<String, Privilege> = of_tables
            .chain(privilege::without_table())
            .map(|privilege| (privilege.name.clone(), privilege))
            .collect();
        all.into_values()
    }

    /// Every relationship, sorted by schema name.
    pub fn relationships(&self) -> &[Relationship] {
        &self.relationships
    }

    /// The relationship of this name.
    pub fn relationship(&self, schema_name: &str) -> Option<&Relationship> {
        self.relationships
            .binary_search_by(|known| known.schema_name().cmp(schema_name))
            .ok()
            .and_then(|at| self.relationships.get(at))
    }

    /// The relationships at one of whose ends the table is, sorted by schema name.
    pub fn relationships_of(&self, table: &str) -> impl Iterator<Item = &Relationship> {
        let ends = self.ends.get_or_init(|| {
            let mut ends: HashMap<String, Vec<usize>> = HashMap::new();
            for (at, relationship) in self.relationships.iter().enumerate() {
                let (one, other) = relationship.tables();
                ends.entry(one.to_owned()).or_default().push(at);
                if one != other {
                    ends.entry(other.to_owned()).or_default().push(at);
                }
            }
            ends
        });
        let positions = ends.get(table).into_iter().flatten();
        positions.filter_map(|at| self.relationships.get(*at))
    }

    /// The choices that several columns share, sorted by name.
    pub fn option_sets(&self) -> impl Iterator<Item = &OptionSet> {
        self.option_sets.values()
    }

    /// The shared choices of this name.
    pub fn option_set(&self, name: &str) -> Option<&OptionSet> {
        self.option_sets.get(name)
    }

    /// Whether the index of an alternate key is to be built by now.
    pub(crate) fn has_index_due(&self, now: i64) -> bool {
        self.next_index.is_some_and(|next| next <= now)
    }

    /// The alternate keys whose index is to be built by now, with their tables.
    pub(crate) fn keys_due(&self, now: i64) -> impl Iterator<Item = (&Table, &AlternateKey)> {
        let due = move |key: &AlternateKey| matches!(key.index, KeyIndex::Pending { until } if until <= now);
        self.tables().flat_map(move |table| {
            let keys = table.keys.iter().filter(move |key| due(key));
            keys.map(move |key| (table, key))
        })
    }

    /// How many changes lead to this version.
    pub(crate) fn changes_at(version: i64) -> i64 {
        version.saturating_sub(FIRST_VERSION)
    }

    /// A number that grows with every change of the schema.
    pub fn version(&self) -> i64 {
        FIRST_VERSION + self.changes
    }
}

/// The schema cannot be used as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{line}: {problem}")]
pub struct SchemaError {
    /// The file with the error.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and how to correct it.
    pub problem: String,
}

/// Reads a table in the format of the tables' files.
pub(crate) fn table_from_text(text: &str) -> Result<Table, SchemaError> {
    Ok(parse::table(NEW_TABLE, text)?.0)
}

/// The name of a table without a file in errors.
const NEW_TABLE: &str = "new table";

/// A stable identifier for the definition at this path, the same in every run and organization.
pub fn metadata_id(path: &[&str]) -> Uuid {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f0c_1d3a_52b7_4c8e_9a41_d07e_83f5_b216);
    Uuid::new_v5(&NAMESPACE, path.join("/").as_bytes())
}

#[cfg(test)]
mod tests;
