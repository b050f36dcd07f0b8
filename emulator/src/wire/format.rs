//! Formatted values, as a user in UTC sees them (reference §4.3): labels in the user's language,
//! numbers and dates always as in US English.

use std::collections::HashMap;

use rusqlite::types::ValueRef;

use super::json::push_text;
use crate::{
    schema::{Column, ColumnKind, DateTimeBehavior, DateTimeFormat, Label, Schema},
    store::{Decimal, MONEY_SCALE},
    time,
};

/// How a column's values are shown to people.
#[derive(Debug, Clone)]
pub(crate) enum Display {
    /// The label of a choice.
    Labels(HashMap<i64, String>),
    /// The labels of several choices.
    ManyLabels(HashMap<i64, String>),
    Boolean {
        yes: String,
        no: String,
    },
    Date,
    DateAndTime,
    Integer,
    Decimal {
        scale: u8,
        shown: u8,
    },
    /// The symbol of the row's currency comes from the companion cell.
    Money {
        shown: u8,
    },
    /// A table's display name.
    TableName(HashMap<String, String>),
    /// The primary name of the row referred to comes from the companion cell.
    Name,
}

impl Display {
    /// How the column is shown; `None` if its values are not formatted.
    pub(crate) fn of(column: &Column, schema: &Schema, language: i32) -> Option<Self> {
        let text = |label: &Label| label.in_language(language).to_owned();
        let labels = || {
            let pair = |choice: &crate::schema::Choice| (choice.value.into(), text(&choice.label));
            column.choices().iter().map(pair).collect()
        };
        Some(match &column.kind {
            ColumnKind::Picklist { .. } | ColumnKind::State { .. } | ColumnKind::Status { .. } => {
                Self::Labels(labels())
            }
            ColumnKind::MultiSelectPicklist { .. } => Self::ManyLabels(labels()),
            ColumnKind::Boolean {
                true_label,
                false_label,
                ..
            } => Self::Boolean {
                yes: text(true_label),
                no: text(false_label),
            },
            ColumnKind::DateTime {
                behavior: DateTimeBehavior::DateOnly,
                ..
            }
            | ColumnKind::DateTime {
                format: DateTimeFormat::DateOnly,
                ..
            } => Self::Date,
            ColumnKind::DateTime { .. } => Self::DateAndTime,
            ColumnKind::Integer { .. } | ColumnKind::BigInt => Self::Integer,
            ColumnKind::Decimal { precision, .. } => Self::Decimal {
                scale: (*precision).min(12),
                shown: *precision,
            },
            ColumnKind::Money { precision, .. } => Self::Money { shown: *precision },
            ColumnKind::EntityName => Self::TableName(
                schema
                    .tables()
                    .map(|table| (table.logical_name.clone(), text(&table.display_name)))
                    .collect(),
            ),
            ColumnKind::Lookup { .. } | ColumnKind::Customer { .. } | ColumnKind::Owner => {
                Self::Name
            }
            _ => return None,
        })
    }

    /// Appends the formatted value as a JSON string; returns whether there is one.
    pub(crate) fn push(
        &self,
        out: &mut Vec<u8>,
        cell: ValueRef<'_>,
        companion: Option<ValueRef<'_>>,
    ) -> bool {
        let text = match (self, cell) {
            (_, ValueRef::Null) => None,
            (Self::Labels(labels), ValueRef::Integer(value)) => labels.get(&value).cloned(),
            (Self::ManyLabels(labels), ValueRef::Text(values)) => {
                let values = String::from_utf8_lossy(values);
                let names = values
                    .split(',')
                    .filter_map(|value| labels.get(&value.parse().ok()?));
                Some(names.cloned().collect::<Vec<_>>().join("; "))
            }
            (Self::Boolean { yes, no }, ValueRef::Integer(value)) => {
                Some(if value == 0 { no.clone() } else { yes.clone() })
            }
            (Self::Date, ValueRef::Integer(at)) => Some(time::display(at, false)),
            (Self::DateAndTime, ValueRef::Integer(at)) => Some(time::display(at, true)),
            (Self::Integer, ValueRef::Integer(number)) => Some(with_thousands(&number)),
            (Self::Decimal { scale, shown }, ValueRef::Integer(units)) => {
                Some(decimal(units, *scale, *shown))
            }
            (Self::Money { shown }, ValueRef::Integer(units)) => {
                let symbol = companion.and_then(|cell| cell.as_str().ok()).unwrap_or("$");
                let amount = decimal(units, MONEY_SCALE, *shown);
                Some(match amount.strip_prefix('-') {
                    Some(amount) => format!("({symbol}{amount})"),
                    None => format!("{symbol}{amount}"),
                })
            }
            (Self::TableName(names), ValueRef::Text(name)) => {
                names.get(String::from_utf8_lossy(name).as_ref()).cloned()
            }
            (Self::Name, _) => companion
                .and_then(|cell| cell.as_str().ok())
                .map(str::to_owned),
            _ => None,
        };
        if let Some(text) = &text {
            push_text(out, text);
        }
        text.is_some()
    }
}

/// A whole number with a comma before every three digits.
pub(crate) fn with_thousands(number: &impl ToString) -> String {
    let text = number.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    let mut grouped = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn decimal(units: i64, scale: u8, shown: u8) -> String {
    let rounded = Decimal::new(units, scale).units_at(shown).unwrap_or(units);
    let text = Decimal::new(rounded, shown).to_string();
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", with_thousands(&whole)),
        None => with_thousands(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(with_thousands(&1_234_567), "1,234,567");
        assert_eq!(with_thousands(&-999), "-999");
        assert_eq!(decimal(-12_345_678, 4, 2), "-1,234.57");
        let money = Display::Money { shown: 2 };
        let mut out = Vec::new();
        money.push(
            &mut out,
            ValueRef::Integer(200_000_000),
            Some(ValueRef::Text(b"$")),
        );
        assert_eq!(out, b"\"$20,000.00\"");
    }
}
