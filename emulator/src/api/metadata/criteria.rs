//! The conditions of a query of definitions (reference §5.6).

use serde::Deserialize;
use serde_json::{Value, json};

use super::definition::{Item, Sight};
use crate::wire::ODataError;

/// `MetadataFilterExpression`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Filter {
    #[serde(rename = "FilterOperator")]
    operator: Value,
    conditions: Vec<Criterion>,
    filters: Vec<Filter>,
}

/// `MetadataConditionExpression`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Criterion {
    property_name: String,
    condition_operator: String,
    #[serde(default)]
    value: Option<Typed>,
}

/// A value with its .NET type.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Typed {
    value: Value,
}

impl Filter {
    /// Whether a definition meets the conditions.
    pub(super) fn holds(&self, sight: &Sight<'_>, item: &Item<'_>) -> Result<bool, ODataError> {
        let any = match &self.operator {
            Value::String(name) => name == "Or",
            // The number of the member.
            other => *other == json!(1),
        };
        let mut held = Vec::new();
        for condition in &self.conditions {
            held.push(condition.holds(sight, item)?);
        }
        for filter in &self.filters {
            held.push(filter.holds(sight, item)?);
        }
        Ok(if any {
            held.contains(&true)
        } else {
            !held.contains(&false)
        })
    }
}

impl Criterion {
    fn holds(&self, sight: &Sight<'_>, item: &Item<'_>) -> Result<bool, ODataError> {
        let refused = |problem: String| Err(ODataError::bad_request("0x80044183", problem));
        let name = &self.property_name;
        let found = match item.property(sight, name, true) {
            Some(Value::Object(mut members)) => members.remove("Value"),
            Some(Value::Array(_)) => None,
            found => found,
        };
        let Some(found) = found else {
            return refused(format!(
                "Conditions based on property {name} is not supported"
            ));
        };
        let found = plain(&found);
        let given = self.value.as_ref().map(|typed| &typed.value);
        let single = given.map(plain).unwrap_or_default();
        let number = |text: &str| text.parse::<i64>().ok();
        let order = || number(&found).zip(number(&single)).map(|(a, b)| a.cmp(&b));
        Ok(match self.condition_operator.as_str() {
            "Equals" => found == single,
            "NotEquals" => found != single,
            "In" => list(given).contains(&found),
            "NotIn" => !list(given).contains(&found),
            "GreaterThan" => order().is_some_and(std::cmp::Ordering::is_gt),
            "LessThan" => order().is_some_and(std::cmp::Ordering::is_lt),
            other => {
                return refused(format!("'{other}' is no MetadataConditionOperator."));
            }
        })
    }
}

/// A value as text, in which form clients send all of them.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.eq_ignore_ascii_case("true") => "true".to_owned(),
        Value::String(text) if text.eq_ignore_ascii_case("false") => "false".to_owned(),
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The members of a list: JSON, or `['a','b']` in a text.
fn list(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(items)) => items.iter().map(plain).collect(),
        Some(Value::String(text)) => text
            .trim_matches(['[', ']'])
            .split(',')
            .map(|item| plain(&item.trim().trim_matches(['\'', '"']).into()))
            .collect(),
        _ => Vec::new(),
    }
}
