//! `$select`, `$filter` and `$expand` on definitions.

use serde_json::{Map, Value};

use super::definition::{Children, Item};
use crate::{
    odata::{
        Literal, ODataError, enumeration,
        filter::{Comparison, Condition, Operand},
        options::Options,
    },
    schema::Schema,
};

/// The definitions that the filter holds for, each in the shape asked for.
pub(super) fn shape_all(
    schema: &Schema,
    items: Vec<Item<'_>>,
    options: &Options,
    cast: Option<&str>,
) -> Result<Vec<Value>, ODataError> {
    let mut shaped = Vec::with_capacity(items.len());
    for item in items {
        if let Some(filter) = &options.filter {
            let properties = item.properties(cast.is_some());
            if !holds(filter, &properties, options, item.type_name(cast.is_some()))? {
                continue;
            }
        }
        shaped.push(Value::Object(shape(schema, &item, options, cast)?));
    }
    Ok(shaped)
}

/// A definition with the selected properties and the expanded ones.
pub(super) fn shape(
    schema: &Schema,
    item: &Item<'_>,
    options: &Options,
    cast: Option<&str>,
) -> Result<Map<String, Value>, ODataError> {
    let type_name = item.type_name(cast.is_some());
    let unknown = |name: &str| ODataError::unknown_property(name, type_name);
    let mut shaped = Map::new();
    match &options.select {
        None => shaped = item.properties(true),
        Some(names) => {
            let mut properties = item.properties(cast.is_some());
            for name in names.iter().map(String::as_str).chain(["MetadataId"]) {
                if shaped.contains_key(name) {
                    continue;
                }
                shaped.insert(
                    name.to_owned(),
                    properties.remove(name).ok_or_else(|| unknown(name))?,
                );
            }
        }
    }
    // The members of a mixed list say what they are; those of a cast list need not.
    if let (Item::Column(..) | Item::Relationship(_), None) = (item, cast) {
        let derived = format!("#Microsoft.Dynamics.CRM.{}", item.type_name(true));
        shaped.insert("@odata.type".to_owned(), Value::String(derived));
    }
    for expand in &options.expand {
        let name = &expand.navigation;
        let children = item
            .children(schema, name, cast.is_some())
            .ok_or_else(|| unknown(name))?;
        let value = match children {
            Children::Many(items) => Value::Array(shape_all(schema, items, &expand.options, None)?),
            Children::One(None) => Value::Null,
            Children::One(Some(item)) => {
                Value::Object(shape(schema, &item, &expand.options, None)?)
            }
        };
        shaped.insert(name.clone(), value);
    }
    Ok(shaped)
}

fn holds(
    condition: &Condition,
    properties: &Map<String, Value>,
    options: &Options,
    type_name: &str,
) -> Result<bool, ODataError> {
    let inner = |condition| holds(condition, properties, options, type_name);
    match condition {
        Condition::And(parts) => parts
            .iter()
            .map(inner)
            .try_fold(true, |all, part| Ok(all & part?)),
        Condition::Or(parts) => parts
            .iter()
            .map(inner)
            .try_fold(false, |any, part| Ok(any | part?)),
        Condition::Not(condition) => Ok(!inner(condition)?),
        Condition::Holds(operand) => {
            Ok(value(operand, properties, options, type_name)? == Value::Bool(true))
        }
        Condition::Compare {
            operator,
            left,
            right,
        } => {
            let (left_kind, right_kind) = (enumeration_of(left), enumeration_of(right));
            let left = value(left, properties, options, type_name)?;
            let right = value(right, properties, options, type_name)?;
            if left_kind != right_kind
                && left != Value::Null
                && right != Value::Null
                && !names_member(left_kind, &right)
                && !names_member(right_kind, &left)
            {
                let name = |kind: Option<&str>| match kind {
                    Some(kind) => format!("Microsoft.Dynamics.CRM.{kind}"),
                    None => "Edm.String".to_owned(),
                };
                return Err(ODataError::syntax(format!(
                    "A binary operator with incompatible types was detected. Found operand types \
                     '{}' and '{}' for operator kind '{}'.",
                    name(left_kind),
                    name(right_kind),
                    operator.kind()
                )));
            }
            Ok(compare(*operator, &left, &right))
        }
        Condition::Match { .. } | Condition::Lambda { .. } | Condition::Function { .. } => {
            Err(ODataError::bad_request(
                "0x80060888",
                "Metadata can be filtered by comparisons only.",
            ))
        }
    }
}

/// Whether a value is the bare name of a member, which passes for the member.
fn names_member(kind: Option<&str>, value: &Value) -> bool {
    kind.zip(value.as_str())
        .is_some_and(|(kind, name)| enumeration::is_member(kind, name))
}

/// The enumeration an operand belongs to.
fn enumeration_of(operand: &Operand) -> Option<&str> {
    match operand {
        Operand::Literal(Literal::Member(kind, _)) => Some(kind),
        Operand::Path(path) => enumeration::of_property(path),
        Operand::Literal(_) | Operand::Alias(_) => None,
    }
}

fn value(
    operand: &Operand,
    properties: &Map<String, Value>,
    options: &Options,
    type_name: &str,
) -> Result<Value, ODataError> {
    match operand {
        Operand::Alias(name) => value(&options.alias(name)?, properties, options, type_name),
        Operand::Literal(literal) => Ok(match literal {
            Literal::Boolean(flag) => Value::Bool(*flag),
            Literal::Number(number) => number.parse().map_or(Value::Null, Value::Number),
            Literal::Text(text) | Literal::Member(_, text) => Value::String(text.clone()),
            Literal::Guid(id) => Value::String(id.to_string()),
            _ => Value::Null,
        }),
        Operand::Path(path) => {
            let unknown = || ODataError::unknown_property(&path.join("/"), type_name);
            let mut members = properties;
            let mut steps = path.iter().peekable();
            while let Some(step) = steps.next() {
                let found = members.get(step).ok_or_else(unknown)?;
                if found.get("LocalizedLabels").is_some() {
                    return Err(ODataError::bad_request(
                        "0x80060888",
                        format!("The label '{step}' cannot be used in a $filter."),
                    ));
                }
                match (found, steps.peek()) {
                    (found, None) if !found.is_object() && !found.is_array() => {
                        return Ok(found.clone());
                    }
                    (Value::Object(inner), Some(_)) => members = inner,
                    _ => return Err(unknown()),
                }
            }
            Err(unknown())
        }
    }
}

fn compare(operator: Comparison, left: &Value, right: &Value) -> bool {
    let ordering = match (left, right) {
        (Value::Number(left), Value::Number(right)) => left
            .as_i64()
            .zip(right.as_i64())
            .map(|(left, right)| left.cmp(&right)),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    };
    match operator {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::GreaterThan => ordering.is_some_and(std::cmp::Ordering::is_gt),
        Comparison::GreaterThanOrEqual => ordering.is_some_and(std::cmp::Ordering::is_ge),
        Comparison::LessThan => ordering.is_some_and(std::cmp::Ordering::is_lt),
        Comparison::LessThanOrEqual => ordering.is_some_and(std::cmp::Ordering::is_le),
    }
}
