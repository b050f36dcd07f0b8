//! Relationships between tables, with the navigation names the Web API uses (reference §5.4).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A relationship between two tables of the organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relationship {
    /// A lookup column and the collection on its other side.
    OneToMany {
        /// Name of the relationship.
        schema_name: String,
        /// The table that is looked up.
        referenced_table: String,
        /// Its key column.
        referenced_column: String,
        /// The table with the lookup column.
        referencing_table: String,
        /// The lookup column.
        referencing_column: String,
        /// Navigation from the referencing row to the one it refers to; case matters.
        referencing_navigation: String,
        /// Navigation from the referenced row to the rows that refer to it, where there is one.
        referenced_navigation: Option<String>,
        /// What deleting the referenced row does to the rows that refer to it.
        cascade_delete: Cascade,
    },
    /// Two tables associated through the rows of a third.
    ManyToMany {
        /// Name of the relationship.
        schema_name: String,
        /// The table that holds the associations.
        intersect_table: String,
        /// The first table.
        table1: String,
        /// The intersect table's column with the first table's key.
        intersect_column1: String,
        /// Navigation from a row of the first table to rows of the second.
        navigation1: String,
        /// The second table.
        table2: String,
        /// The intersect table's column with the second table's key.
        intersect_column2: String,
        /// Navigation from a row of the second table to rows of the first.
        navigation2: String,
    },
}

impl Relationship {
    /// Name of the relationship, unique in the organization.
    pub fn schema_name(&self) -> &str {
        match self {
            Self::OneToMany { schema_name, .. } | Self::ManyToMany { schema_name, .. } => {
                schema_name
            }
        }
    }

    /// Logical names of the tables at its ends.
    pub fn tables(&self) -> (&str, &str) {
        match self {
            Self::OneToMany {
                referenced_table,
                referencing_table,
                ..
            } => (referenced_table, referencing_table),
            Self::ManyToMany { table1, table2, .. } => (table1, table2),
        }
    }

    /// Stable identifier of the relationship's definition.
    pub fn metadata_id(&self) -> Uuid {
        super::metadata_id(&["relationship", self.schema_name()])
    }
}

/// What deleting a row does to the rows that refer to it (`CascadeConfiguration.Delete`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Cascade {
    /// Their lookups become null.
    #[default]
    RemoveLink,
    /// They are deleted too.
    Cascade,
    /// The delete is rejected while they exist.
    Restrict,
}
