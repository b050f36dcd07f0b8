//! Validates rows against the JSON Schema that came with them, and that schema against its own
//! rules.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::LazyLock;

use jsonschema::{Validator, draft202012};
use serde_json::{Map, Value, json};

/// A row schema is valid JSON Schema 2020-12 and has no keyword that the standard does not know,
/// save those that start with `x-`: a keyword with a typing error would forbid nothing.
static SCHEMA_OF_SCHEMAS: LazyLock<Validator> = LazyLock::new(|| {
    draft202012::new(&json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:row-schemas",
        "$dynamicAnchor": "meta",
        "$ref": "https://json-schema.org/draft/2020-12/schema",
        "patternProperties": { "^x-": true },
        "unevaluatedProperties": false,
    }))
    .expect("the schema of row schemas is valid")
});

/// Fails unless the row has exactly the columns of the schema, with valid values.
#[track_caller]
pub fn assert_row_fits(schema: &Value, row: &BTreeMap<String, String>) {
    let validator = validator(schema);
    let value: Map<String, Value> = row
        .iter()
        .map(|(name, raw)| (name.clone(), parse(name, raw)))
        .collect();
    let errors: Vec<String> = validator
        .iter_errors(&Value::Object(value))
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "invalid row: {errors:?}");
    // The schema may leave these open; a row may not.
    let properties = schema["properties"].as_object().expect("properties");
    let unknown: Vec<_> = row
        .keys()
        .filter(|name| !properties.contains_key(*name))
        .collect();
    assert!(
        unknown.is_empty(),
        "columns that the schema does not have: {unknown:?}"
    );
    let missing: Vec<_> = properties
        .keys()
        .filter(|name| !row.contains_key(*name))
        .collect();
    assert!(
        missing.is_empty(),
        "columns of the schema that the row does not have: {missing:?}"
    );
}

#[track_caller]
fn parse(name: &str, raw: &str) -> Value {
    serde_json::from_str(raw).unwrap_or_else(|error| panic!("{name} is not JSON: {error}: {raw}"))
}

/// The validator of a schema. The last one is kept: rows come in runs of one schema.
#[track_caller]
fn validator(schema: &Value) -> Rc<Validator> {
    thread_local! {
        static LAST: RefCell<Option<(Value, Rc<Validator>)>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| match last {
        Some((of, validator)) if of == schema => Rc::clone(validator),
        _ => {
            let validator = Rc::new(compile(schema));
            *last = Some((schema.clone(), Rc::clone(&validator)));
            validator
        }
    })
}

#[track_caller]
fn compile(schema: &Value) -> Validator {
    let errors: Vec<String> = SCHEMA_OF_SCHEMAS
        .iter_errors(schema)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "invalid row schema: {errors:?}");
    assert_eq!(schema["type"], "object");
    draft202012::options()
        .offline()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        // Narrower than the standard: as the contract promises them.
        .with_format("uuid", is_uuid)
        .with_format("date", |text: &str| has_shape(text, "0000-00-00"))
        .with_format("date-time", |text: &str| {
            has_shape(text, "0000-00-00T00:00:00Z")
        })
        .build(schema)
        .unwrap_or_else(|error| panic!("invalid row schema: {error}"))
}

fn is_uuid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok_and(|id| id.to_string() == text)
}

/// Whether a text has digits where the shape has zeros, and otherwise equals it.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
}
