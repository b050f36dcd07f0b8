//! Relationships between tables (reference §5.4).

/// Which side of a relationship refers to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// Rows of this table refer to one row of the other.
    ManyToOne,
    /// Rows of the other table refer to one row of this table.
    OneToMany,
    /// Pairs of rows, in a table of their own.
    ManyToMany,
}

/// A relationship, seen from one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relationship {
    /// The schema name.
    pub name: String,
    /// Which side refers to the other.
    pub cardinality: Cardinality,
    /// The column of this table; of many to many, its column in the table of pairs.
    pub column: String,
    /// The logical name of the other table.
    pub table: String,
    /// The column of the other table; of many to many, its column in the table of pairs.
    pub other_column: String,
    /// The logical name of the table of pairs.
    pub pairs: Option<String>,
}
