//! `$apply` (reference §4.9) as an aggregate query: the service evaluates both alike.

use super::element::alias;
use crate::{
    fetch::query::{Aggregation, Attribute, Entity, Fetch, Link, LinkKind, Order, OrderBy, Role},
    odata::{
        Model, Navigation,
        filter::Condition,
        options::{self, parse_filter, split},
    },
    schema::Table,
    store::Stored,
    wire::ODataError,
};

/// A parsed `$apply`.
#[derive(Debug)]
pub(crate) struct Apply {
    /// Which rows count: `filter(…)`.
    pub(crate) filters: Vec<Condition>,
    pub(crate) fetch: Fetch,
}

impl Apply {
    /// Parses `filter(…)/groupby((…),aggregate(…))`, each part of which may be missing.
    pub(crate) fn parse(text: &str, model: &Model, table: &Table) -> Result<Self, ODataError> {
        let mut apply = Self {
            filters: Vec::new(),
            fetch: Fetch {
                root: Entity {
                    table: table.logical_name.clone(),
                    ..Entity::default()
                },
                aggregate: true,
                ..Fetch::default()
            },
        };
        for step in split(text, '/') {
            if !apply.fetch.root.is_empty() {
                return Err(unsupported("Nothing may follow groupby or aggregate"));
            }
            let (name, inner) = call(step)?;
            match name {
                "filter" => apply.filters.push(parse_filter(inner)?),
                "groupby" => apply.group(inner, model, table)?,
                "aggregate" => apply.aggregate(inner, model, table)?,
                other => return Err(unsupported(&format!("The transformation '{other}'"))),
            }
        }
        if apply.fetch.root.is_empty() {
            return Err(unsupported("A filter without groupby or aggregate"));
        }
        Ok(apply)
    }

    /// Orders the groups by what they are grouped by; numbers about them order nothing.
    pub(crate) fn order(&mut self, orders: &[options::Order]) -> Result<(), ODataError> {
        for order in orders {
            let name = match order.path.as_slice() {
                [name] if self.fetch.root.groups_by(name) => name.clone(),
                _ => {
                    return Err(ODataError::bad_request(
                        "0x80060888",
                        "The query node SingleValueOpenPropertyAccess is not supported.",
                    ));
                }
            };
            self.fetch.root.orders.push(Order {
                by: OrderBy::Alias(name),
                entity: None,
                descending: order.descending,
            });
        }
        Ok(())
    }

    /// `groupby((statuscode,primarycontactid/fullname),aggregate(…))`
    fn group(&mut self, text: &str, model: &Model, table: &Table) -> Result<(), ODataError> {
        let mut parts = split(text, ',').into_iter().map(str::trim);
        let names = parts
            .next()
            .and_then(|names| names.strip_prefix('(')?.strip_suffix(')'))
            .ok_or_else(|| malformed(text))?;
        for name in split(names, ',') {
            let path = name.trim();
            let (entity, table, name) = reach(&mut self.fetch.root, model, table, path)?;
            let property = model.property(table, name)?;
            if matches!(property.stored, Stored::Instant | Stored::Date) {
                return Err(unsupported("Grouping by values of date and time"));
            }
            let column = &property.column.logical_name;
            let alias = if path == name {
                property.name.clone()
            } else {
                format!("{}_{column}", table.logical_name)
            };
            entity.attributes.push(Attribute {
                name: column.clone(),
                alias: Some(alias),
                role: Role::Group(None),
            });
        }
        match (parts.next().map(call).transpose()?, parts.next()) {
            (None, _) => Ok(()),
            (Some(("aggregate", inner)), None) => self.aggregate(inner, model, table),
            _ => Err(malformed(text)),
        }
    }

    /// `aggregate($count as count,revenue with sum as total)`
    fn aggregate(&mut self, text: &str, model: &Model, table: &Table) -> Result<(), ODataError> {
        for item in split(text, ',') {
            let words: Vec<&str> = item.split_whitespace().collect();
            let (path, function, name) = match words.as_slice() {
                ["$count", "as", name] => (table.primary_id.as_str(), "$count", name),
                [path, "with", function, "as", name] => (*path, *function, name),
                _ => return Err(malformed(item)),
            };
            let function = match function {
                "$count" => Aggregation::Count,
                "sum" => Aggregation::Sum,
                "average" => Aggregation::Average,
                "min" => Aggregation::Min,
                "max" => Aggregation::Max,
                "countdistinct" => Aggregation::CountColumn { distinct: true },
                other => return Err(unsupported(&format!("The aggregation method '{other}'"))),
            };
            let (entity, table, column) = reach(&mut self.fetch.root, model, table, path)?;
            let column = model.property(table, column)?.column;
            entity.attributes.push(Attribute {
                name: column.logical_name.clone(),
                alias: Some(alias(name)?),
                role: Role::Aggregate(function),
            });
        }
        Ok(())
    }
}

impl Entity {
    fn is_empty(&self) -> bool {
        self.attributes.is_empty() && self.links.is_empty()
    }

    /// The table joined by the lookup column, under the name of the way that leads there.
    fn joined(&mut self, way: &str, column: &str, target: &Table) -> &mut Self {
        let known = |link: &Link| link.alias.as_deref() == Some(way);
        let link = match self.links.iter().position(known) {
            Some(at) => self.links.remove(at),
            None => Link {
                entity: Self {
                    table: target.logical_name.clone(),
                    ..Self::default()
                },
                alias: Some(way.to_owned()),
                from: target.primary_id.clone(),
                to: column.to_owned(),
                // Rows that refer to nothing form a group too.
                kind: LinkKind::Outer,
                number: self.links.len() + 1,
            },
        };
        &mut self.links.push_mut(link).entity
    }

    fn groups_by(&self, name: &str) -> bool {
        let named = |attribute: &Attribute| {
            attribute.role == Role::Group(None) && attribute.alias.as_deref() == Some(name)
        };
        self.attributes.iter().any(named)
    }
}

/// The joined table that a path through lookups leads to, and the last name of the path.
fn reach<'e, 'm, 'p>(
    entity: &'e mut Entity,
    model: &'m Model,
    table: &'m Table,
    path: &'p str,
) -> Result<(&'e mut Entity, &'m Table, &'p str), ODataError> {
    let (mut entity, mut table, mut rest) = (entity, table, path);
    while let Some((navigation, further)) = rest.split_once('/') {
        let Some(Navigation::ToOne { column, target }) =
            model.navigation(&table.logical_name, navigation)
        else {
            return Err(ODataError::unknown_property(
                navigation,
                &table.logical_name,
            ));
        };
        let target = model.table(target)?;
        let way = path.strip_suffix(further).unwrap_or(path);
        entity = entity.joined(way, column, target);
        (table, rest) = (target, further);
    }
    Ok((entity, table, rest))
}

/// `name(inner)` taken apart.
fn call(text: &str) -> Result<(&str, &str), ODataError> {
    text.trim()
        .split_once('(')
        .and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)))
        .ok_or_else(|| malformed(text))
}

fn malformed(text: &str) -> ODataError {
    ODataError::syntax(format!("Syntax error in $apply: '{}'.", text.trim()))
}

fn unsupported(what: &str) -> ODataError {
    ODataError::bad_request("0x80060888", format!("{what} is not supported in $apply."))
}
