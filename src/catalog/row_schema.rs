//! What rows look like, as JSON Schema 2020-12.

use super::column::{Choice, Column, DataType};
use super::table::Table;
use crate::json::{Writer, array, quoted};

/// The schema of a table's rows with the named columns, `None` for all, and with labels if
/// they are asked for. It is exactly what `source` emits; columns that the service adds later
/// come through unannounced.
///
/// Besides the standard vocabulary it says:
/// - `x-primary-key` (schema): the columns that together name a row.
/// - `x-data-type` (column): the connector's name for the type.
/// - `x-format` (column): what the value means, in the service's own words. The service does
///   not hold values against it, so it is no `format`.
/// - `x-scale` (column): digits after the decimal point.
/// - `x-choice-set` (column): the name of the choices, if columns share them.
/// - `x-targets` (column): the streams that a reference may point to.
/// - `x-label-of` (column): the column that this one explains to people.
pub(crate) fn row_schema(table: &Table, columns: Option<&[String]>, labels: bool) -> String {
    let mut properties = Writer::new();
    for column in &table.columns {
        let is_selected = columns.is_none_or(|names| names.contains(&column.name));
        if !is_selected && !table.is_key(&column.name) {
            continue;
        }
        properties.member(&column.name, &property(column));
        if labels {
            for name in column.label_names() {
                if table.column(&name).is_none() {
                    properties.member(&name, &label_property(column, &name));
                }
            }
        }
    }
    let key: Vec<String> = table.key().iter().map(|name| quoted(name)).collect();
    let key = format!("[{}]", key.join(","));
    let mut schema = Writer::new();
    schema.text("$schema", "https://json-schema.org/draft/2020-12/schema");
    schema.text("title", &table.title);
    schema.text("type", "object");
    schema.member("properties", &properties.end());
    schema.member("required", &key);
    schema.member("additionalProperties", "true");
    schema.member("x-primary-key", &key);
    schema.end()
}

fn property(column: &Column) -> String {
    let json_type = match column.data_type {
        DataType::Integer | DataType::BigInteger | DataType::Choice => "integer",
        DataType::Decimal | DataType::FloatingPoint => "number",
        DataType::Boolean => "boolean",
        DataType::Other => "",
        _ => "string",
    };
    let mut property = Writer::new();
    property.text("title", &column.title);
    match (json_type, column.nullable) {
        ("", _) => {}
        (name, true) => property.member("type", &format!("[{},\"null\"]", quoted(name))),
        (name, false) => property.text("type", name),
    }
    property.text("x-data-type", column.data_type.name());
    match column.data_type {
        DataType::Identifier | DataType::Reference => property.text("format", "uuid"),
        DataType::Date => property.text("format", "date"),
        DataType::Timestamp => property.text("format", "date-time"),
        DataType::Decimal => {
            property.text("$comment", "The number's text is exact; do not round it.");
        }
        DataType::ChoiceList => property.text("pattern", "^-?[0-9]+(,-?[0-9]+)*$"),
        DataType::Choice if !column.choices.is_empty() => choices(column, &mut property),
        _ => {}
    }
    if let Some(format) = &column.format {
        property.text("x-format", format);
    }
    if let Some(length) = column.max_length {
        property.member("maxLength", &length.to_string());
    }
    // Numbers are written as the service wrote them, digit by digit.
    if let Some(minimum) = &column.bounds.minimum {
        property.member("minimum", minimum);
    }
    if let Some(maximum) = &column.bounds.maximum {
        property.member("maximum", maximum);
    }
    if let Some(scale) = column.scale {
        property.member("x-scale", &scale.to_string());
    }
    if let Some(name) = &column.choice_set {
        property.text("x-choice-set", name);
    }
    if !column.targets.is_empty() {
        let targets = column.targets.iter().map(|target| quoted(target));
        property.member("x-targets", &array(targets));
    }
    property.end()
}

/// The choices. Rows may hold values whose choice has been removed since, so that any other
/// integer is one too, unless choices are never removed.
fn choices(column: &Column, property: &mut Writer) {
    let mut alternatives: Vec<String> = column.choices.iter().map(alternative).collect();
    let values = column.choices.iter().map(|choice| choice.value.to_string());
    if column.is_closed {
        let null = column.nullable.then(|| "null".to_owned());
        property.member("enum", &array(values.chain(null)));
    } else {
        alternatives.push(format!(
            "{{\"type\":\"integer\",\"not\":{{\"enum\":{}}},\
             \"title\":\"A choice that has been removed\"}}",
            array(values)
        ));
    }
    if column.nullable {
        alternatives.push("{\"type\":\"null\"}".to_owned());
    }
    property.member("oneOf", &array(alternatives.into_iter()));
}

fn alternative(choice: &Choice) -> String {
    let mut alternative = Writer::new();
    alternative.member("const", &choice.value.to_string());
    alternative.text("title", &choice.label);
    alternative.end()
}

fn label_property(column: &Column, name: &str) -> String {
    let is_type = column.data_type == DataType::Reference && name.ends_with("type");
    let mut property = Writer::new();
    property.member("type", "[\"string\",\"null\"]");
    property.text("x-data-type", if is_type { "stream-name" } else { "text" });
    property.text("x-label-of", &column.name);
    property.end()
}
