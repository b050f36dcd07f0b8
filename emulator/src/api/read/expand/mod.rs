//! `$expand` (reference §4.7).

mod plan;
mod write;

use rusqlite::Connection;

pub(super) use plan::plans;

use crate::{
    odata::{fragment::Sql, plan::Plan},
    schema::Table,
};

/// One expanded navigation property, ready to be read for any parent row.
pub(super) struct ExpandPlan<'a> {
    name: &'a str,
    kind: Kind<'a>,
    connection: &'a Connection,
}

enum Kind<'a> {
    /// The owner, of whom only the key is written.
    Owner {
        id_at: usize,
        type_at: usize,
        references: bool,
    },
    One {
        id_at: usize,
        rows: Rows<'a>,
        target: &'a Table,
        references: bool,
    },
    Many(Many<'a>),
}

/// The statement for the rows of one parent, whose key is its first parameter.
struct Rows<'a> {
    sql: Sql,
    plan: Plan,
    nested: Vec<ExpandPlan<'a>>,
}

/// An expanded collection.
struct Many<'a> {
    rows: Rows<'a>,
    parent: &'a Table,
    /// Selection and other options for the collection's own link.
    link: String,
    /// Page size, when the query nests expands and collections are paged.
    page: Option<usize>,
    child_key: String,
}
