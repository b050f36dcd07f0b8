//! The type of a column, such as `text(100,email)`.

use std::str::FromStr;

use super::{
    super::{
        ColumnKind, DateTimeBehavior, DateTimeFormat, MAX_DECIMAL, MAX_FILE_KIB, MAX_IMAGE_KIB,
        MAX_MONEY, Range, StringFormat,
    },
    words::number,
};

/// Reads a type such as `text(100,email)`.
pub(super) fn column_kind(word: &str) -> Result<ColumnKind, String> {
    let (name, arguments) = match word.split_once('(') {
        Some((name, rest)) => (
            name,
            rest.strip_suffix(')')
                .ok_or_else(|| format!("`{word}` has no closing bracket"))?,
        ),
        None => (word, ""),
    };
    let mut arguments = arguments
        .split(',')
        .map(str::trim)
        .filter(|argument| !argument.is_empty());
    let kind = match name {
        "id" => ColumnKind::Uniqueidentifier,
        "text" => ColumnKind::String {
            max_length: argument(arguments.next(), name)?,
            format: string_format(arguments.next())?,
        },
        "memo" => ColumnKind::Memo {
            max_length: argument(arguments.next(), name)?,
        },
        "integer" => match arguments.next() {
            None => ColumnKind::Integer {
                min: i32::MIN,
                max: i32::MAX,
            },
            Some(range) => {
                let (min, max) = range
                    .split_once("..")
                    .ok_or_else(|| format!("`{range}` is not a range; write one such as 0..100"))?;
                ColumnKind::Integer {
                    min: number(min)?,
                    max: number(max)?,
                }
            }
        },
        "bigint" => ColumnKind::BigInt,
        "decimal" => ColumnKind::Decimal {
            precision: argument(arguments.next(), name)?,
            range: Range::around_zero(MAX_DECIMAL),
        },
        "float" => ColumnKind::Double {
            precision: argument(arguments.next(), name)?,
            range: Range::around_zero(MAX_DECIMAL),
        },
        "money" => ColumnKind::Money {
            precision: argument(arguments.next(), name)?,
            range: Range::around_zero(MAX_MONEY),
            precision_source: 2,
        },
        "yes-no" => ColumnKind::Boolean {
            true_label: "Yes".into(),
            false_label: "No".into(),
            default: false,
        },
        "choice" => ColumnKind::Picklist {
            options: Vec::new(),
            global: None,
            default: None,
        },
        "choices" => ColumnKind::MultiSelectPicklist {
            options: Vec::new(),
            global: None,
        },
        "state" => ColumnKind::State {
            options: Vec::new(),
        },
        "status" => ColumnKind::Status {
            options: Vec::new(),
        },
        "date" => ColumnKind::DateTime {
            behavior: DateTimeBehavior::DateOnly,
            format: DateTimeFormat::DateOnly,
        },
        "datetime" => date_time(arguments.next())?,
        "lookup" => ColumnKind::Lookup {
            targets: arguments.by_ref().map(str::to_owned).collect(),
        },
        "customer" => ColumnKind::Customer {
            targets: Vec::new(),
        },
        "owner" => ColumnKind::Owner,
        "parties" => ColumnKind::PartyList,
        "table-name" => ColumnKind::EntityName,
        "file" => ColumnKind::File {
            max_kib: MAX_FILE_KIB,
        },
        "image" => primary_image(),
        "virtual" => ColumnKind::Virtual,
        "managed-property" => ColumnKind::ManagedProperty,
        "calendar-rules" => ColumnKind::CalendarRules,
        other => return Err(format!("`{other}` is not a column type")),
    };
    match arguments.next() {
        None => Ok(kind),
        Some(extra) => Err(format!("`{name}` takes no argument `{extra}`")),
    }
}

/// The image of a table.
fn primary_image() -> ColumnKind {
    ColumnKind::Image {
        max_kib: MAX_IMAGE_KIB,
        full: true,
        primary: true,
    }
}

fn argument<T: FromStr>(argument: Option<&str>, name: &str) -> Result<T, String> {
    number(argument.ok_or_else(|| format!("`{name}` needs a number, such as {name}(2)"))?)
}

fn string_format(argument: Option<&str>) -> Result<StringFormat, String> {
    Ok(match argument {
        None => StringFormat::Text,
        Some("area") => StringFormat::TextArea,
        Some("email") => StringFormat::Email,
        Some("phone") => StringFormat::Phone,
        Some("url") => StringFormat::Url,
        Some("ticker") => StringFormat::TickerSymbol,
        Some("phonetic") => StringFormat::PhoneticGuide,
        Some("version") => StringFormat::VersionNumber,
        Some(other) => return Err(format!("`{other}` is not a text format")),
    })
}

fn date_time(argument: Option<&str>) -> Result<ColumnKind, String> {
    let (behavior, format) = match argument {
        None => (DateTimeBehavior::UserLocal, DateTimeFormat::DateAndTime),
        Some("shown-as-date") => (DateTimeBehavior::UserLocal, DateTimeFormat::DateOnly),
        Some("zoneless") => (
            DateTimeBehavior::TimeZoneIndependent,
            DateTimeFormat::DateAndTime,
        ),
        Some(other) => return Err(format!("`{other}` is not a kind of datetime")),
    };
    Ok(ColumnKind::DateTime { behavior, format })
}
