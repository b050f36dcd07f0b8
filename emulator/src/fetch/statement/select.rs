//! The columns of a query's rows, and their order.

use super::{
    builder::{Builder, Scope},
    value::{property, reach, shown},
};
use crate::{
    fetch::{
        FetchError,
        query::{Entity, Order, OrderBy},
    },
    odata::{
        fragment::Sql,
        model::{is_principal, wire_name},
        order::OrderColumn,
        sql::collate,
    },
    schema::ColumnKind,
    store::{COLLATE, Stored},
    wire::ODataError,
};

impl<'a> Builder<'a> {
    /// The root's columns; returns the names of their properties.
    pub(super) fn select_root(
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
        // Columns that are always returned, as in OData queries (reference §4.2).
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

    pub(super) fn select_link(
        &mut self,
        scope: &Scope<'a>,
        entity: &Entity,
    ) -> Result<(), ODataError> {
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

    pub(super) fn order_by(
        &mut self,
        scope: &Scope<'a>,
        orders: &[Order],
    ) -> Result<(), ODataError> {
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
        let reached = reach(&self.context, scope.table, &scope.alias, name)?;
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
    pub(super) fn make_order_total(&mut self, root: &Scope<'a>) {
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
