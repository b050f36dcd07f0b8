//! A query resolved against the schema: one SQL statement and how its rows are written.

use super::{
    FetchError, aggregate,
    query::{Entity, Fetch, Link, LinkKind, Order, OrderBy},
    value::{property, reach, shown},
};
use crate::{
    gate::Caller,
    odata::{
        Model, ODataError,
        fragment::Sql,
        model::{is_principal, wire_name},
        options::Options,
        order::OrderColumn,
        plan::{Annotations, Plan},
        sql::collate,
    },
    schema::{ColumnKind, PrivilegeType, Table},
    store::{COLLATE, Stored},
};

/// What a query is resolved against.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) model: &'a Model,
    pub(crate) caller: &'a Caller,
    /// The request's other options; query functions ask for them.
    pub(crate) options: &'a Options,
    pub(crate) annotations: &'a Annotations,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

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
    links: Vec<Scope<'a>>,
    from: Sql,
    conditions: Vec<Sql>,
    /// Joined tables of which several rows may belong to one row.
    multiplying: Vec<Scope<'a>>,
    linked_order: bool,
    aliases: usize,
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
            plan: Plan::sparse(context.annotations, keyed.then_some((table, "t"))),
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

impl<'a> Builder<'a> {
    /// The joined table of this name.
    pub(super) fn named(&self, name: &str) -> Result<&Scope<'a>, ODataError> {
        self.links
            .iter()
            .find(|scope| scope.name == name)
            .ok_or_else(|| FetchError::unknown_link(name))
    }

    /// The rows of the scope that the caller may read.
    fn access(&self, scope: &Scope<'_>) -> Result<Option<Sql>, ODataError> {
        let access = self
            .context
            .caller
            .access(scope.table, PrivilegeType::Read, &scope.alias)?;
        Ok(access.map(|(text, ids)| {
            let ids = ids.into_iter().map(rusqlite::types::Value::Text).collect();
            Sql::with(text, ids)
        }))
    }

    /// Joins the links and theirs; returns those whose columns are within reach.
    fn join(
        &mut self,
        parent: &Scope<'a>,
        links: &'a [Link],
    ) -> Result<Vec<(Scope<'a>, &'a Link)>, ODataError> {
        let mut joined = Vec::new();
        for link in links {
            let (scope, on) = self.matching(parent, link)?;
            if link.kind == LinkKind::Exists {
                let exists = self.exists(&scope, link, on)?;
                self.conditions.push(exists);
                continue;
            }
            if self.links.iter().any(|known| known.name == scope.name) {
                return Err(FetchError::invalid(format!(
                    "The alias '{}' is used for two link-entities.",
                    scope.name
                )));
            }
            if link.kind != LinkKind::First && link.from != scope.table.primary_id {
                self.multiplying.push(scope.clone());
            }
            self.links.push(scope.clone());
            let mut on = vec![on];
            on.extend(self.access(&scope)?);
            for filter in &link.entity.filters {
                on.extend(self.filter(&scope, filter)?);
            }
            let on = Sql::joined(on, " AND ");
            let table = &scope.table.logical_name;
            let join = if link.kind == LinkKind::Outer {
                "LEFT JOIN"
            } else {
                "JOIN"
            };
            self.from
                .append(format!(" {join} \"{table}\" {} ON ", scope.alias));
            if link.kind == LinkKind::First {
                let key = &scope.table.primary_id;
                let alias = &scope.alias;
                // The inner rows take the alias of the row that is joined: first of all their key.
                self.from.append(format!(
                    "{alias}.\"{key}\" = (SELECT {alias}.\"{key}\" FROM \"{table}\" {alias} WHERE "
                ));
                self.from.push(on);
                self.from.append(" ORDER BY 1 LIMIT 1)");
            } else {
                self.from.push(on);
            }
            joined.push((scope.clone(), link));
            joined.extend(self.join(&scope, &link.entity.links)?);
        }
        Ok(joined)
    }

    /// The linked table's scope, and the condition that its rows belong to the parent's.
    fn matching(
        &mut self,
        parent: &Scope<'a>,
        link: &'a Link,
    ) -> Result<(Scope<'a>, Sql), ODataError> {
        let name = &link.entity.table;
        let table = self
            .context
            .model
            .schema
            .table(name)
            .ok_or_else(|| FetchError::no_table(name))?;
        self.context.caller.depth(table, PrivilegeType::Read)?;
        self.aliases += 1;
        let scope = Scope {
            name: link
                .alias
                .clone()
                .unwrap_or_else(|| format!("{name}{}", link.number)),
            table,
            alias: format!("f{}", self.aliases),
        };
        let from = property(self.context.model, table, &link.from)?;
        let to = property(self.context.model, parent.table, &link.to)?;
        let on = format!(
            "{}.\"{}\" = {}.\"{}\"{}",
            scope.alias,
            from.sql,
            parent.alias,
            to.sql,
            collate(&to)
        );
        Ok((scope, Sql::new(on)))
    }

    /// Whether a row of the link belongs to the parent's row and fulfils the link's filters.
    fn exists(&mut self, scope: &Scope<'a>, link: &'a Link, on: Sql) -> Result<Sql, ODataError> {
        let inner = self.inside(scope, |builder| {
            builder.conditions.push(on);
            builder.conditions.extend(builder.access(scope)?);
            builder.join(scope, &link.entity.links)?;
            for filter in &link.entity.filters {
                let condition = builder.filter(scope, filter)?;
                builder.conditions.extend(condition);
            }
            Ok(())
        })?;
        let mut sql = Sql::new("EXISTS (");
        sql.push(inner);
        sql.append(")");
        Ok(sql)
    }

    /// A link-entity in a filter: `any`, `all` and their opposites.
    pub(super) fn related(
        &mut self,
        parent: &Scope<'a>,
        link: &'a Link,
    ) -> Result<Sql, ODataError> {
        let (scope, on) = self.matching(parent, link)?;
        let fulfilled = self.exists(&scope, link, on.clone())?;
        let mut sql = Sql::new("");
        match link.kind {
            LinkKind::NotAny => {
                sql.append("NOT ");
                sql.push(fulfilled);
            }
            LinkKind::All => {
                let table = &scope.table.logical_name;
                sql.append(format!(
                    "(EXISTS (SELECT 1 FROM \"{table}\" {}",
                    scope.alias
                ));
                sql.append(" WHERE ");
                sql.push(on);
                sql.append(") AND NOT ");
                sql.push(fulfilled);
                sql.append(")");
            }
            _ => sql = fulfilled,
        }
        Ok(sql)
    }

    /// A statement of its own over the scope's table, for use inside a condition.
    fn inside(
        &mut self,
        scope: &Scope<'a>,
        build: impl FnOnce(&mut Self) -> Result<(), ODataError>,
    ) -> Result<Sql, ODataError> {
        let table = &scope.table.logical_name;
        let outer = (
            std::mem::replace(
                &mut self.from,
                Sql::new(format!("SELECT 1 FROM \"{table}\" {}", scope.alias)),
            ),
            std::mem::take(&mut self.conditions),
            self.links.len(),
            self.multiplying.len(),
        );
        self.links.push(scope.clone());
        let result = build(self);
        let mut sql = std::mem::replace(&mut self.from, outer.0);
        let conditions = std::mem::replace(&mut self.conditions, outer.1);
        self.links.truncate(outer.2);
        self.multiplying.truncate(outer.3);
        result?;
        sql.append(" WHERE ");
        sql.push(Sql::joined(conditions, " AND "));
        Ok(sql)
    }

    /// The root's columns; returns the names of their properties.
    fn select_root(
        &mut self,
        scope: &Scope<'a>,
        select: Option<&[String]>,
    ) -> Result<Vec<String>, ODataError> {
        let (model, table) = (self.context.model, scope.table);
        let root = &self.fetch.root;
        let mut names = Vec::new();
        let mut money = false;
        if root.all_columns || root.attributes.is_empty() {
            for property in model.properties(table) {
                if select.is_none_or(|select| select.contains(&property.name)) {
                    names.push(property.name.clone());
                    self.plan.add(model, table, property, "t");
                }
            }
        }
        for attribute in &root.attributes {
            let property = property(model, table, &attribute.name)?;
            let name = attribute.alias.as_ref().unwrap_or(&property.name).clone();
            let wanted = select.is_none_or(|select| select.contains(&name));
            if !wanted || self.plan.has(&name) {
                continue;
            }
            money |= matches!(property.column.kind, ColumnKind::Money { .. });
            names.push(name.clone());
            match &attribute.alias {
                Some(_) => self.plan.add_alias(model, table, property, "t", &name),
                None => self.plan.add(model, table, property, "t"),
            }
        }
        if self.fetch.distinct {
            return Ok(names);
        }
        // What comes along unasked, as in OData queries (reference §4.2).
        let mut extra = Vec::new();
        extra.extend(money.then(|| "_transactioncurrencyid_value".to_owned()));
        extra.extend(table.column(&table.primary_id).map(wire_name));
        extra.extend(is_principal(table).then(|| "ownerid".to_owned()));
        for name in extra {
            if !self.plan.has(&name)
                && let Some(property) = model.find_property(table, &name)
            {
                names.push(name);
                self.plan.add(model, table, property, "t");
            }
        }
        Ok(names)
    }

    fn select_link(&mut self, scope: &Scope<'a>, entity: &Entity) -> Result<(), ODataError> {
        let (model, table) = (self.context.model, scope.table);
        if entity.all_columns {
            for property in model.properties(table) {
                let name = format!("{}.{}", scope.name, property.column.logical_name);
                if !self.plan.has(&name) {
                    self.plan
                        .add_alias(model, table, property, &scope.alias, &name);
                }
            }
        }
        for attribute in &entity.attributes {
            let property = property(model, table, &attribute.name)?;
            let name = attribute
                .alias
                .clone()
                .unwrap_or_else(|| format!("{}.{}", scope.name, property.column.logical_name));
            if !self.plan.has(&name) {
                self.plan
                    .add_alias(model, table, property, &scope.alias, &name);
            }
        }
        Ok(())
    }

    fn order_by(&mut self, scope: &Scope<'a>, orders: &[Order]) -> Result<(), ODataError> {
        for order in orders {
            let OrderBy::Attribute(name) = &order.by else {
                return Err(FetchError::invalid(
                    "An order by alias belongs to an aggregate query: name the attribute.",
                ));
            };
            let scope = match &order.entity {
                None => scope.clone(),
                Some(name) => {
                    self.linked_order = true;
                    self.named(name)?.clone()
                }
            };
            let mut column = self.order_column(&scope, name)?;
            column.descending = order.descending;
            self.order.push(column);
        }
        Ok(())
    }

    /// Lookups are ordered by the names of the rows they refer to, choices by their labels.
    fn order_column(&self, scope: &Scope<'a>, name: &str) -> Result<OrderColumn, ODataError> {
        let model = self.context.model;
        let reached = reach(model, scope.table, &scope.alias, name)?;
        let column = reached.property.column;
        let by_label =
            column.is_lookup() || (!column.choices().is_empty() && !self.fetch.raw_order);
        let prefix = if scope.alias == "t" {
            String::new()
        } else {
            format!("{}.", scope.name)
        };
        if by_label && let Some(sql) = shown(model, column, &scope.alias) {
            return Ok(OrderColumn {
                name: format!("{prefix}{name}name"),
                sql: Sql::new(sql),
                stored: Stored::Text,
                collate: COLLATE,
                descending: false,
            });
        }
        Ok(OrderColumn {
            name: format!("{prefix}{name}"),
            stored: reached.property.stored,
            collate: collate(&reached.property),
            sql: reached.sql,
            descending: false,
        })
    }

    /// Adds columns until no two rows have the same place.
    fn make_order_total(&mut self, root: &Scope<'a>) {
        if self.fetch.distinct {
            for (at, sql) in self.plan.columns.iter().enumerate() {
                self.order.push(OrderColumn {
                    name: format!("column{at}"),
                    sql: Sql::new(sql.clone()),
                    stored: Stored::Text,
                    collate: "",
                    descending: false,
                });
            }
            return;
        }
        let keys = std::iter::once(root).chain(&self.multiplying);
        let keys: Vec<OrderColumn> = keys
            .map(|scope| {
                let key = &scope.table.primary_id;
                OrderColumn {
                    name: if scope.alias == "t" {
                        key.clone()
                    } else {
                        format!("{}.{key}", scope.name)
                    },
                    sql: Sql::new(format!("{}.\"{key}\"", scope.alias)),
                    stored: Stored::Guid,
                    collate: "",
                    descending: false,
                }
            })
            .collect();
        for key in keys {
            if self.order.iter().all(|column| column.name != key.name) {
                self.order.push(key);
            }
        }
    }
}
