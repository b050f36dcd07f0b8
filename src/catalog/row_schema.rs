//! What rows look like, as JSON Schema 2020-12.

use serde_json::{Map, Value, json};

use super::column::{Column, DataType};
use super::table::Table;

/// The schema of a table's rows with the named columns, `None` for all, and with labels if
/// they are asked for. It is exactly what `source` emits; columns that the service adds later
/// come through unannounced.
///
/// Besides the standard vocabulary it says:
/// - `x-primary-key` (schema): the columns that together name a row.
/// - `x-data-type` (column): the connector's name for the type.
/// - `x-scale` (column): digits after the decimal point.
/// - `x-targets` (column): the streams that a reference may point to.
/// - `x-label-of` (column): the column that this one explains to people.
pub(crate) fn row_schema(table: &Table, columns: Option<&[String]>, labels: bool) -> String {
    let mut properties = Map::new();
    for column in &table.columns {
        let is_selected = columns.is_none_or(|names| names.contains(&column.name));
        if !is_selected && column.name != table.primary_key {
            continue;
        }
        properties.insert(column.name.clone(), property(column));
        if labels {
            for name in column.label_names() {
                if table.column(&name).is_none() {
                    let label = label_property(column, &name);
                    properties.insert(name, label);
                }
            }
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": table.title,
        "type": "object",
        "properties": properties,
        "required": [table.primary_key],
        "additionalProperties": true,
        "x-primary-key": [table.primary_key],
    })
    .to_string()
}

fn property(column: &Column) -> Value {
    let nullable = column.nullable;
    let json_type = match column.data_type {
        DataType::Integer | DataType::BigInteger | DataType::Choice => "integer",
        DataType::Decimal | DataType::FloatingPoint => "number",
        DataType::Boolean => "boolean",
        DataType::Other => "",
        _ => "string",
    };
    let mut property = Map::new();
    property.insert("title".into(), column.title.clone().into());
    match (json_type, nullable) {
        ("", _) => {}
        (name, true) => {
            property.insert("type".into(), json!([name, "null"]));
        }
        (name, false) => {
            property.insert("type".into(), name.into());
        }
    }
    property.insert("x-data-type".into(), column.data_type.name().into());
    let format = match column.data_type {
        DataType::Identifier | DataType::Reference => Some("uuid"),
        DataType::Date => Some("date"),
        DataType::Timestamp => Some("date-time"),
        _ => None,
    };
    if let Some(format) = format {
        property.insert("format".into(), format.into());
    }
    if column.data_type == DataType::Decimal {
        property.insert(
            "$comment".into(),
            "The number's text is exact; do not round it.".into(),
        );
    }
    if let Some(length) = column.max_length {
        property.insert("maxLength".into(), length.into());
    }
    if let Some(scale) = column.scale {
        property.insert("x-scale".into(), scale.into());
    }
    if column.data_type == DataType::Choice && !column.choices.is_empty() {
        property.insert("oneOf".into(), choices(column, nullable));
    }
    if column.data_type == DataType::ChoiceList {
        property.insert("pattern".into(), "^-?[0-9]+(,-?[0-9]+)*$".into());
    }
    if !column.targets.is_empty() {
        property.insert("x-targets".into(), json!(column.targets));
    }
    property.into()
}

/// The choices and, since rows may hold values whose choice has been removed since, any other
/// integer.
fn choices(column: &Column, nullable: bool) -> Value {
    let values: Vec<i32> = column.choices.iter().map(|choice| choice.value).collect();
    let mut alternatives: Vec<Value> = column
        .choices
        .iter()
        .map(|choice| json!({ "const": choice.value, "title": choice.label }))
        .collect();
    alternatives.push(json!({
        "type": "integer",
        "not": { "enum": values },
        "title": "A choice that has been removed",
    }));
    if nullable {
        alternatives.push(json!({ "type": "null" }));
    }
    alternatives.into()
}

fn label_property(column: &Column, name: &str) -> Value {
    let is_type = column.data_type == DataType::Reference && name.ends_with("type");
    json!({
        "type": ["string", "null"],
        "x-data-type": if is_type { "stream-name" } else { "text" },
        "x-label-of": column.name,
    })
}
