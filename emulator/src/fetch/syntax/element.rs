//! The elements that hold no others but values, and the attributes of all.

use roxmltree::Node;

use crate::{
    fetch::{
        FetchError,
        query::{Aggregation, Attribute, Condition, DatePart, Order, OrderBy, Role},
    },
    wire::ODataError,
};

pub(super) fn attribute(node: Node<'_, '_>) -> Result<Attribute, ODataError> {
    allow(
        node,
        &[
            "name",
            "alias",
            "aggregate",
            "groupby",
            "distinct",
            "dategrouping",
            "usertimezone",
            "rowaggregate",
            "addedby",
            "build",
        ],
    )?;
    if node.attribute("rowaggregate").is_some() {
        return Err(ODataError::not_implemented("rowaggregate"));
    }
    let flag = |name: &str| {
        node.attribute(name)
            .map_or(Ok(false), |value| truth(name, value))
    };
    let role = match (node.attribute("aggregate"), flag("groupby")?) {
        (Some(function), false) => Role::Aggregate(match function {
            "count" => Aggregation::Count,
            "countcolumn" => Aggregation::CountColumn {
                distinct: flag("distinct")?,
            },
            "sum" => Aggregation::Sum,
            "avg" => Aggregation::Average,
            "min" => Aggregation::Min,
            "max" => Aggregation::Max,
            other => {
                return Err(FetchError::not_xml(format!(
                    "'{other}' is no aggregate of FetchXML."
                )));
            }
        }),
        (None, true) => Role::Group(node.attribute("dategrouping").map(date_part).transpose()?),
        (None, false) => Role::Plain,
        (Some(_), true) => {
            return Err(FetchError::not_xml(
                "An attribute is either aggregated or grouped by.",
            ));
        }
    };
    Ok(Attribute {
        name: required(node, "name")?.to_owned(),
        alias: node.attribute("alias").map(alias).transpose()?,
        role,
    })
}

pub(super) fn date_part(name: &str) -> Result<DatePart, ODataError> {
    Ok(match name {
        "day" => DatePart::Day,
        "week" => DatePart::Week,
        "month" => DatePart::Month,
        "quarter" => DatePart::Quarter,
        "year" => DatePart::Year,
        "fiscal-period" | "fiscal-year" => {
            return Err(ODataError::not_implemented("Grouping by fiscal periods"));
        }
        other => {
            return Err(FetchError::not_xml(format!(
                "'{other}' is no dategrouping of FetchXML."
            )));
        }
    })
}

pub(super) fn condition(node: Node<'_, '_>) -> Result<Condition, ODataError> {
    // `uiname`, `uitype` and the like are notes of the designer to itself.
    allow(
        node,
        &[
            "attribute",
            "entityname",
            "operator",
            "value",
            "valueof",
            "column",
            "aggregate",
            "alias",
            "uiname",
            "uitype",
            "uihidden",
            "rowaggregate",
        ],
    )?;
    let mut values: Vec<String> = node
        .attribute("value")
        .map(str::to_owned)
        .into_iter()
        .collect();
    for child in elements(node) {
        if child.tag_name().name() != "value" {
            let name = child.tag_name().name();
            return Err(FetchError::unexpected(
                &format!("element <{name}>"),
                "condition",
            ));
        }
        values.push(child.text().unwrap_or_default().to_owned());
    }
    Ok(Condition {
        attribute: required(node, "attribute")?.to_owned(),
        entity: node.attribute("entityname").map(str::to_owned),
        operator: required(node, "operator")?.to_owned(),
        values,
        value_of: node.attribute("valueof").map(str::to_owned),
    })
}

pub(super) fn order(node: Node<'_, '_>) -> Result<Order, ODataError> {
    allow(node, &["attribute", "alias", "descending", "entityname"])?;
    let by = match (node.attribute("attribute"), node.attribute("alias")) {
        (Some(name), None) => OrderBy::Attribute(name.to_owned()),
        (None, Some(alias)) => OrderBy::Alias(alias.to_owned()),
        _ => {
            return Err(FetchError::not_xml(
                "<order> needs either an attribute or an alias.",
            ));
        }
    };
    let descending = node
        .attribute("descending")
        .map_or(Ok(false), |value| truth("descending", value))?;
    Ok(Order {
        by,
        entity: node.attribute("entityname").map(str::to_owned),
        descending,
    })
}

pub(super) fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

pub(super) fn allow(node: Node<'_, '_>, names: &[&str]) -> Result<(), ODataError> {
    match node
        .attributes()
        .find(|attribute| !names.contains(&attribute.name()))
    {
        None => Ok(()),
        Some(attribute) => Err(FetchError::unexpected(
            &format!("attribute '{}'", attribute.name()),
            node.tag_name().name(),
        )),
    }
}

pub(super) fn required<'a>(node: Node<'a, '_>, name: &str) -> Result<&'a str, ODataError> {
    node.attribute(name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| {
            FetchError::not_xml(format!(
                "<{}> needs the attribute '{name}'.",
                node.tag_name().name()
            ))
        })
}

pub(super) fn truth(name: &str, value: &str) -> Result<bool, ODataError> {
    match value {
        "1" => Ok(true),
        "0" => Ok(false),
        other if other.eq_ignore_ascii_case("true") => Ok(true),
        other if other.eq_ignore_ascii_case("false") => Ok(false),
        other => Err(FetchError::invalid(format!(
            "'{other}' is no value of '{name}': use true or false."
        ))),
    }
}

pub(super) fn number<T: std::str::FromStr + PartialOrd + From<u8>>(
    name: &str,
    value: &str,
) -> Result<T, ODataError> {
    let invalid = || {
        FetchError::invalid(format!(
            "'{value}' is no value of '{name}': use a whole number above zero."
        ))
    };
    let number: T = value.trim().parse().map_err(|_| invalid())?;
    if number < T::from(1) {
        return Err(invalid());
    }
    Ok(number)
}

pub(super) fn alias(text: &str) -> Result<String, ODataError> {
    let mut characters = text.chars();
    let first = characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if first && characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.') {
        Ok(text.to_owned())
    } else {
        Err(FetchError::bad_alias(text))
    }
}
