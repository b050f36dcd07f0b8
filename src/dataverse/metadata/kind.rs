//! What kind of column it is, and what is told of that kind alone (reference §5.3).

use super::definition::{AttributeKind, Bounds, DateTimeBehavior, OptionSet, TableDefinition};
use super::wire::{choice, value};
use crate::json::Object;

impl TableDefinition {
    /// Adds what a cast tells of one column. What does not fit the column's type is ignored.
    pub(super) fn complete(&mut self, detail: &Object<'_>) {
        let Some(attribute) = detail.text("LogicalName").and_then(|name| {
            self.attributes
                .iter_mut()
                .find(|known| known.logical_name == name)
        }) else {
            return;
        };
        // The newer name of the format, then the older one.
        let named = || {
            value(detail, "FormatName")
                .or_else(|| detail.text("Format"))
                .filter(|format| !format.is_empty() && format != "None")
        };
        match &mut attribute.kind {
            AttributeKind::Lookup { targets } => *targets = detail.texts("Targets"),
            AttributeKind::Picklist { set }
            | AttributeKind::State { set }
            | AttributeKind::Status { set }
            | AttributeKind::MultiSelect { set } => *set = choices(detail),
            AttributeKind::Boolean { set } => {
                let both = detail.object("OptionSet");
                set.options = ["FalseOption", "TrueOption"]
                    .iter()
                    .filter_map(|name| choice(&both.as_ref()?.object(name)?))
                    .collect();
            }
            AttributeKind::String { max_length, format }
            | AttributeKind::Memo { max_length, format } => {
                (*max_length, *format) = (detail.whole("MaxLength"), named());
            }
            AttributeKind::Integer { format, bounds } => {
                (*format, *bounds) = (named(), between(detail));
            }
            AttributeKind::Decimal { precision, bounds }
            | AttributeKind::Money { precision, bounds } => {
                (*precision, *bounds) = (detail.whole("Precision"), between(detail));
            }
            AttributeKind::Double { bounds } => *bounds = between(detail),
            AttributeKind::DateTime { behavior, format } => {
                *format = named();
                *behavior = match value(detail, "DateTimeBehavior").as_deref() {
                    Some("DateOnly") => DateTimeBehavior::DateOnly,
                    Some("TimeZoneIndependent") => DateTimeBehavior::TimeZoneIndependent,
                    _ => DateTimeBehavior::UserLocal,
                };
            }
            _ => {}
        }
    }
}

fn between(detail: &Object<'_>) -> Bounds {
    Bounds {
        minimum: detail.number("MinValue"),
        maximum: detail.number("MaxValue"),
    }
}

/// Choices are the column's own, or shared with other columns: then the service shows them as
/// both, or only as shared.
fn choices(detail: &Object<'_>) -> OptionSet {
    let shared = detail.object("GlobalOptionSet");
    let is_shared = shared.is_some();
    let mut found = OptionSet::default();
    for set in detail.object("OptionSet").into_iter().chain(shared) {
        if found.name.is_none() && (is_shared || set.flag("IsGlobal") == Some(true)) {
            found.name = set.text("Name");
        }
        if found.options.is_empty() {
            found.options = set
                .objects("Options")
                .filter_map(|it| choice(&it))
                .collect();
        }
    }
    found
}

/// The type by its newer name, which alone tells choices, files and images from virtual
/// columns, then by the older one.
pub(super) fn kind(attribute_type: Option<&str>, type_name: Option<&str>) -> AttributeKind {
    let set = OptionSet::default();
    match type_name {
        Some("MultiSelectPicklistType") => return AttributeKind::MultiSelect { set },
        Some("FileType") => return AttributeKind::File,
        Some("ImageType") => return AttributeKind::Image,
        _ => {}
    }
    let bounds = Bounds::default();
    let (max_length, precision, format) = (None, None, None);
    match attribute_type {
        Some("String") => AttributeKind::String { max_length, format },
        Some("Memo") => AttributeKind::Memo { max_length, format },
        Some("Integer") => AttributeKind::Integer { format, bounds },
        Some("BigInt") => AttributeKind::BigInt,
        Some("Decimal") => AttributeKind::Decimal { precision, bounds },
        Some("Money") => AttributeKind::Money { precision, bounds },
        Some("Double") => AttributeKind::Double { bounds },
        Some("Boolean") => AttributeKind::Boolean { set },
        Some("Picklist") => AttributeKind::Picklist { set },
        Some("State") => AttributeKind::State { set },
        Some("Status") => AttributeKind::Status { set },
        Some("DateTime") => AttributeKind::DateTime {
            behavior: DateTimeBehavior::default(),
            format,
        },
        Some("Lookup" | "Customer" | "Owner") => AttributeKind::Lookup {
            targets: Vec::new(),
        },
        Some("Uniqueidentifier") => AttributeKind::Uniqueidentifier,
        Some("EntityName") => AttributeKind::EntityName,
        // Parties of an activity, rules of a calendar and managed properties are no columns of
        // rows either.
        Some("Virtual" | "PartyList" | "CalendarRules" | "ManagedProperty") => {
            AttributeKind::Virtual
        }
        other => AttributeKind::Other(type_name.or(other).unwrap_or_default().to_owned()),
    }
}
