//! The text in `changedata`.

use serde::{Deserialize, Serialize};

use crate::{
    store::{Stored, Value},
    time,
    wire::json::push_scaled,
};

/// Most characters that the log keeps of a text.
const MAX_TEXT: usize = 5_000;

/// What a row of the log keeps about its change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Data {
    /// Columns of the row.
    #[serde(rename_all = "camelCase")]
    Attributes { changed_attributes: Vec<Changed> },
    /// Rows that were associated with the row or parted from it.
    #[serde(rename_all = "camelCase")]
    Relationship {
        relationship_name: String,
        /// `role,{key}`
        targets: Vec<String>,
    },
    /// What a user or team may do with the row, as bit masks of rights.
    #[serde(rename_all = "camelCase")]
    Share {
        /// `team,{key}`
        principal: String,
        old_privileges: i64,
        new_privileges: i64,
    },
    /// What a role grants.
    #[serde(rename_all = "camelCase")]
    RolePrivileges {
        removed: Vec<Granted>,
        added: Vec<Granted>,
    },
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Changed {
    pub(super) logical_name: String,
    pub(super) old_value: Option<String>,
    pub(super) new_value: Option<String>,
}

/// One privilege of a role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Granted {
    pub(super) privilege_id: uuid::Uuid,
    /// `privilegedepthmask`.
    pub(super) depth: i64,
}

impl Data {
    pub(super) fn to_text(&self) -> String {
        // Structures of texts and numbers always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// `team,{key}`: how the log refers to a row.
pub(super) fn reference(table: &str, id: uuid::Uuid) -> String {
    format!("{table},{id}")
}

/// A value as the log's text; `None` for null.
pub(super) fn text(value: &Value, stored: Stored) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => match stored {
            Stored::Scaled(_) => scaled(crate::store::Decimal::new(*number, 0), stored),
            _ => number.to_string(),
        },
        Value::Decimal(number) => scaled(*number, stored),
        Value::Double(number) => format!("{number:?}"),
        Value::Text(text) => text.clone(),
        Value::Guid(id) => id.to_string(),
        Value::DateTime(at) if stored == Stored::Date => {
            let mut date = Vec::new();
            time::push_date(&mut date, *at);
            String::from_utf8(date).unwrap_or_default()
        }
        Value::DateTime(at) => time::date_time(*at),
        Value::Lookup { table, id } => reference(table, *id),
    })
}

/// A value's text as the log keeps it: a long one is cut, and three dots say so.
pub(super) fn capped(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_TEXT) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// With all the digits that the column keeps, so that equal amounts have equal texts.
fn scaled(number: crate::store::Decimal, stored: Stored) -> String {
    if let Stored::Scaled(scale) = stored
        && let Some(units) = number.units_at(scale)
    {
        let mut digits = Vec::new();
        push_scaled(&mut digits, units, scale);
        return String::from_utf8(digits).unwrap_or_default();
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Decimal;

    #[test]
    fn each_kind_of_data_is_parsed_back() {
        let id = uuid::Uuid::from_u128(7);
        for data in [
            Data::Attributes {
                changed_attributes: vec![Changed {
                    logical_name: "name".into(),
                    old_value: None,
                    new_value: Some("ü \"quoted\"".into()),
                }],
            },
            Data::Relationship {
                relationship_name: "systemuserroles_association".into(),
                targets: vec![reference("role", id)],
            },
            Data::Share {
                principal: reference("team", id),
                old_privileges: 0,
                new_privileges: 3,
            },
            Data::RolePrivileges {
                removed: Vec::new(),
                added: vec![Granted {
                    privilege_id: id,
                    depth: 8,
                }],
            },
        ] {
            let again: Data = serde_json::from_str(&data.to_text()).unwrap();
            assert_eq!(again, data);
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(capped("ü".repeat(MAX_TEXT)), "ü".repeat(MAX_TEXT));
        let cut = capped("ü".repeat(MAX_TEXT + 1));
        assert_eq!(cut, format!("{}...", "ü".repeat(MAX_TEXT)));
    }

    #[test]
    fn equal_amounts_have_equal_texts() {
        let stored = Stored::Scaled(4);
        let short = text(&Value::Decimal(Decimal::new(105, 1)), stored);
        let long = text(&Value::Decimal(Decimal::new(105_000, 4)), stored);
        assert_eq!(short.as_deref(), Some("10.5000"));
        assert_eq!(short, long);
        assert_eq!(text(&Value::Int(7), stored).as_deref(), Some("7.0000"));
    }
}
