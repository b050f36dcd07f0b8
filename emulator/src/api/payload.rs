//! Bodies of writes: JSON whose numbers keep every digit.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::key::parse_id;
use crate::{
    odata::constant::sorted_choices,
    schema::{Column, ColumnKind, DateTimeBehavior, Table},
    store::{Decimal, Value},
    time,
    wire::ODataError,
};

/// The members of a JSON object, in their order, with their values as they were written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members(pub(crate) Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

impl Members {
    /// Parses a body or a nested object.
    pub(crate) fn parse(json: &[u8], set: &str) -> Result<Self, ODataError> {
        serde_json::from_slice(json).map_err(|error| {
            payload_error(
                set,
                &format!("The request body is no valid JSON object: {error}"),
            )
        })
    }

    /// With null for every custom column that is not a member: an upsert puts a row of an elastic
    /// table in the place of another (reference §7.2).
    pub(super) fn whole(&self, table: &Table) -> Self {
        let mut members = self.0.clone();
        for column in &table.columns {
            let name = &column.logical_name;
            if column.is_custom
                && column.updatable
                && !column.is_lookup()
                && self.get(name).is_none()
            {
                members.push((name.clone(), RawValue::NULL.to_owned()));
            }
        }
        Self(members)
    }

    /// The text of a member.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let (_, raw) = self.0.iter().find(|(known, _)| known == name)?;
        serde_json::from_str(raw.get()).ok()
    }

    /// The member itself.
    pub(crate) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, raw)| &**raw)
    }
}

/// An error about the payload, as the service wraps those of its OData library.
pub(crate) fn payload_error(set: &str, inner: &str) -> ODataError {
    ODataError::bad_request(
        "0x80048d19",
        format!(
            "Error identified in Payload provided by the user for Entity :'{set}' ----> \
             InnerException : Microsoft.OData.ODataException: {inner}"
        ),
    )
}

/// A column's value from its JSON.
pub(crate) fn value_of(
    table: &Table,
    column: &Column,
    raw: &RawValue,
) -> Result<Value, ODataError> {
    let json = raw.get();
    if json == "null" {
        return Ok(Value::Null);
    }
    let wrong = |expected: &str| {
        payload_error(
            &table.entity_set_name,
            &format!(
                "Cannot convert the literal '{}' to the expected type '{expected}'.",
                json.trim_matches('"')
            ),
        )
    };
    let text = || serde_json::from_str::<String>(json).ok();
    let is_number = json.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    match &column.kind {
        ColumnKind::String { max_length, .. } | ColumnKind::Memo { max_length } => {
            let text = text().ok_or_else(|| wrong("Edm.String"))?;
            if text.encode_utf16().count() > usize::try_from(*max_length).unwrap_or(usize::MAX) {
                return Err(too_long(table, column, *max_length));
            }
            Ok(Value::Text(text))
        }
        ColumnKind::EntityName | ColumnKind::Image { .. } => {
            text().map(Value::Text).ok_or_else(|| wrong("Edm.String"))
        }
        ColumnKind::Uniqueidentifier | ColumnKind::File { .. } => text()
            .and_then(|text| parse_id(&text))
            .map(Value::Guid)
            .ok_or_else(|| wrong("Edm.Guid")),
        ColumnKind::Integer { min, max } => {
            let number: i64 = json.parse().map_err(|_| wrong("Edm.Int32"))?;
            if number < i64::from(*min) || number > i64::from(*max) {
                return Err(ODataError::bad_request(
                    "0x80044331",
                    format!(
                        "A validation error occurred.  The value {number} of '{}' on record of \
                         type '{}' is outside the valid range. Accepted range is from {min} to \
                         {max}.",
                        column.logical_name, table.logical_name
                    ),
                ));
            }
            Ok(Value::Int(number))
        }
        ColumnKind::BigInt => json.parse().map(Value::Int).map_err(|_| wrong("Edm.Int64")),
        ColumnKind::Picklist { .. } | ColumnKind::State { .. } | ColumnKind::Status { .. } => {
            let number: i64 = json.parse().map_err(|_| wrong("Edm.Int32"))?;
            require_choice(table, column, number)?;
            Ok(Value::Int(number))
        }
        ColumnKind::MultiSelectPicklist { .. } => {
            let text = text().ok_or_else(|| wrong("Edm.String"))?;
            for choice in text
                .split(',')
                .map(str::trim)
                .filter(|choice| !choice.is_empty())
            {
                let number = choice.parse().map_err(|_| wrong("Edm.String"))?;
                require_choice(table, column, number)?;
            }
            let sorted = sorted_choices(&text);
            Ok(if sorted.is_empty() {
                Value::Null
            } else {
                Value::Text(sorted)
            })
        }
        ColumnKind::Decimal { .. } | ColumnKind::Money { .. } if is_number => json
            .parse::<Decimal>()
            .map_err(|_| wrong("Edm.Decimal"))
            .and_then(|number| in_range(table, column, number)),
        ColumnKind::Decimal { .. } | ColumnKind::Money { .. } => Err(wrong("Edm.Decimal")),
        ColumnKind::Double { .. } => json
            .parse()
            .map(Value::Double)
            .map_err(|_| wrong("Edm.Double")),
        ColumnKind::Boolean { .. } => json
            .parse()
            .map(Value::Bool)
            .map_err(|_| wrong("Edm.Boolean")),
        ColumnKind::DateTime {
            behavior: DateTimeBehavior::DateOnly,
            ..
        } => text()
            .and_then(|text| time::parse_date(&text))
            .map(Value::DateTime)
            .ok_or_else(|| wrong("Edm.Date")),
        ColumnKind::DateTime { .. } => text()
            .and_then(|text| time::parse_date_time(&text))
            .map(Value::DateTime)
            .ok_or_else(|| wrong("Edm.DateTimeOffset")),
        ColumnKind::Lookup { .. }
        | ColumnKind::Customer { .. }
        | ColumnKind::Owner
        | ColumnKind::PartyList
        | ColumnKind::Virtual
        | ColumnKind::ManagedProperty
        | ColumnKind::CalendarRules => Err(invalid_property(table, &column.logical_name)),
    }
}

fn too_long(table: &Table, column: &Column, max_length: u32) -> ODataError {
    ODataError::bad_request(
        "0x80044331",
        format!(
            "A validation error occurred.  The length of the '{}' attribute of the '{}' entity \
             exceeded the maximum allowed length of '{max_length}'.",
            column.logical_name, table.logical_name
        ),
    )
}

/// The largest amount and the largest decimal number that columns hold, on both sides of zero.
const MAX_MONEY: i64 = 922_337_203_685_477;
const MAX_DECIMAL: i64 = 100_000_000_000;

fn in_range(table: &Table, column: &Column, number: Decimal) -> Result<Value, ODataError> {
    let max = match column.kind {
        ColumnKind::Money { .. } => MAX_MONEY,
        _ => MAX_DECIMAL,
    };
    let whole = number.units_at(0).map(i64::abs);
    if whole.is_some_and(|whole| whole <= max) {
        return Ok(Value::Decimal(number));
    }
    Err(ODataError::bad_request(
        "0x80044331",
        format!(
            "A validation error occurred.  The value of '{}' on record of type '{}' is outside the \
             valid range. Accepted range is from -{max} to {max}.",
            column.logical_name, table.logical_name
        ),
    ))
}

fn require_choice(table: &Table, column: &Column, number: i64) -> Result<(), ODataError> {
    let choices = column.choices();
    if choices.is_empty()
        || choices
            .iter()
            .any(|choice| i64::from(choice.value) == number)
    {
        return Ok(());
    }
    let accepted: Vec<String> = choices
        .iter()
        .map(|choice| choice.value.to_string())
        .collect();
    Err(ODataError::bad_request(
        "0x8004431a",
        format!(
            "A validation error occurred.  The value {number} of '{}' on record of type '{}' is \
             outside the valid range. Accepted Values: {}",
            column.logical_name,
            table.logical_name,
            accepted.join(",")
        ),
    ))
}

/// A property that the table does not have.
pub(crate) fn invalid_property(table: &Table, name: &str) -> ODataError {
    let table = &table.logical_name;
    ODataError::bad_request(
        "0x80048d19",
        format!(
            "Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{table}'. \
             InnerException : Microsoft.OData.ODataException: The property '{name}' does not \
             exist on type 'Microsoft.Dynamics.CRM.{table}'. Make sure to only use property names \
             that are defined by the type."
        ),
    )
}

/// An `@odata.bind` for a navigation property that the table does not have.
pub(crate) fn undeclared_navigation(table: &Table, name: &str) -> ODataError {
    payload_error(
        &table.entity_set_name,
        &format!(
            "An undeclared property '{name}' which only has property annotations in the payload \
             but no property value was found in the payload. In OData, only declared navigation \
             properties and declared named streams can be represented as properties without \
             values."
        ),
    )
}

pub(super) fn member(
    name: &str,
    value: &serde_json::Value,
) -> Result<(String, Box<RawValue>), ODataError> {
    let raw = RawValue::from_string(value.to_string())
        .map_err(|error| payload_error(name, &error.to_string()))?;
    Ok((name.to_owned(), raw))
}
