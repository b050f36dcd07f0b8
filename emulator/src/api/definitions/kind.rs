//! The type of a column, from the body that creates it.

use super::body::{Body, unfit};
use crate::{
    schema::{
        Choice, ColumnKind, DateTimeBehavior, DateTimeFormat, Label, MAX_DECIMAL, MAX_FILE_KIB,
        MAX_IMAGE_KIB, MAX_MONEY, Range, Schema, StringFormat,
    },
    wire::ODataError,
};

/// What is needed to read the type of a column.
pub(super) struct Kinds<'a> {
    pub(super) schema: &'a Schema,
    /// The number of the first option that is given none.
    pub(super) first_option: i32,
}

impl Kinds<'_> {
    /// The type that `@odata.type` names, with its properties from the body.
    pub(super) fn read(&self, body: &Body) -> Result<ColumnKind, ODataError> {
        let type_name = body.needed_text("@odata.type")?;
        let short = type_name
            .trim_start_matches('#')
            .strip_prefix("Microsoft.Dynamics.CRM.")
            .and_then(|name| name.strip_suffix("AttributeMetadata"))
            // The type names in the parameters of `CreateEntities`.
            .map(|name| name.strip_prefix("Complex").unwrap_or(name));
        Ok(match short {
            Some("String") => ColumnKind::String {
                max_length: length(body, 100, 4_000)?,
                format: string_format(body)?,
            },
            Some("Memo") => ColumnKind::Memo {
                max_length: length(body, 2_000, 1_048_576)?,
            },
            Some("Integer") => ColumnKind::Integer {
                min: bound(body, "MinValue", i32::MIN)?,
                max: bound(body, "MaxValue", i32::MAX)?,
            },
            Some("BigInt") => ColumnKind::BigInt,
            Some("Decimal") => ColumnKind::Decimal {
                precision: precision(body, 2, 10)?,
                range: range(body, MAX_DECIMAL)?,
            },
            Some("Double") => ColumnKind::Double {
                precision: precision(body, 2, 5)?,
                range: range(body, MAX_DECIMAL)?,
            },
            Some("Money") => ColumnKind::Money {
                precision: precision(body, 2, 4)?,
                range: range(body, MAX_MONEY)?,
                precision_source: match body.integer("PrecisionSource")? {
                    None => 2,
                    Some(source @ 0..=2) => u8::try_from(source).unwrap_or(2),
                    Some(other) => return Err(invalid("PrecisionSource", other)),
                },
            },
            Some("Boolean") => boolean(body)?,
            Some("DateTime") => date_time(body)?,
            Some("Picklist") => {
                let (options, global) = self.options(body)?;
                let default = body.integer("DefaultFormValue")?;
                ColumnKind::Picklist {
                    options,
                    global,
                    default: default.and_then(|value| i32::try_from(value).ok()),
                }
            }
            Some("MultiSelectPicklist") => {
                let (options, global) = self.options(body)?;
                ColumnKind::MultiSelectPicklist { options, global }
            }
            Some("File") => ColumnKind::File {
                max_kib: kib(body, MAX_FILE_KIB, 10_485_760)?,
            },
            Some("Image") => ColumnKind::Image {
                max_kib: kib(body, MAX_IMAGE_KIB, 30_720)?,
                full: body.flag("CanStoreFullImage")?.unwrap_or(false),
                primary: false,
            },
            Some("Lookup") => {
                return Err(ODataError::bad_request(
                    "0x80040203",
                    "A lookup column is created with its relationship: POST to \
                     RelationshipDefinitions.",
                ));
            }
            _ => {
                return Err(unfit(format!(
                    "A column of the type '{type_name}' cannot be created."
                )));
            }
        })
    }

    /// The type of an existing column, which cannot change.
    pub(super) fn of_existing(
        &self,
        body: &Body,
        before: &ColumnKind,
    ) -> Result<ColumnKind, ODataError> {
        // Types that are made by the platform alone carry nothing to be changed.
        let system = matches!(
            before,
            ColumnKind::State { .. } | ColumnKind::Status { .. } | ColumnKind::Uniqueidentifier
        );
        if system {
            return Ok(before.clone());
        }
        let mut after = self.read(body)?;
        if std::mem::discriminant(&after) != std::mem::discriminant(before) {
            return Err(ODataError::bad_request(
                "0x80048403",
                "The type of a column cannot be changed.",
            ));
        }
        match (&mut after, before) {
            (
                ColumnKind::Picklist { options, .. }
                | ColumnKind::MultiSelectPicklist { options, .. },
                ColumnKind::Picklist { options: known, .. }
                | ColumnKind::MultiSelectPicklist { options: known, .. },
            ) if options.is_empty() => options.clone_from(known),
            (ColumnKind::Image { primary, .. }, ColumnKind::Image { primary: known, .. }) => {
                *primary = *known;
            }
            _ => {}
        }
        Ok(after)
    }

    /// The choices, of the column's own or shared ones.
    fn options(&self, body: &Body) -> Result<(Vec<Choice>, Option<String>), ODataError> {
        if let Some(address) = body.text("GlobalOptionSet@odata.bind")? {
            let key = address.trim_start_matches('/');
            let inner = key
                .strip_prefix("GlobalOptionSetDefinitions(")
                .and_then(|key| key.strip_suffix(')'))
                .unwrap_or_default();
            let known = self.schema.option_sets().find(|set| {
                inner == format!("Name='{}'", set.name) || inner == set.metadata_id().to_string()
            });
            let set = known.ok_or_else(|| {
                ODataError::bad_request(
                    "0x80040217",
                    format!("There is no global option set '{address}'."),
                )
            })?;
            return Ok((set.options.clone(), Some(set.name.clone())));
        }
        let Some(set) = body.nested("OptionSet")? else {
            return Ok((Vec::new(), None));
        };
        if set.flag("IsGlobal")? == Some(true) {
            let name = set.needed_text("Name")?;
            let known = self.schema.option_set(name).ok_or_else(|| {
                ODataError::bad_request(
                    "0x80040217",
                    format!("There is no global option set '{name}'."),
                )
            })?;
            return Ok((known.options.clone(), Some(known.name.clone())));
        }
        Ok((set.choices(self.first_option)?, None))
    }
}

fn invalid(name: &str, value: impl std::fmt::Display) -> ODataError {
    ODataError::bad_request(
        "0x80044355",
        format!("The value {value} of '{name}' is outside what columns of this type can have."),
    )
}

fn length(body: &Body, otherwise: u32, most: u32) -> Result<u32, ODataError> {
    match body.integer("MaxLength")? {
        None => Ok(otherwise),
        Some(length) => u32::try_from(length)
            .ok()
            .filter(|length| (1..=most).contains(length))
            .ok_or_else(|| invalid("MaxLength", length)),
    }
}

fn precision(body: &Body, otherwise: u8, most: u8) -> Result<u8, ODataError> {
    match body.integer("Precision")? {
        None => Ok(otherwise),
        Some(digits) => u8::try_from(digits)
            .ok()
            .filter(|digits| *digits <= most)
            .ok_or_else(|| invalid("Precision", digits)),
    }
}

fn bound(body: &Body, name: &str, otherwise: i32) -> Result<i32, ODataError> {
    match body.integer(name)? {
        None => Ok(otherwise),
        Some(value) => i32::try_from(value).map_err(|_| invalid(name, value)),
    }
}

fn range(body: &Body, most: i64) -> Result<Range, ODataError> {
    let full = Range::around_zero(most);
    Ok(Range {
        min: body.number("MinValue")?.unwrap_or(full.min),
        max: body.number("MaxValue")?.unwrap_or(full.max),
    })
}

fn kib(body: &Body, otherwise: u32, most: u32) -> Result<u32, ODataError> {
    match body.integer("MaxSizeInKB")? {
        None => Ok(otherwise),
        Some(size) => u32::try_from(size)
            .ok()
            .filter(|size| (1..=most).contains(size))
            .ok_or_else(|| invalid("MaxSizeInKB", size)),
    }
}

fn string_format(body: &Body) -> Result<StringFormat, ODataError> {
    let format = match body.named("FormatName")? {
        Some(name) => Some(name),
        None => body.text("Format")?.map(str::to_owned),
    };
    Ok(match format.as_deref() {
        None | Some("Text") => StringFormat::Text,
        Some("TextArea") => StringFormat::TextArea,
        Some("Email") => StringFormat::Email,
        Some("Phone") => StringFormat::Phone,
        Some("Url") => StringFormat::Url,
        Some("TickerSymbol") => StringFormat::TickerSymbol,
        Some("PhoneticGuide") => StringFormat::PhoneticGuide,
        Some("VersionNumber") => StringFormat::VersionNumber,
        Some(other) => return Err(invalid("FormatName", other)),
    })
}

fn date_time(body: &Body) -> Result<ColumnKind, ODataError> {
    let format = match body.text("Format")? {
        None | Some("DateAndTime") => DateTimeFormat::DateAndTime,
        Some("DateOnly") => DateTimeFormat::DateOnly,
        Some(other) => return Err(invalid("Format", other)),
    };
    let behavior = match body.named("DateTimeBehavior")?.as_deref() {
        None | Some("UserLocal") => DateTimeBehavior::UserLocal,
        Some("TimeZoneIndependent") => DateTimeBehavior::TimeZoneIndependent,
        Some("DateOnly") if format == DateTimeFormat::DateOnly => DateTimeBehavior::DateOnly,
        Some(other) => return Err(invalid("DateTimeBehavior", other)),
    };
    Ok(ColumnKind::DateTime { behavior, format })
}

fn boolean(body: &Body) -> Result<ColumnKind, ODataError> {
    let set = body.nested("OptionSet")?;
    let option = |name: &str, otherwise: &str| -> Result<Label, ODataError> {
        let Some(set) = &set else {
            return Ok(otherwise.into());
        };
        let Some(option) = set.nested(name)? else {
            return Ok(otherwise.into());
        };
        Ok(option.label("Label")?.unwrap_or_else(|| otherwise.into()))
    };
    Ok(ColumnKind::Boolean {
        true_label: option("TrueOption", "Yes")?,
        false_label: option("FalseOption", "No")?,
        default: body.flag("DefaultValue")?.unwrap_or(false),
    })
}
