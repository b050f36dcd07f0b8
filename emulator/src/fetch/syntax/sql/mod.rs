//! `SELECT` statements (reference §4.13) as queries.

mod clauses;
mod column;
mod conditions;

use clauses::{Clauses, Item, Join};
use column::Column;

use crate::{
    fetch::query::{
        Aggregation, Attribute, Entity, Fetch, Link, LinkKind, MAX_LINKS, Order, OrderBy, Role,
    },
    odata::Model,
    wire::ODataError,
};

impl Fetch {
    /// The query of a statement such as `SELECT TOP 5 name FROM account WHERE statecode = 0`.
    pub(crate) fn from_sql(text: &str, model: &Model) -> Result<Self, ODataError> {
        let select = Clauses::parse(text)?;
        let aggregate =
            !select.groups.is_empty() || select.items.iter().any(|item| item.function.is_some());
        let mut fetch = Self {
            root: Entity {
                table: select.table.clone(),
                ..Entity::default()
            },
            top: select.top,
            distinct: select.distinct && !aggregate,
            aggregate,
            raw_order: true,
            ..Self::default()
        };
        for (number, join) in select.joins.iter().enumerate() {
            if number == MAX_LINKS {
                return Err(refused("More joins than a query may have"));
            }
            fetch.root.join(&select.alias, join, number + 1)?;
        }
        for item in &select.items {
            let attribute = attribute(item, &select, model)?;
            let alias = item.column.as_ref();
            let alias = alias.and_then(|column| column.qualifier.as_deref());
            let entity = fetch.root.named(&select.alias, alias)?;
            entity.attributes.push(attribute);
        }
        for (column, descending) in &select.orders {
            let by = if aggregate {
                OrderBy::Alias(column.name.clone())
            } else {
                OrderBy::Attribute(column.name.clone())
            };
            let foreign = column
                .qualifier
                .clone()
                .filter(|name| *name != select.alias);
            fetch.root.orders.push(Order {
                by,
                entity: foreign.filter(|_| !aggregate),
                descending: *descending,
            });
        }
        fetch.root.filters.extend(select.filter);
        Ok(fetch)
    }
}

/// A column of the response: read, grouped by, or aggregated.
fn attribute(item: &Item, select: &Clauses, model: &Model) -> Result<Attribute, ODataError> {
    let grouped = |column| select.groups.contains(column);
    let (name, role) = match (&item.column, item.function) {
        (Some(column), Some(function)) => (column.name.clone(), Role::Aggregate(function)),
        (None, _) => {
            let table = model.table(&select.table)?;
            (
                table.primary_id.clone(),
                Role::Aggregate(Aggregation::Count),
            )
        }
        (Some(column), None) if grouped(column) => (column.name.clone(), Role::Group(None)),
        (Some(_), None) if !select.groups.is_empty() => {
            return Err(refused("A column that is not grouped by"));
        }
        (Some(column), None) => (column.name.clone(), Role::Plain),
    };
    let alias = match (&item.alias, role) {
        (Some(alias), _) => Some(alias.clone()),
        (None, Role::Aggregate(_)) => return Err(refused("A function without AS and a name")),
        (None, Role::Group(_)) => Some(name.clone()),
        (None, Role::Plain) => None,
    };
    Ok(Attribute { name, alias, role })
}

impl Entity {
    /// The entity that a qualifier names; without one the root.
    fn named(&mut self, root: &str, name: Option<&str>) -> Result<&mut Self, ODataError> {
        match name {
            None => Ok(self),
            Some(name) if name == root => Ok(self),
            Some(name) => self
                .linked(name)
                .ok_or_else(|| refused(&format!("The unknown table name '{name}'"))),
        }
    }

    fn linked(&mut self, name: &str) -> Option<&mut Self> {
        self.links.iter_mut().find_map(|link| {
            if link.alias.as_deref() == Some(name) {
                Some(&mut link.entity)
            } else {
                link.entity.linked(name)
            }
        })
    }

    fn join(&mut self, root: &str, join: &Join, number: usize) -> Result<(), ODataError> {
        let mine = |column: &Column| column.qualifier.as_deref() == Some(join.alias.as_str());
        let (from, to) = match (mine(&join.left), mine(&join.right)) {
            (true, false) => (&join.left, &join.right),
            (false, true) => (&join.right, &join.left),
            _ => {
                return Err(refused(
                    "A join that does not compare columns of two tables",
                ));
            }
        };
        let parent = self.named(root, to.qualifier.as_deref())?;
        parent.links.push(Link {
            entity: Self {
                table: join.table.clone(),
                ..Self::default()
            },
            alias: Some(join.alias.clone()),
            from: from.name.clone(),
            to: to.name.clone(),
            kind: if join.outer {
                LinkKind::Outer
            } else {
                LinkKind::Inner
            },
            number,
        });
        Ok(())
    }
}

/// The error for what SQL allows and the service does not.
fn refused(what: &str) -> ODataError {
    ODataError::bad_request(
        "0x80060888",
        format!("{what} is not supported in SQL queries."),
    )
}
