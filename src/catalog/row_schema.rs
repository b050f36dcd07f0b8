//! The schema of rows, as JSON Schema 2020-12.

use super::column::{Column, DataType};
use super::table::Table;
use crate::json::Writer;

/// The schema of a table's rows with the named columns, `None` for all, and with labels if they are
/// requested. It is exactly what `source` returns; columns that are added to the table later are in
/// rows, but not in the schema.
///
/// Besides the standard vocabulary it has:
/// - `x-primary-key` (schema): the columns of the primary key.
/// - `x-data-type` (column): the connector's name of the type.
/// - `x-format` (column): what the value means, in the service's own words. The service does not
///   validate values against it, so it is not a `format`.
/// - `x-scale` (column): digits after the decimal point.
/// - `x-choice-set` (column): the name of the choices, if columns share them.
/// - `x-targets` (column): the streams that a reference may point to.
/// - `x-label-of` (column): the column whose label this one holds.
pub(crate) fn row_schema(table: &Table, columns: Option<&[String]>, labels: bool) -> String {
    let key = table.key();
    let mut schema = Writer::new();
    schema.text("$schema", "https://json-schema.org/draft/2020-12/schema");
    schema.text("title", &table.title);
    schema.text("type", "object");
    schema.object("properties", |properties| {
        for column in &table.columns {
            let is_selected = columns.is_none_or(|names| names.contains(&column.name));
            if !is_selected && !table.is_key(&column.name) {
                continue;
            }
            properties.object(&column.name, |property| write(column, property));
            if labels {
                for name in column.label_names() {
                    if table.column(&name).is_none() {
                        properties.object(&name, |property| write_label(column, &name, property));
                    }
                }
            }
        }
    });
    write_texts("required", &key, &mut schema);
    schema.member("additionalProperties", "true");
    write_texts("x-primary-key", &key, &mut schema);
    schema.end()
}

fn write(column: &Column, property: &mut Writer) {
    let json_type = match column.data_type {
        DataType::Integer | DataType::BigInteger | DataType::Choice => Some("integer"),
        DataType::Decimal | DataType::FloatingPoint => Some("number"),
        DataType::Boolean => Some("boolean"),
        DataType::Text
        | DataType::Date
        | DataType::Timestamp
        | DataType::LocalTimestamp
        | DataType::Identifier
        | DataType::ChoiceList
        | DataType::Reference
        | DataType::StreamName
        | DataType::File => Some("string"),
        DataType::Other => None,
    };
    property.text("title", &column.title);
    match json_type {
        Some(name) if column.nullable => property.array("type", |types| {
            types.text(name);
            types.text("null");
        }),
        Some(name) => property.text("type", name),
        None => {}
    }
    property.text("x-data-type", column.data_type.name());
    match column.data_type {
        DataType::Identifier | DataType::Reference => property.text("format", "uuid"),
        DataType::Date => property.text("format", "date"),
        DataType::Timestamp => property.text("format", "date-time"),
        // The service writes a `Z` after it (reference §4.10), so `date-time` would fit its form,
        // but not its meaning.
        DataType::LocalTimestamp => {
            property.text(
                "pattern",
                "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}",
            );
            property.text(
                "description",
                "A date and a time of day without a time zone. The offset that the text ends with \
                 has no meaning.",
            );
        }
        DataType::Decimal => {
            property.text("$comment", "The number's text is exact; do not round it.");
        }
        DataType::ChoiceList => property.text("pattern", "^-?[0-9]+(,-?[0-9]+)*$"),
        DataType::Choice if !column.choices.is_empty() => write_choices(column, property),
        DataType::Choice
        | DataType::Text
        | DataType::Integer
        | DataType::BigInteger
        | DataType::FloatingPoint
        | DataType::Boolean
        | DataType::StreamName
        | DataType::File
        | DataType::Other => {}
    }
    if let Some(format) = &column.format {
        property.text("x-format", format);
    }
    if let Some(length) = column.max_length {
        property.member("maxLength", &length.to_string());
    }
    // Numbers stay as the service writes them, digit by digit.
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
        write_texts("x-targets", &column.targets, property);
    }
}

/// The choices. Rows may have values whose choice has been deleted since, so that any other
/// integer is valid too, unless choices are never deleted.
fn write_choices(column: &Column, property: &mut Writer) {
    let values: Vec<String> = column
        .choices
        .iter()
        .map(|choice| choice.value.to_string())
        .collect();
    let write_enum = |object: &mut Writer, nullable: bool| {
        object.array("enum", |elements| {
            for value in &values {
                elements.json(value);
            }
            if nullable {
                elements.json("null");
            }
        });
    };
    if column.is_closed {
        write_enum(property, column.nullable);
    }
    property.array("oneOf", |alternatives| {
        for (choice, value) in column.choices.iter().zip(&values) {
            alternatives.object(|alternative| {
                alternative.member("const", value);
                alternative.text("title", &choice.label);
            });
        }
        if !column.is_closed {
            alternatives.object(|other| {
                other.text("type", "integer");
                other.object("not", |known| write_enum(known, false));
                other.text("title", "A choice that has been removed");
            });
        }
        if column.nullable {
            alternatives.object(|null| null.text("type", "null"));
        }
    });
}

fn write_label(column: &Column, name: &str, property: &mut Writer) {
    let is_type = column.data_type == DataType::Reference && name.ends_with("type");
    property.array("type", |types| {
        types.text("string");
        types.text("null");
    });
    property.text("x-data-type", if is_type { "stream-name" } else { "text" });
    property.text("x-label-of", &column.name);
}

fn write_texts(name: &str, texts: &[String], object: &mut Writer) {
    object.array(name, |elements| {
        for text in texts {
            elements.text(text);
        }
    });
}
