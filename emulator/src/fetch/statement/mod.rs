//! A query resolved against the schema: one SQL statement and how its rows are written.

mod aggregate;
mod builder;
mod condition;
mod join;
mod operator;
mod select;
mod value;

pub(crate) use self::builder::Context;
use self::builder::{Builder, Scope};
use crate::{
    fetch::{FetchError, query::Fetch},
    odata::{fragment::Sql, order::OrderColumn, plan::Plan},
    schema::Table,
    wire::ODataError,
};

/// A query ready to run. The root's rows are known to the statement as `t`.
#[derive(Debug)]
pub(crate) struct Statement<'a> {
    pub(crate) table: &'a Table,
    pub(crate) plan: Plan,
    /// Columns whose order no two rows share.
    pub(crate) order: Vec<OrderColumn>,
    /// Names of the root's properties, for the context address.
    pub(crate) selected: Vec<String>,
    /// Whether the platform gives a paging cookie for such a query.
    pub(crate) has_cookie: bool,
    from: Sql,
    conditions: Vec<Sql>,
    groups: Vec<String>,
    distinct: bool,
    aggregate: bool,
}

impl<'a> Statement<'a> {
    /// Resolves a query. `select` narrows the root's columns to those with these names.
    pub(crate) fn new(
        context: Context<'a>,
        fetch: &'a Fetch,
        select: Option<&[String]>,
    ) -> Result<Self, ODataError> {
        let root = &fetch.root;
        let table = context
            .model
            .schema
            .table(&root.table)
            .ok_or_else(|| FetchError::no_table(&root.table))?;
        let scope = Scope {
            name: root.table.clone(),
            table,
            alias: "t".to_owned(),
        };
        let keyed = !fetch.distinct && !fetch.aggregate;
        let mut builder = Builder {
            context,
            fetch,
            plan: Plan::sparse(
                &context.caller.viewer,
                context.annotations,
                keyed.then_some((table, "t")),
            ),
            order: Vec::new(),
            links: Vec::new(),
            from: Sql::new(format!("\"{}\" t", table.logical_name)),
            conditions: Vec::new(),
            multiplying: Vec::new(),
            linked_order: false,
            aliases: 0,
        };
        builder.conditions.extend(builder.access(&scope)?);
        let joined = builder.join(&scope, &root.links)?;
        for filter in &root.filters {
            let condition = builder.filter(&scope, filter)?;
            builder.conditions.extend(condition);
        }
        let mut selected = Vec::new();
        let mut groups = Vec::new();
        if fetch.aggregate {
            groups = aggregate::select(&mut builder, &scope, &joined)?;
        } else {
            selected = builder.select_root(&scope, select)?;
            for (scope, link) in &joined {
                builder.select_link(scope, &link.entity)?;
            }
            builder.order_by(&scope, &root.orders)?;
            for (scope, link) in &joined {
                builder.linked_order |= !link.entity.orders.is_empty();
                builder.order_by(scope, &link.entity.orders)?;
            }
            builder.make_order_total(&scope);
        }
        Ok(Self {
            table,
            has_cookie: keyed && !builder.linked_order,
            plan: builder.plan,
            order: builder.order,
            selected,
            from: builder.from,
            conditions: builder.conditions,
            groups,
            distinct: fetch.distinct,
            aggregate: fetch.aggregate,
        })
    }

    /// Adds a condition on the root's rows.
    pub(crate) fn narrow(&mut self, condition: Sql) {
        self.conditions.push(condition);
    }

    /// The statement for some of the rows; its last columns are those that order them.
    pub(crate) fn rows(&self, after: Option<Sql>, limit: usize, offset: u64) -> Sql {
        let mut sql = Sql::new("SELECT ");
        if self.distinct && !self.aggregate {
            sql.append("DISTINCT ");
        }
        sql.append(self.plan.columns.join(", "));
        for column in &self.order {
            sql.append(", ");
            sql.push(column.expression());
        }
        self.push_source(&mut sql, after);
        if !self.groups.is_empty() {
            sql.append(format!(" GROUP BY {}", self.groups.join(", ")));
        }
        for (at, column) in self.order.iter().enumerate() {
            sql.append(if at == 0 { " ORDER BY " } else { ", " });
            sql.push(column.ordering());
        }
        sql.append(format!(" LIMIT {limit} OFFSET {offset}"));
        sql
    }

    /// The statement that counts the rows, but not beyond the limit. Of an aggregate query it
    /// counts the rows that are aggregated.
    pub(crate) fn count(&self, limit: usize) -> Sql {
        let mut sql = Sql::new("SELECT count(*) FROM (SELECT ");
        if self.distinct && !self.aggregate {
            sql.append(format!("DISTINCT {}", self.plan.columns.join(", ")));
        } else {
            sql.append("1");
        }
        self.push_source(&mut sql, None);
        sql.append(format!(" LIMIT {limit})"));
        sql
    }

    fn push_source(&self, sql: &mut Sql, after: Option<Sql>) {
        sql.append(" FROM ");
        sql.push(self.from.clone());
        for (at, condition) in self.conditions.iter().cloned().chain(after).enumerate() {
            sql.append(if at == 0 { " WHERE " } else { " AND " });
            sql.push(condition);
        }
    }
}
