//! Reads a text as the value of a column.

use uuid::Uuid;

use crate::{
    schema::{Column, ColumnKind, DateTimeBehavior},
    store::{Decimal, Value},
    time::{DAY, parse_date, parse_date_time},
};

/// The value that this text means in this column; an empty text is null.
///
/// The error is a sentence without file and line.
pub(super) fn read(column: &Column, text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let wrong = |what: &str| format!("`{text}` is not {what}");
    Ok(match &column.kind {
        ColumnKind::String { max_length, .. } | ColumnKind::Memo { max_length } => {
            if text.encode_utf16().count() > *max_length as usize {
                return Err(format!("the text is longer than {max_length} characters"));
            }
            Value::Text(text.to_owned())
        }
        ColumnKind::EntityName => Value::Text(text.to_owned()),
        ColumnKind::Uniqueidentifier => {
            Value::Guid(Uuid::try_parse(text).map_err(|_| wrong("a GUID"))?)
        }
        ColumnKind::Integer { min, max } => {
            let number: i32 = text.parse().map_err(|_| wrong("a whole number"))?;
            if !(*min..=*max).contains(&number) {
                return Err(wrong(&format!("between {min} and {max}")));
            }
            Value::Int(number.into())
        }
        ColumnKind::BigInt => Value::Int(text.parse().map_err(|_| wrong("a whole number"))?),
        ColumnKind::Decimal { .. } | ColumnKind::Money { .. } => Value::Decimal(
            text.parse::<Decimal>()
                .map_err(|_| wrong("a decimal number"))?,
        ),
        ColumnKind::Double { .. } => Value::Double(text.parse().map_err(|_| wrong("a number"))?),
        ColumnKind::Boolean { .. } => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Value::Bool(true),
            "false" | "no" | "0" => Value::Bool(false),
            _ => return Err(wrong("true or false")),
        },
        ColumnKind::Picklist { options, .. }
        | ColumnKind::State { options }
        | ColumnKind::Status { options } => {
            let value = choice(text)?;
            if !options.is_empty() && options.iter().all(|option| option.value != value) {
                return Err(wrong("one of the column's choices"));
            }
            Value::Int(value.into())
        }
        ColumnKind::MultiSelectPicklist { options, .. } => {
            for part in text.split(',') {
                let value = choice(part.trim())?;
                if options.iter().all(|option| option.value != value) {
                    return Err(wrong("a list of the column's choices"));
                }
            }
            Value::Text(text.replace(' ', ""))
        }
        ColumnKind::DateTime { behavior, .. } => {
            let time = moment(text)
                .ok_or_else(|| wrong("a date such as 2024-03-31 or 2024-03-31T09:30:00Z"))?;
            match behavior {
                DateTimeBehavior::DateOnly => Value::DateTime(time - time.rem_euclid(DAY)),
                _ => Value::DateTime(time),
            }
        }
        ColumnKind::Lookup { .. } | ColumnKind::Customer { .. } | ColumnKind::Owner => {
            return Err("a lookup needs `{ lookup = \"table\", key = \"{column}\" }`".into());
        }
        ColumnKind::PartyList
        | ColumnKind::File { .. }
        | ColumnKind::Image { .. }
        | ColumnKind::Virtual
        | ColumnKind::ManagedProperty
        | ColumnKind::CalendarRules => {
            return Err("a column of this type cannot be imported".into());
        }
    })
}

fn choice(text: &str) -> Result<i32, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not the number of a choice; map it with `values`"))
}

/// Reads `2024-03-31`, or with a time of day `2024-03-31T09:30:00Z`.
fn moment(text: &str) -> Option<i64> {
    let Some((date, time)) = text.split_once(['T', ' ']) else {
        return parse_date(text);
    };
    let time = time.strip_suffix('Z').unwrap_or(time);
    parse_date_time(&format!("{date}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    fn cell(table: &str, column: &str, text: &str) -> Result<Value, String> {
        let schema = Schema::standard().unwrap();
        read(schema.table(table).unwrap().column(column).unwrap(), text)
    }

    #[test]
    fn texts_become_values_of_the_column() {
        assert_eq!(cell("account", "name", ""), Ok(Value::Null));
        assert_eq!(
            cell("account", "revenue", "10.05"),
            Ok(Value::Decimal("10.05".parse().unwrap()))
        );
        assert_eq!(
            cell("account", "creditonhold", "True"),
            Ok(Value::Bool(true))
        );
        assert_eq!(
            cell("account", "sample_segments", "1, 3"),
            Ok(Value::Text("1,3".into()))
        );
        assert_eq!(
            cell("contact", "birthdate", "1970-01-02T10:00:00Z"),
            Ok(Value::DateTime(86_400))
        );
        assert_eq!(
            cell("account", "createdon", "1970-01-01T00:01:05Z"),
            Ok(Value::DateTime(65))
        );
    }

    #[test]
    fn values_that_do_not_fit_are_rejected() {
        for (column, text, says) in [
            ("name", "x".repeat(161).as_str(), "longer than 160"),
            ("industrycode", "99", "choices"),
            ("industrycode", "retail", "map it"),
            ("numberofemployees", "-1", "between"),
            ("createdon", "2023-02-30", "a date"),
            ("primarycontactid", "cnt_1", "lookup"),
            ("sample_segments", "1,9", "choices"),
        ] {
            let problem = cell("account", column, text).unwrap_err();
            assert!(problem.contains(says), "{problem}");
        }
    }
}
