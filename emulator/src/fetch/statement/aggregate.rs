//! Aggregate queries: numbers over groups of rows instead of rows.

use super::{
    builder::{Builder, Scope},
    value::property,
};
use crate::{
    fetch::{
        FetchError,
        query::{Aggregation, Attribute, DatePart, Link, Order, OrderBy, Role},
    },
    odata::{Property, fragment::Sql, order::OrderColumn, sql::collate},
    store::Stored,
    wire::{ODataError, format::Display},
};

/// A column of the response, for the orders that name it.
struct Output {
    alias: String,
    sql: String,
    stored: Stored,
    collate: &'static str,
}

/// Plans the columns of an aggregate query; returns what rows are grouped by.
pub(super) fn select<'a>(
    builder: &mut Builder<'a>,
    root: &Scope<'a>,
    joined: &[(Scope<'a>, &'a Link)],
) -> Result<Vec<String>, ODataError> {
    let fetch = builder.fetch;
    let entities: Vec<_> = std::iter::once((root, &fetch.root))
        .chain(joined.iter().map(|(scope, link)| (scope, &link.entity)))
        .collect();
    let mut groups = Vec::new();
    let mut outputs: Vec<Output> = Vec::new();
    for (scope, entity) in &entities {
        if entity.all_columns {
            return Err(with_aggregate("all-attributes"));
        }
        for attribute in &entity.attributes {
            let output = column(builder, scope, attribute)?;
            if outputs.iter().any(|known| known.alias == output.alias) {
                return Err(FetchError::invalid(format!(
                    "The alias '{}' is used for two attributes.",
                    output.alias
                )));
            }
            if let Role::Group(_) = attribute.role {
                groups.push(output.sql.clone());
            }
            outputs.push(output);
        }
    }
    if outputs.is_empty() {
        return Err(FetchError::invalid("An aggregate query needs attributes."));
    }
    let mut ordered: Vec<String> = Vec::new();
    for order in entities.iter().flat_map(|(_, entity)| &entity.orders) {
        let output = by_alias(order, &outputs)?;
        ordered.push(output.alias.clone());
        builder.order.push(order_column(output, order.descending));
    }
    // Groups without an order of their own keep one place from page to page.
    let rest = outputs
        .iter()
        .filter(|output| groups.contains(&output.sql) && !ordered.contains(&output.alias));
    builder
        .order
        .extend(rest.map(|output| order_column(output, false)));
    Ok(groups)
}

fn by_alias<'o>(order: &Order, outputs: &'o [Output]) -> Result<&'o Output, ODataError> {
    match &order.by {
        OrderBy::Alias(alias) => outputs
            .iter()
            .find(|output| output.alias == *alias)
            .ok_or_else(|| FetchError::unknown_alias(alias)),
        OrderBy::Attribute(name) => Err(FetchError::invalid(format!(
            "An attribute can not be specified for an order clause of an aggregate query: use an \
             alias instead of '{name}'."
        ))),
    }
}

fn order_column(output: &Output, descending: bool) -> OrderColumn {
    OrderColumn {
        name: output.alias.clone(),
        sql: Sql::new(output.sql.clone()),
        stored: output.stored,
        collate: output.collate,
        descending,
    }
}

fn column<'a>(
    builder: &mut Builder<'a>,
    scope: &Scope<'a>,
    attribute: &'a Attribute,
) -> Result<Output, ODataError> {
    let (model, table) = (builder.context.model, scope.table);
    let property = property(model, table, &attribute.name)?;
    let viewer = &builder.context.caller.viewer;
    viewer.columns.require_read(table, property.column)?;
    let language = viewer.language;
    let alias = attribute
        .alias
        .clone()
        .ok_or_else(|| FetchError::no_alias(&attribute.name))?;
    let sql = format!("{}.\"{}\"", scope.alias, property.sql);
    let (stored, collate) = (property.stored, collate(&property));
    let logical_name = property.column.logical_name.clone();
    let (sql, stored, display) = match attribute.role {
        Role::Plain => return Err(with_aggregate(&attribute.name)),
        Role::Group(None) => {
            builder
                .plan
                .add_alias(model, table, property, &scope.alias, &alias);
            return Ok(Output {
                alias,
                sql,
                stored,
                collate,
            });
        }
        Role::Group(Some(part)) => {
            if !matches!(stored, Stored::Instant | Stored::Date) {
                return Err(FetchError::invalid(format!(
                    "The attribute '{logical_name}' is no date to be grouped by parts."
                )));
            }
            (part_of(part, &sql), Stored::Integer, Display::Integer)
        }
        Role::Aggregate(function) => {
            let display = Display::of(property.column, &model.schema, language);
            let (sql, stored, counts) = aggregated(function, &property, &sql)?;
            let display = if counts { None } else { display };
            (sql, stored, display.unwrap_or(Display::Integer))
        }
    };
    builder
        .plan
        .add_computed(&alias, sql.clone(), stored, Some(display), &logical_name);
    Ok(Output {
        alias,
        sql,
        stored,
        collate: "",
    })
}

/// SQL for the number, how it is kept, and whether it is a count.
fn aggregated(
    function: Aggregation,
    property: &Property<'_>,
    sql: &str,
) -> Result<(String, Stored, bool), ODataError> {
    let stored = property.stored;
    let numeric = matches!(stored, Stored::Scaled(_) | Stored::Real)
        || (stored == Stored::Integer && property.column.choices().is_empty());
    let comparable = numeric || matches!(stored, Stored::Instant | Stored::Date);
    let fits = match function {
        Aggregation::Count | Aggregation::CountColumn { .. } => true,
        Aggregation::Sum | Aggregation::Average => numeric,
        Aggregation::Min | Aggregation::Max => comparable,
    };
    if !fits {
        return Err(FetchError::invalid(format!(
            "The attribute '{}' cannot be aggregated in this way: its type is not supported.",
            property.column.logical_name
        )));
    }
    Ok(match function {
        Aggregation::Count => ("count(*)".to_owned(), Stored::Integer, true),
        Aggregation::CountColumn { distinct } => {
            let distinct = if distinct { "DISTINCT " } else { "" };
            (format!("count({distinct}{sql})"), Stored::Integer, true)
        }
        Aggregation::Sum => (format!("sum({sql})"), stored, false),
        Aggregation::Average if stored == Stored::Real => (format!("avg({sql})"), stored, false),
        // Exact: units divided by whole numbers, as the service's own database divides them.
        Aggregation::Average => (format!("sum({sql}) / count({sql})"), stored, false),
        Aggregation::Min => (format!("min({sql})"), stored, false),
        Aggregation::Max => (format!("max({sql})"), stored, false),
    })
}

fn part_of(part: DatePart, sql: &str) -> String {
    let of = |format: &str| format!("CAST(strftime('{format}', {sql}, 'unixepoch') AS INTEGER)");
    match part {
        DatePart::Day => of("%d"),
        DatePart::Month => of("%m"),
        DatePart::Year => of("%Y"),
        DatePart::Quarter => format!("(({} + 2) / 3)", of("%m")),
        // The first week holds 1 January; weeks begin on Sunday.
        DatePart::Week => format!(
            "(({} + CAST(strftime('%w', {sql}, 'unixepoch', 'start of year') AS INTEGER) - 1) / 7 \
             + 1)",
            of("%j")
        ),
    }
}

fn with_aggregate(name: &str) -> ODataError {
    ODataError::bad_request(
        "0x80041107",
        format!(
            "An attribute can not be requested when an aggregate operation has been specified and \
             its neither groupby not aggregate: '{name}'."
        ),
    )
}
