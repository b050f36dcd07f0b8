//! How the rows of tables relate (reference §5.4).

use crate::json::Object;

/// Who refers to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// Rows of this table refer to one row of the other.
    ManyToOne,
    /// Rows of the other table refer to one row of this.
    OneToMany,
    /// Pairs, in a table of their own.
    ManyToMany,
}

/// A relationship, seen from one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relationship {
    /// Its name.
    pub name: String,
    /// Who refers to whom.
    pub cardinality: Cardinality,
    /// The column of this table, or, of many to many, that of the pairs.
    pub column: String,
    /// The other table.
    pub table: String,
    /// The column of the other table, or, of many to many, that of the pairs.
    pub other_column: String,
    /// The table that holds the pairs.
    pub pairs: Option<String>,
}

impl Relationship {
    /// What is asked about a relationship of one to many, in either direction.
    pub(super) const ONE_TO_MANY: &str =
        "SchemaName,ReferencedEntity,ReferencedAttribute,ReferencingEntity,ReferencingAttribute";
    /// What is asked about a relationship of many to many.
    pub(super) const MANY_TO_MANY: &str = "SchemaName,Entity1LogicalName,Entity2LogicalName,\
                                           Entity1IntersectAttribute,Entity2IntersectAttribute,\
                                           IntersectEntityName";

    /// A relationship of that table; none if it lacks what makes one.
    pub(super) fn read(cardinality: Cardinality, table: &str, record: &Object<'_>) -> Option<Self> {
        let referencing = ("ReferencingEntity", "ReferencingAttribute");
        let referenced = ("ReferencedEntity", "ReferencedAttribute");
        let first = ("Entity1LogicalName", "Entity1IntersectAttribute");
        let second = ("Entity2LogicalName", "Entity2IntersectAttribute");
        let (this, other) = match cardinality {
            Cardinality::ManyToOne => (referencing, referenced),
            Cardinality::OneToMany => (referenced, referencing),
            Cardinality::ManyToMany if record.text(first.0).as_deref() == Some(table) => {
                (first, second)
            }
            Cardinality::ManyToMany => (second, first),
        };
        let text = |name| record.text(name);
        Some(Self {
            name: text("SchemaName")?,
            cardinality,
            column: text(this.1)?,
            table: text(other.0)?,
            other_column: text(other.1)?,
            pairs: text("IntersectEntityName"),
        })
    }
}
