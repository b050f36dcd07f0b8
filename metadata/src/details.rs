//! The type of a column, and the properties that only columns of that type have (reference §5.3).

use super::definition::{
    AttributeKind, Bounds, DateTimeBehavior, OptionItem, OptionSet, TableDefinition,
};
use super::wire::{self, title, value};

impl TableDefinition {
    /// Adds the properties of their types to columns, from the response for one type; `None` if
    /// the body is not a list. Properties of columns that have another type are ignored.
    #[inline(never)]
    pub fn add_details(&mut self, body: &[u8]) -> Option<()> {
        let list: wire::List<'_, wire::Details<'_>> = wire::read(body)?;
        let count = self.attributes.len();
        let mut after = 0;
        for details in list.value? {
            let Some(name) = details.logical_name.as_text() else {
                continue;
            };
            // Most columns follow in the order of the table.
            let places = (after..count).chain(0..after.min(count));
            let mut found = places.filter(|place| {
                let column = self.attributes.get(*place);
                column.is_some_and(|column| column.logical_name == name)
            });
            let Some(place) = found.next() else { continue };
            after = place + 1;
            if let Some(column) = self.attributes.get_mut(place) {
                column.kind.add(&details);
            }
        }
        Some(())
    }
}

impl AttributeKind {
    fn add(&mut self, details: &wire::Details<'_>) {
        match self {
            Self::Lookup { targets } => {
                let names = details.targets.iter().flatten();
                *targets = names.filter_map(|name| name.text()).collect();
            }
            Self::Picklist { set }
            | Self::State { set }
            | Self::Status { set }
            | Self::MultiSelect { set } => *set = choices(details),
            Self::Boolean { set } => {
                if let Some(both) = &details.option_set {
                    let options = [&both.false_option, &both.true_option];
                    set.options = options.into_iter().flatten().filter_map(choice).collect();
                }
            }
            Self::String { max_length, format } | Self::Memo { max_length, format } => {
                (*max_length, *format) = (details.max_length.integer(), format_of(details));
            }
            Self::Integer { format, bounds } => {
                (*format, *bounds) = (format_of(details), bounds_of(details));
            }
            Self::Decimal { precision, bounds } | Self::Money { precision, bounds } => {
                (*precision, *bounds) = (details.precision.integer(), bounds_of(details));
            }
            Self::Double { bounds } => *bounds = bounds_of(details),
            Self::DateTime { behavior, format } => {
                *format = format_of(details);
                let named = value(details.date_time_behavior.as_ref()).as_text();
                *behavior = match named.as_deref() {
                    Some("DateOnly") => DateTimeBehavior::DateOnly,
                    Some("TimeZoneIndependent") => DateTimeBehavior::TimeZoneIndependent,
                    _ => DateTimeBehavior::UserLocal,
                };
            }
            Self::BigInt
            | Self::Uniqueidentifier
            | Self::EntityName
            | Self::File
            | Self::Image
            | Self::Virtual
            | Self::Other(_) => {}
        }
    }
}

/// The newer name of the format, or else the older one.
fn format_of(details: &wire::Details<'_>) -> Option<String> {
    value(details.format_name.as_ref())
        .text()
        .or_else(|| details.format.text())
        .filter(|format| !format.is_empty() && format != "None")
}

fn bounds_of(details: &wire::Details<'_>) -> Bounds {
    Bounds {
        minimum: details.min_value.number(),
        maximum: details.max_value.number(),
    }
}

/// The choices of a column. Choices that columns share come as both sets, or as the global one
/// only.
fn choices(details: &wire::Details<'_>) -> OptionSet {
    let is_shared = details.global_option_set.is_some();
    let sets = [&details.option_set, &details.global_option_set];
    let mut found = OptionSet::default();
    for set in sets.into_iter().flatten() {
        if found.name.is_none() && (is_shared || set.is_global.flag() == Some(true)) {
            found.name = set.name.text();
        }
        if found.options.is_empty() {
            found.options = set.options.iter().flatten().filter_map(choice).collect();
        }
    }
    found
}

/// A choice. Damaged customizations have choices without a value, which are never in rows.
fn choice(choice: &wire::Choice<'_>) -> Option<OptionItem> {
    Some(OptionItem {
        value: choice.value.integer()?,
        label: title(choice.label.as_ref()),
    })
}

/// The type by its newer name, which alone distinguishes choices, files and images from virtual
/// columns, or else by the older one.
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
        // The parties of an activity, the rules of a calendar and managed properties are not
        // columns of rows either.
        Some("Virtual" | "PartyList" | "CalendarRules" | "ManagedProperty") => {
            AttributeKind::Virtual
        }
        other => AttributeKind::Other(type_name.or(other).unwrap_or_default().to_owned()),
    }
}
