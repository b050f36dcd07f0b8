//! `QueryExpression`, the form in which actions take queries: the same query as in XML.

use serde_json::Value;

use crate::{
    fetch::{
        FetchError,
        query::{Condition, Entity, Fetch, Filter, Part},
    },
    wire::ODataError,
};

/// Operators whose names in XML do not follow from those of the enumeration.
const IRREGULAR: [(&str, &str); 10] = [
    ("Equal", "eq"),
    ("NotEqual", "ne"),
    ("GreaterThan", "gt"),
    ("GreaterEqual", "ge"),
    ("LessThan", "lt"),
    ("LessEqual", "le"),
    ("DoesNotBeginWith", "not-begin-with"),
    ("DoesNotEndWith", "not-end-with"),
    ("EqualUserId", "eq-userid"),
    ("EqualBusinessId", "eq-businessid"),
];

impl Fetch {
    /// The query of `{"EntityName":"account","Criteria":{…}}`: which rows, whatever the columns.
    pub(crate) fn from_expression(query: &Value) -> Result<Self, ODataError> {
        let links = query.get("LinkEntities").and_then(Value::as_array);
        if links.is_some_and(|links| !links.is_empty()) {
            return Err(ODataError::not_implemented("LinkEntities"));
        }
        let table = text(query, "EntityName")
            .ok_or_else(|| FetchError::invalid("The query names no table: 'EntityName'."))?;
        let filters = match query.get("Criteria") {
            None | Some(Value::Null) => Vec::new(),
            Some(criteria) => vec![filter(criteria)?],
        };
        Ok(Self {
            root: Entity {
                table: table.to_owned(),
                filters,
                ..Entity::default()
            },
            ..Self::default()
        })
    }
}

/// `{"FilterOperator":"And","Conditions":[…],"Filters":[…]}`
fn filter(json: &Value) -> Result<Filter, ODataError> {
    let any = match json.get("FilterOperator") {
        None => false,
        Some(operator) if *operator == "And" || *operator == 0 => false,
        Some(operator) if *operator == "Or" || *operator == 1 => true,
        Some(other) => {
            return Err(FetchError::invalid(format!(
                "{other} is no FilterOperator: use And or Or."
            )));
        }
    };
    let conditions = list(json, "Conditions").iter();
    let conditions = conditions.map(|json| condition(json).map(Part::Condition));
    let filters = list(json, "Filters").iter();
    let filters = filters.map(|json| filter(json).map(Part::Filter));
    Ok(Filter {
        any,
        parts: conditions.chain(filters).collect::<Result<_, _>>()?,
    })
}

/// `{"AttributeName":"name","Operator":"Equal","Values":[{"Value":"a","Type":"System.String"}]}`
fn condition(json: &Value) -> Result<Condition, ODataError> {
    let missing = |name: &str| FetchError::invalid(format!("A condition has no '{name}'."));
    let attribute = text(json, "AttributeName").ok_or_else(|| missing("AttributeName"))?;
    let named = text(json, "Operator").ok_or_else(|| missing("Operator"))?;
    let values =
        list(json, "Values")
            .iter()
            .map(|value| match value.get("Value").unwrap_or(value) {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
    Ok(Condition {
        attribute: attribute.to_owned(),
        entity: None,
        operator: operator(named),
        values: values.collect(),
        value_of: None,
    })
}

/// `LastXDays` is `last-x-days` in XML.
fn operator(name: &str) -> String {
    if let Some((_, operator)) = IRREGULAR.iter().find(|(known, _)| *known == name) {
        return (*operator).to_owned();
    }
    let mut operator = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !operator.is_empty() {
            operator.push('-');
        }
        operator.push(letter.to_ascii_lowercase());
    }
    operator.replace("older-than", "olderthan")
}

fn text<'j>(json: &'j Value, name: &str) -> Option<&'j str> {
    json.get(name).and_then(Value::as_str)
}

fn list<'j>(json: &'j Value, name: &str) -> &'j [Value] {
    let list = json.get(name).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_have_the_names_of_xml() {
        for (name, expected) in [
            ("NotIn", "not-in"),
            ("OnOrAfter", "on-or-after"),
            ("LastXDays", "last-x-days"),
            ("OlderThanXMonths", "olderthan-x-months"),
            ("GreaterEqual", "ge"),
        ] {
            assert_eq!(operator(name), expected);
        }
    }
}
