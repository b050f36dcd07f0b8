//! From what travels to what it means.

use serde_json::value::RawValue;

use super::definition::{
    Attribute, AttributeKind, Bounds, DateTimeBehavior, OptionItem, OptionSet, RequiredLevel,
    TableDefinition, TableKey, TableSummary,
};
use super::guards::Switch;
use super::relationship::{Cardinality, Relationship};
use super::wire;
use crate::dataverse::Record;
use crate::ordered;

impl TableDefinition {
    /// Adds what a cast tells of one column. What does not fit the column's type is ignored.
    pub(super) fn complete(&mut self, detail: wire::Detail) {
        let Some(attribute) = self
            .attributes
            .iter_mut()
            .find(|known| known.logical_name == detail.logical_name)
        else {
            return;
        };
        let digits = detail.precision.and_then(|it| u8::try_from(it).ok());
        let characters = detail.max_length.and_then(|it| u32::try_from(it).ok());
        // The newer name of the format, then the older one.
        let named = detail
            .format_name
            .and_then(|named| named.value)
            .or(detail.format)
            .filter(|format| !format.is_empty() && format != "None");
        match &mut attribute.kind {
            AttributeKind::Lookup { targets } => *targets = detail.targets.unwrap_or_default(),
            AttributeKind::Picklist { set }
            | AttributeKind::State { set }
            | AttributeKind::Status { set }
            | AttributeKind::MultiSelect { set } => {
                *set = choices(detail.option_set, detail.global_option_set);
            }
            AttributeKind::Boolean { set } => {
                set.options = detail.option_set.map(two_choices).unwrap_or_default();
            }
            AttributeKind::String { max_length, format }
            | AttributeKind::Memo { max_length, format } => {
                (*max_length, *format) = (characters, named);
            }
            AttributeKind::Integer { format, bounds } => {
                *format = named;
                *bounds = between(detail.min_value, detail.max_value);
            }
            AttributeKind::Decimal { precision, bounds }
            | AttributeKind::Money { precision, bounds } => {
                *precision = digits;
                *bounds = between(detail.min_value, detail.max_value);
            }
            AttributeKind::Double { bounds } => {
                *bounds = between(detail.min_value, detail.max_value);
            }
            AttributeKind::DateTime { behavior, format } => {
                *format = named;
                *behavior = match detail
                    .date_time_behavior
                    .and_then(|named| named.value)
                    .as_deref()
                {
                    Some("DateOnly") => DateTimeBehavior::DateOnly,
                    Some("TimeZoneIndependent") => DateTimeBehavior::TimeZoneIndependent,
                    _ => DateTimeBehavior::UserLocal,
                };
            }
            _ => {}
        }
    }
}

fn between(minimum: Option<Box<RawValue>>, maximum: Option<Box<RawValue>>) -> Bounds {
    Bounds {
        minimum: minimum.and_then(number),
        maximum: maximum.and_then(number),
    }
}

/// A number as it was written, letter by letter.
fn number(raw: Box<RawValue>) -> Option<String> {
    let text: Box<str> = raw.into();
    let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    is_number.then(|| text.into())
}

/// Choices are the column's own, or shared with other columns: then the service shows them as
/// both, or only as shared.
fn choices(own: Option<wire::OptionSet>, shared: Option<wire::OptionSet>) -> OptionSet {
    let is_shared = shared.is_some();
    let mut found = OptionSet::default();
    for set in [own, shared].into_iter().flatten() {
        if found.name.is_none() && (is_shared || set.is_global == Some(true)) {
            found.name = set.name;
        }
        if found.options.is_empty() {
            found.options = set.options.into_iter().filter_map(choice).collect();
        }
    }
    found
}

fn two_choices(set: wire::OptionSet) -> Vec<OptionItem> {
    set.false_option
        .into_iter()
        .chain(set.true_option)
        .filter_map(choice)
        .collect()
}

fn choice(option: wire::OptionItem) -> Option<OptionItem> {
    let value = option.value?;
    Some(OptionItem {
        value,
        label: option.label.and_then(|text| text.0),
    })
}

impl From<wire::Table<wire::ShowsChanges>> for TableSummary {
    fn from(table: wire::Table<wire::ShowsChanges>) -> Self {
        Self {
            logical_name: table.logical_name,
            entity_set_name: table.entity_set_name.filter(|name| !name.is_empty()),
            primary_id: table.primary_id_attribute.filter(|name| !name.is_empty()),
            primary_name: table.primary_name_attribute.filter(|name| !name.is_empty()),
            title: table.display_name.and_then(|text| text.0),
            is_private: table.is_private.unwrap_or_default(),
            change_tracking: Switch {
                is_on: table.change_tracking_enabled.unwrap_or_default(),
                can_be_on: Record(&table.can_change_tracking_be_enabled)
                    .flag("Value")
                    .unwrap_or_default(),
            },
            shows_changes: table.attributes.0,
        }
    }
}

impl From<wire::Table<Vec<wire::Column>>> for TableDefinition {
    fn from(table: wire::Table<Vec<wire::Column>>) -> Self {
        let mut relationships = Vec::new();
        for (cardinality, list) in [
            (Cardinality::ManyToOne, &table.many_to_one_relationships),
            (Cardinality::OneToMany, &table.one_to_many_relationships),
            (Cardinality::ManyToMany, &table.many_to_many_relationships),
        ] {
            let records = list.iter().map(Record);
            relationships.extend(
                records.filter_map(|it| Relationship::read(cardinality, &table.logical_name, it)),
            );
        }
        let mut attributes: Vec<Attribute> =
            table.attributes.into_iter().map(Attribute::from).collect();
        // The service lists columns in no particular order.
        ordered::sort_by(&mut attributes, |a, b| {
            (a.column_number, &a.logical_name).cmp(&(b.column_number, &b.logical_name))
        });
        let shows_changes = attributes
            .iter()
            .any(|column| wire::grows(&column.logical_name) && column.is_selectable());
        let mut keys: Vec<TableKey> = table.keys.into_iter().filter_map(key).collect();
        ordered::sort_by(&mut keys, |a, b| a.name.cmp(&b.name));
        let summary = wire::Table {
            logical_name: table.logical_name,
            entity_set_name: table.entity_set_name,
            primary_id_attribute: table.primary_id_attribute,
            primary_name_attribute: table.primary_name_attribute,
            display_name: table.display_name,
            is_private: table.is_private,
            change_tracking_enabled: table.change_tracking_enabled,
            can_change_tracking_be_enabled: table.can_change_tracking_be_enabled,
            attributes: wire::ShowsChanges(shows_changes),
            keys: Vec::new(),
            many_to_one_relationships: Vec::new(),
            one_to_many_relationships: Vec::new(),
            many_to_many_relationships: Vec::new(),
        };
        Self {
            summary: summary.into(),
            attributes,
            keys,
            relationships,
        }
    }
}

fn key(key: wire::Key) -> Option<TableKey> {
    Some(TableKey {
        name: key.logical_name.or(key.schema_name)?,
        attributes: key.columns,
        is_active: key.entity_key_index_status.as_deref() == Some("Active"),
    })
}

impl From<wire::Column> for Attribute {
    fn from(attribute: wire::Column) -> Self {
        let type_name = attribute.attribute_type_name.and_then(|named| named.value);
        let kind = kind(attribute.attribute_type.as_deref(), type_name.as_deref());
        Self {
            title: attribute.display_name.and_then(|text| text.0),
            column_number: attribute.number.unwrap_or_default(),
            valid_for_read: attribute.is_valid_for_read.unwrap_or(true)
                && attribute.is_valid_for_odata.unwrap_or(true),
            valid_for_create: attribute.is_valid_for_create.unwrap_or_default(),
            valid_for_update: attribute.is_valid_for_update.unwrap_or_default(),
            required: match attribute
                .required_level
                .and_then(|level| level.value)
                .as_deref()
            {
                Some("SystemRequired") => RequiredLevel::System,
                Some("ApplicationRequired") => RequiredLevel::Application,
                Some("Recommended") => RequiredLevel::Recommended,
                _ => RequiredLevel::None,
            },
            is_secured: attribute.is_secured.unwrap_or_default(),
            attribute_of: attribute.attribute_of.filter(|name| !name.is_empty()),
            logical_name: attribute.logical_name,
            kind,
        }
    }
}

/// The type by its newer name, which alone tells choices, files and images from virtual
/// columns, then by the older one.
fn kind(attribute_type: Option<&str>, type_name: Option<&str>) -> AttributeKind {
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
