//! From the JSON Schema of a stream's rows to the columns of its table.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::contract::Schema;

/// How a column's values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Boolean,
    Real,
    Text,
    Any,
}

impl Kind {
    /// The type in the table's definition.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Integer | Self::Boolean => "INTEGER",
            Self::Real => "REAL",
            Self::Text => "TEXT",
            Self::Any => "ANY",
        }
    }

    /// The kind of a column that is in the table already.
    pub(super) fn from_sql(declared: &str) -> Self {
        match declared {
            "INTEGER" => Self::Integer,
            "REAL" => Self::Real,
            "TEXT" => Self::Text,
            _ => Self::Any,
        }
    }

    fn from_schema(property: &Value) -> Self {
        let mut types = match property.get("type") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        types.retain(|name| *name != "null");
        match types.as_slice() {
            ["integer"] => Self::Integer,
            ["boolean"] => Self::Boolean,
            ["number"] if is_floating_point(property) => Self::Real,
            ["number" | "string" | "object" | "array"] => Self::Text,
            _ => Self::Any,
        }
    }
}

/// Whether the schema marks a number as a binary floating-point number.
fn is_floating_point(property: &Value) -> bool {
    let is = |name, words: &[&str]| {
        property
            .get(name)
            .and_then(Value::as_str)
            .is_some_and(|word| words.contains(&word))
    };
    is("format", &["double", "float"]) || is("x-data-type", &["floating-point"])
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// The columns of a stream's rows, and which of them are the primary key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) key: Vec<String>,
    pub(super) columns: Vec<Column>,
}

impl Layout {
    pub(super) fn parse(schema: &Schema) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct RowSchema {
            #[serde(default)]
            properties: Map<String, Value>,
        }
        let rows: RowSchema = serde_json::from_str(&schema.row_schema).map_err(|error| {
            format!("the row schema is not a JSON Schema of an object ({error})")
        })?;
        let mut columns: Vec<Column> = Vec::with_capacity(rows.properties.len());
        // The primary key first, for people who look into the database.
        for name in &schema.primary_key {
            let kind = rows
                .properties
                .get(name)
                .map_or(Kind::Any, Kind::from_schema);
            columns.push(Column {
                name: name.clone(),
                kind,
            });
        }
        for (name, property) in &rows.properties {
            if !schema.primary_key.contains(name) {
                columns.push(Column {
                    name: name.clone(),
                    kind: Kind::from_schema(property),
                });
            }
        }
        Ok(Self {
            key: schema.primary_key.clone(),
            columns,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_the_schema_become_columns() {
        let cases = [
            (r#"{"type":"integer"}"#, Kind::Integer),
            (r#"{"type":["integer","null"]}"#, Kind::Integer),
            (r#"{"type":["null","boolean"]}"#, Kind::Boolean),
            (
                r#"{"type":["number","null"],"format":"decimal"}"#,
                Kind::Text,
            ),
            (r#"{"type":"number"}"#, Kind::Text),
            (r#"{"type":"number","format":"double"}"#, Kind::Real),
            (
                r#"{"type":["number","null"],"x-data-type":"floating-point"}"#,
                Kind::Real,
            ),
            (r#"{"type":"string","format":"date-time"}"#, Kind::Text),
            (r#"{"type":["string","integer"]}"#, Kind::Any),
            (r#"{"type":"array"}"#, Kind::Text),
            ("{}", Kind::Any),
            ("true", Kind::Any),
        ];
        for (schema, expected) in cases {
            let schema: Value = serde_json::from_str(schema).unwrap();
            assert_eq!(Kind::from_schema(&schema), expected, "{schema}");
        }
    }
}
