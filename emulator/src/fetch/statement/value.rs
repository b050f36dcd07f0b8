//! Columns by their logical names, and the texts of conditions as the values that columns hold.

use std::fmt::Write as _;

use rusqlite::types::Value as SqlValue;

use super::builder::Context;
use crate::{
    fetch::FetchError,
    odata::{
        Literal, Model, Property, constant::constant, filter::Comparison, fragment::Sql,
        model::wire_name, plan::name_of_target, sql::Reached,
    },
    schema::{Column, ColumnKind, Table},
    store::{Decimal, Stored},
    time,
    wire::ODataError,
};

/// The column of this logical name; of a column that only describes another, the other.
pub(super) fn property<'a>(
    model: &'a Model,
    table: &Table,
    name: &str,
) -> Result<Property<'a>, ODataError> {
    let unknown = || FetchError::no_column(&table.logical_name, name);
    let column = table.column(name).ok_or_else(unknown)?;
    let described = match &column.attribute_of {
        Some(described) => table.column(described).ok_or_else(unknown)?,
        None => column,
    };
    model
        .find_property(table, &wire_name(described))
        .ok_or_else(unknown)
}

/// A column as conditions see it: `{lookup}name` is the referred row's name, `{choice}name` the
/// label.
pub(super) fn reach<'a>(
    context: &Context<'a>,
    table: &'a Table,
    alias: &str,
    name: &str,
) -> Result<Reached<'a>, ODataError> {
    let model = context.model;
    let property = property(model, table, name)?;
    context
        .caller
        .viewer
        .columns
        .require_read(table, property.column)?;
    let plain = || Sql::new(format!("{alias}.\"{}\"", property.sql));
    match table.column(name) {
        Some(column) if column.attribute_of.is_some() => {
            let described = property.column;
            let sql = if column.kind == ColumnKind::EntityName {
                match property.stored {
                    Stored::TypedReference => Some(format!("{alias}.\"{}$type\"", property.sql)),
                    _ => None,
                }
            } else {
                shown(model, described, alias)
            };
            let sql = sql.ok_or_else(|| FetchError::no_column(&table.logical_name, name))?;
            Ok(Reached {
                sql: Sql::new(sql),
                property: Property {
                    name: name.to_owned(),
                    sql: String::new(),
                    stored: Stored::Text,
                    column,
                },
            })
        }
        _ => Ok(Reached {
            sql: plain(),
            property,
        }),
    }
}

/// SQL for what people see of a lookup or a choice.
pub(super) fn shown(model: &Model, column: &Column, alias: &str) -> Option<String> {
    if column.is_lookup() {
        return name_of_target(
            &model.schema,
            &column.logical_name,
            &column.targets(),
            alias,
        );
    }
    let mut labels = String::new();
    for choice in column.choices() {
        let label = choice.label.text.replace('\'', "''");
        let _ = write!(labels, " WHEN {} THEN '{label}'", choice.value);
    }
    (!labels.is_empty()).then(|| format!("CASE {alias}.\"{}\"{labels} END", column.logical_name))
}

/// A condition's text as the value the column would hold.
pub(super) fn value(
    model: &Model,
    property: &Property<'_>,
    text: &str,
) -> Result<SqlValue, ODataError> {
    literal(model, property, text)
        .and_then(|literal| constant(property, &literal, Comparison::Equal).ok())
        .ok_or_else(|| {
            FetchError::invalid(format!(
                "'{text}' is no value of the attribute '{}'.",
                property.column.logical_name
            ))
        })
}

fn literal(model: &Model, property: &Property<'_>, text: &str) -> Option<Literal> {
    let trimmed = text.trim();
    Some(match property.stored {
        Stored::Guid | Stored::Reference | Stored::TypedReference => {
            Literal::Guid(uuid::Uuid::try_parse(trimmed).ok()?)
        }
        Stored::Text if property.column.kind == ColumnKind::EntityName => {
            let code: Option<i32> = trimmed.parse().ok();
            let named = code.and_then(|code| {
                let table = model.schema.tables().find(|t| t.object_type_code == code);
                table.map(|table| table.logical_name.clone())
            });
            Literal::Text(named.unwrap_or_else(|| text.to_owned()))
        }
        Stored::Text => Literal::Text(text.to_owned()),
        Stored::Boolean => Literal::Boolean(match trimmed {
            "1" => true,
            "0" => false,
            other if other.eq_ignore_ascii_case("true") => true,
            other if other.eq_ignore_ascii_case("false") => false,
            _ => return None,
        }),
        Stored::Integer | Stored::Scaled(_) | Stored::Real => {
            trimmed.parse::<Decimal>().ok()?;
            Literal::Number(trimmed.to_owned())
        }
        Stored::Instant => Literal::DateTime(date_time(trimmed)?),
        Stored::Date => {
            let at = date_time(trimmed)?;
            Literal::Date(at - at.rem_euclid(time::DAY))
        }
    })
}

/// A date, or a date and time; without a zone it is the caller's, who lives in UTC.
pub(super) fn date_time(text: &str) -> Option<i64> {
    let joined = text.replacen(' ', "T", 1);
    time::parse_date(text)
        .or_else(|| time::parse_date_time(&joined))
        .or_else(|| time::parse_date_time(&format!("{joined}Z")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_in_several_forms() {
        let expected = time::parse_date_time("2024-02-29T10:30:00Z");
        for text in [
            "2024-02-29T10:30:00Z",
            "2024-02-29T10:30:00",
            "2024-02-29 10:30:00",
            "2024-02-29T12:30:00+02:00",
        ] {
            assert_eq!(date_time(text), expected, "{text}");
        }
        assert_eq!(date_time("2024-02-29"), time::parse_date("2024-02-29"));
        assert_eq!(date_time("yesterday"), None);
    }
}
