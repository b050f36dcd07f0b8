//! Constants of a query as the values that columns hold.

use rusqlite::types::Value as SqlValue;

use super::{Literal, Property, filter::Comparison};
use crate::{
    schema::ColumnKind,
    store::{Decimal, Stored},
    wire::ODataError,
};

/// A literal as the value the column would hold.
pub(crate) fn constant(
    property: &Property<'_>,
    literal: &Literal,
    operator: Comparison,
) -> Result<SqlValue, ODataError> {
    let member;
    let found = match literal {
        Literal::Null => return Ok(SqlValue::Null),
        Literal::Boolean(_) => "Edm.Boolean",
        Literal::Number(number) if number.contains(['.', 'e', 'E']) => "Edm.Decimal",
        Literal::Number(_) => "Edm.Int32",
        Literal::Text(_) => "Edm.String",
        Literal::Guid(_) => "Edm.Guid",
        Literal::Date(_) => "Edm.Date",
        Literal::DateTime(_) => "Edm.DateTimeOffset",
        Literal::Member(kind, _) => {
            member = format!("Microsoft.Dynamics.CRM.{kind}");
            &member
        }
        Literal::List(_) => "Collection(Edm.String)",
    };
    let mismatch = || incompatible(property, found, operator);
    Ok(match (property.stored, literal) {
        (Stored::Guid | Stored::Reference | Stored::TypedReference, Literal::Guid(id)) => {
            SqlValue::Text(id.to_string())
        }
        (Stored::Guid | Stored::Reference | Stored::TypedReference, Literal::Text(text)) => {
            let braced = text.starts_with('{');
            let id = uuid::Uuid::try_parse(text)
                .ok()
                .filter(|_| !braced)
                .ok_or_else(mismatch)?;
            SqlValue::Text(id.to_string())
        }
        (Stored::Text, Literal::Text(text)) => SqlValue::Text(match property.column.kind {
            ColumnKind::MultiSelectPicklist { .. } => sorted_choices(text),
            _ => text.clone(),
        }),
        (Stored::Integer, Literal::Number(number)) => {
            SqlValue::Integer(number.parse().map_err(|_| mismatch())?)
        }
        (Stored::Boolean, Literal::Boolean(flag)) => SqlValue::Integer((*flag).into()),
        (Stored::Scaled(scale), Literal::Number(number)) => {
            let decimal: Decimal = number.parse().map_err(|_| mismatch())?;
            match decimal.units_at(scale) {
                Some(units) => SqlValue::Integer(units),
                None if number.starts_with('-') => SqlValue::Integer(i64::MIN),
                None => SqlValue::Integer(i64::MAX),
            }
        }
        (Stored::Real, Literal::Number(number)) => {
            SqlValue::Real(number.parse().map_err(|_| mismatch())?)
        }
        (Stored::Instant, Literal::Date(at) | Literal::DateTime(at))
        | (Stored::Date, Literal::Date(at)) => SqlValue::Integer(*at),
        _ => return Err(mismatch()),
    })
}

/// `"9, 1"` as it is stored: `"1,9"`.
pub(crate) fn sorted_choices(text: &str) -> String {
    let mut choices: Vec<i64> = text
        .split(',')
        .filter_map(|choice| choice.trim().parse().ok())
        .collect();
    choices.sort_unstable();
    choices.dedup();
    choices
        .iter()
        .map(i64::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// The type of a property in the service's `$metadata`.
pub(crate) fn edm_type(property: &Property<'_>) -> &'static str {
    match (property.stored, &property.column.kind) {
        (Stored::Guid | Stored::Reference | Stored::TypedReference, _) => "Edm.Guid",
        (Stored::Text, ColumnKind::Image { .. }) => "Edm.Binary",
        (Stored::Text, _) => "Edm.String",
        (Stored::Integer, ColumnKind::BigInt) => "Edm.Int64",
        (Stored::Integer, _) => "Edm.Int32",
        (Stored::Boolean, _) => "Edm.Boolean",
        (Stored::Scaled(_), _) => "Edm.Decimal",
        (Stored::Real, _) => "Edm.Double",
        (Stored::Instant, _) => "Edm.DateTimeOffset",
        (Stored::Date, _) => "Edm.Date",
    }
}

pub(crate) fn incompatible(
    property: &Property<'_>,
    found: &str,
    operator: Comparison,
) -> ODataError {
    ODataError::syntax(format!(
        "A binary operator with incompatible types was detected. Found operand types '{}' and \
         '{found}' for operator kind '{}'.",
        edm_type(property),
        operator.kind(),
    ))
}
