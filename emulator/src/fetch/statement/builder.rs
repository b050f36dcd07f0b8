//! A statement while its parts are put together.

use crate::{
    fetch::query::Fetch,
    gate::Caller,
    odata::{Model, fragment::Sql, options::Options, order::OrderColumn, plan::Plan},
    schema::Table,
    wire::annotations::Annotations,
};

/// What a query is resolved against.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) model: &'a Model,
    pub(crate) caller: &'a Caller,
    /// The request's other options, which query functions use.
    pub(crate) options: &'a Options,
    pub(crate) annotations: &'a Annotations,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// The rows that names in a part of the query refer to.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    /// The name that conditions, orders and properties use.
    pub(super) name: String,
    pub(super) table: &'a Table,
    /// The name in the statement.
    pub(super) alias: String,
}

/// Puts a statement together.
pub(super) struct Builder<'a> {
    pub(super) context: Context<'a>,
    pub(super) fetch: &'a Fetch,
    pub(super) plan: Plan,
    pub(super) order: Vec<OrderColumn>,
    /// Joined tables whose columns are within reach.
    pub(super) links: Vec<Scope<'a>>,
    pub(super) from: Sql,
    pub(super) conditions: Vec<Sql>,
    /// Joined tables of which several rows may belong to one row.
    pub(super) multiplying: Vec<Scope<'a>>,
    /// Whether a joined table's column orders the rows.
    pub(super) linked_order: bool,
    /// How many tables have been joined.
    pub(super) aliases: usize,
}
