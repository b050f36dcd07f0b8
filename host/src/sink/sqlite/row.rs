//! Turns a value's JSON text into the parameter of a statement, exactly.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use super::column::Kind;

/// A raw JSON value as a column of this kind stores it.
pub(super) fn to_sql(kind: Kind, raw: &str) -> Result<ToSqlOutput<'_>, serde_json::Error> {
    let text = |text| ToSqlOutput::Borrowed(ValueRef::Text(str::as_bytes(text)));
    let integer = |value| ToSqlOutput::Owned(Value::Integer(value));
    Ok(match raw.as_bytes() {
        b"null" => ToSqlOutput::Owned(Value::Null),
        b"true" if kind != Kind::Text => integer(1),
        b"false" if kind != Kind::Text => integer(0),
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
            ToSqlOutput::Borrowed(ValueRef::Text(inner))
        }
        [b'"', ..] => ToSqlOutput::Owned(Value::Text(serde_json::from_str(raw)?)),
        [b'-' | b'0'..=b'9', ..] => match kind {
            Kind::Text => text(raw),
            // The service says that it is a double; its text and the double are the same number.
            Kind::Real => raw.parse().map_or_else(
                |_| text(raw),
                |value| ToSqlOutput::Owned(Value::Real(value)),
            ),
            // A number that does not fit stays text, which an integer column refuses: an error is
            // better than a wrong number.
            Kind::Integer | Kind::Boolean | Kind::Any => {
                raw.parse().map_or_else(|_| text(raw), integer)
            }
        },
        _ => text(raw),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_stored_exactly() {
        let cases = [
            (
                Kind::Integer,
                "9223372036854775807",
                Value::Integer(i64::MAX),
            ),
            (
                Kind::Any,
                "9223372036854775808",
                Value::Text("9223372036854775808".into()),
            ),
            (Kind::Any, "-1", Value::Integer(-1)),
            (Kind::Any, "1.10", Value::Text("1.10".into())),
            (
                Kind::Text,
                "100000000000.0000000001",
                Value::Text("100000000000.0000000001".into()),
            ),
            (Kind::Text, "5", Value::Text("5".into())),
            (Kind::Real, "0.1", Value::Real(0.1)),
            (Kind::Boolean, "true", Value::Integer(1)),
            (Kind::Text, "false", Value::Text("false".into())),
            (Kind::Text, "null", Value::Null),
            (Kind::Text, r#""""#, Value::Text(String::new())),
            (Kind::Text, r#""a\"\u00e9\n""#, Value::Text("a\"é\n".into())),
            (
                Kind::Text,
                r#"{"a":[1.0]}"#,
                Value::Text(r#"{"a":[1.0]}"#.into()),
            ),
        ];
        for (kind, raw, expected) in cases {
            let stored = match to_sql(kind, raw).unwrap() {
                ToSqlOutput::Borrowed(value) => Value::try_from(value).unwrap(),
                ToSqlOutput::Owned(value) => value,
                _ => panic!("unexpected"),
            };
            assert_eq!(stored, expected, "{raw}");
        }
    }
}
