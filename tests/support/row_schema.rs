//! Holds rows against the JSON Schema that came with them.
//!
//! It knows the keywords that the connector uses and refuses others, so that none is overlooked.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::rows::text;

/// Keywords that say something to people and nothing about validity.
const ANNOTATIONS: [&str; 6] = [
    "$schema",
    "$comment",
    "title",
    "description",
    "x-",
    "format",
];

/// Fails unless the row has exactly the columns of the schema, with values that fit.
#[track_caller]
pub fn assert_row_fits(schema: &Value, row: &BTreeMap<String, String>) {
    for keyword in schema.as_object().expect("a schema is an object").keys() {
        let known = ["type", "properties", "required", "additionalProperties"];
        assert!(
            known.contains(&keyword.as_str()) || is_annotation(keyword),
            "unknown: {keyword}"
        );
    }
    assert_eq!(schema["type"], "object");
    let properties = schema["properties"].as_object().expect("properties");
    for (name, raw) in row {
        let property = properties
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not in the schema"));
        if let Err(why) = fits(property, raw) {
            panic!("{name} holds {raw}, but {why}: {property}");
        }
    }
    for name in schema["required"].as_array().expect("required") {
        assert!(
            row.contains_key(name.as_str().unwrap()),
            "{name} is missing"
        );
    }
    let absent: Vec<_> = properties
        .keys()
        .filter(|name| !row.contains_key(*name))
        .collect();
    assert!(
        absent.is_empty(),
        "the schema promises {absent:?}, which the row lacks"
    );
}

fn is_annotation(keyword: &str) -> bool {
    ANNOTATIONS
        .iter()
        .any(|known| keyword == *known || (*known == "x-" && keyword.starts_with("x-")))
}

fn fits(schema: &Value, raw: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(raw).map_err(|error| error.to_string())?;
    for (keyword, rule) in schema.as_object().ok_or("it has no schema")? {
        let fits = match keyword.as_str() {
            "type" => match rule {
                Value::String(name) => has_type(&value, raw, name),
                Value::Array(names) => names
                    .iter()
                    .any(|name| has_type(&value, raw, name.as_str().unwrap_or_default())),
                _ => false,
            },
            "minimum" => is_number_at_least(raw, &rule.to_string()),
            "maximum" => is_number_at_least(&rule.to_string(), raw),
            "const" => value == *rule,
            "enum" => rule.as_array().is_some_and(|list| list.contains(&value)),
            "not" => fits(rule, raw).is_err(),
            "oneOf" => {
                let alternatives = rule.as_array().ok_or("oneOf is no array")?.iter();
                alternatives
                    .filter(|alternative| fits(alternative, raw).is_ok())
                    .count()
                    == 1
            }
            "maxLength" => value.as_str().is_none_or(|text| {
                rule.as_u64()
                    .is_some_and(|most| text.chars().count() as u64 <= most)
            }),
            "pattern" => {
                assert_eq!(
                    rule, "^-?[0-9]+(,-?[0-9]+)*$",
                    "a pattern that the test does not know"
                );
                value.as_str().is_none_or(|text| {
                    text.split(',').all(|part| {
                        let digits = part.strip_prefix('-').unwrap_or(part);
                        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
                    })
                })
            }
            "format" => {
                value.is_null() || has_format(&text(raw), rule.as_str().unwrap_or_default())
            }
            known if is_annotation(known) => true,
            other => return Err(format!("the test does not know {other}")),
        };
        if !fits {
            return Err(format!("it breaks {keyword}"));
        }
    }
    Ok(())
}

/// Whether one number is at least another; what is no number is no matter of it.
fn is_number_at_least(number: &str, least: &str) -> bool {
    // Near enough: values and bounds are not as close together as binary numbers of their size.
    match (number.parse::<f64>(), least.parse::<f64>()) {
        (Ok(number), Ok(least)) => number >= least,
        _ => true,
    }
}

fn has_type(value: &Value, raw: &str, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => raw.parse::<i64>().is_ok(),
        _ => false,
    }
}

fn has_format(text: &str, format: &str) -> bool {
    // Digits stand for digits, everything else for itself.
    let shaped = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text
                .bytes()
                .zip(shape.bytes())
                .all(|(byte, shape)| match shape {
                    b'0' => byte.is_ascii_digit(),
                    other => byte == other,
                })
    };
    match format {
        "uuid" => uuid::Uuid::try_parse(text).is_ok_and(|id| id.to_string() == text),
        "date" => shaped(text, "0000-00-00"),
        "date-time" => shaped(text, "0000-00-00T00:00:00Z"),
        _ => false,
    }
}
