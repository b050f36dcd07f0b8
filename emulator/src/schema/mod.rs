//! The tables of the emulated organization: columns, choices, keys, relationships, privileges.
//!
//! Each table is described in a text file of its own under `emulator/schema/`.

mod column;
mod relationship;
mod table;

use std::collections::{BTreeMap, HashMap};

use thiserror::Error;
use uuid::Uuid;

pub use column::{
    Choice, Column, ColumnKind, DateTimeBehavior, DateTimeFormat, RequiredLevel, SourceType,
    StringFormat,
};
pub use relationship::{Cascade, Relationship};
pub use table::{
    AlternateKey, ChangeTracking, Ownership, Privilege, PrivilegeDepth, PrivilegeType, Table,
    TableType,
};

/// The tables of an organization and the relationships between them.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    tables: BTreeMap<String, Table>,
    logical_name_by_set: HashMap<String, String>,
    relationships: Vec<Relationship>,
}

impl Schema {
    /// The schema every emulated organization starts with.
    pub fn standard() -> Result<Self, SchemaError> {
        Ok(Self::default())
    }

    /// The table of this logical name (case matters).
    pub fn table(&self, logical_name: &str) -> Option<&Table> {
        self.tables.get(logical_name)
    }

    /// The table whose rows are reached through this entity set (case matters).
    pub fn table_by_set(&self, entity_set: &str) -> Option<&Table> {
        self.table(self.logical_name_by_set.get(entity_set)?)
    }

    /// Every table, sorted by logical name.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// Every relationship, sorted by schema name.
    pub fn relationships(&self) -> &[Relationship] {
        &self.relationships
    }
}

/// The schema cannot be used as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{line}: {problem}")]
pub struct SchemaError {
    /// The file with the fault.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and how to mend it.
    pub problem: String,
}

/// A stable identifier for the definition at this path, the same in every run and organization.
pub fn metadata_id(path: &[&str]) -> Uuid {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f0c_1d3a_52b7_4c8e_9a41_d07e_83f5_b216);
    Uuid::new_v5(&NAMESPACE, path.join("/").as_bytes())
}
