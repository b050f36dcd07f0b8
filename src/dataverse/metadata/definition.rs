//! Tables and columns as the service defines them.

use super::wire;
use crate::ordered;

/// A table in few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSummary {
    /// The name in queries' conditions and metadata, such as `account`.
    pub logical_name: String,
    /// The name in addresses, such as `accounts`. Without one the table cannot be read.
    pub entity_set_name: Option<String>,
    /// The column that holds the key of a row.
    pub primary_id: Option<String>,
    /// The column that names a row for people.
    pub primary_name: Option<String>,
    /// The title in the user's language.
    pub title: Option<String>,
    /// Whether the platform keeps the table to itself.
    pub is_private: bool,
    /// Whether the service keeps track of its changes.
    pub change_tracking_enabled: bool,
    /// Whether it has a column that grows with every change: `modifiedon` or `versionnumber`.
    pub shows_changes: bool,
}

/// A table with its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDefinition {
    /// The table itself.
    pub summary: TableSummary,
    /// All its columns, also those that cannot be read.
    pub attributes: Vec<Attribute>,
    /// Its alternate keys.
    pub keys: Vec<TableKey>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name in metadata; in rows a lookup is called `_name_value`.
    pub logical_name: String,
    /// The title in the user's language.
    pub title: Option<String>,
    /// The position in the table, as the service counts. Zero if it does not tell.
    pub column_number: i32,
    /// Whether it can be read, and through the Web API.
    pub valid_for_read: bool,
    /// Whether a new row may set it.
    pub valid_for_create: bool,
    /// Whether a change may set it.
    pub valid_for_update: bool,
    /// The column whose label or address part this one is.
    pub attribute_of: Option<String>,
    /// Its type.
    pub kind: AttributeKind,
}

/// The type of a column with what only this type has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeKind {
    /// One line of text; its length in characters.
    String {
        /// The most characters.
        max_length: Option<u32>,
    },
    /// Several lines of text.
    Memo {
        /// The most characters.
        max_length: Option<u32>,
    },
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    BigInt,
    /// An exact decimal.
    Decimal {
        /// Digits after the point.
        precision: Option<u8>,
    },
    /// An amount of money, exact.
    Money {
        /// Digits after the point.
        precision: Option<u8>,
    },
    /// A binary floating-point number.
    Double,
    /// True or false.
    Boolean {
        /// Labels of false and true, as 0 and 1.
        options: Vec<OptionItem>,
    },
    /// One of several choices.
    Picklist {
        /// The choices.
        options: Vec<OptionItem>,
    },
    /// The state of a row.
    State {
        /// The states.
        options: Vec<OptionItem>,
    },
    /// The reason for a row's state.
    Status {
        /// The reasons.
        options: Vec<OptionItem>,
    },
    /// Any number of several choices.
    MultiSelect {
        /// The choices.
        options: Vec<OptionItem>,
    },
    /// A date, perhaps with a time.
    DateTime {
        /// How it relates to time zones.
        behavior: DateTimeBehavior,
    },
    /// A reference to a row, an owner and a customer included.
    Lookup {
        /// Logical names of the tables it may point to.
        targets: Vec<String>,
    },
    /// A key.
    Uniqueidentifier,
    /// The logical name of a table.
    EntityName,
    /// A file.
    File,
    /// A picture.
    Image,
    /// A column that only decorates another one and is not in rows.
    Virtual,
    /// A type that this connector does not know; its name.
    Other(String),
}

/// How a date relates to time zones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateTimeBehavior {
    /// A point in time.
    #[default]
    UserLocal,
    /// A date without a time.
    DateOnly,
    /// Date and time as they were entered, wherever.
    TimeZoneIndependent,
}

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionItem {
    /// The value in rows.
    pub value: i32,
    /// The label in the user's language.
    pub label: Option<String>,
}

/// A set of columns whose values are unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableKey {
    /// Its name.
    pub name: String,
    /// Logical names of its columns.
    pub attributes: Vec<String>,
    /// Whether its index is complete.
    pub is_active: bool,
}

impl Attribute {
    /// Whether a query may ask for it and rows hold it (reference §4.10, §5.3). Parts of
    /// other columns and those that the Web API does not know cannot be asked for.
    pub fn is_selectable(&self) -> bool {
        self.valid_for_read && self.attribute_of.is_none() && self.kind != AttributeKind::Virtual
    }
}

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
        match &mut attribute.kind {
            AttributeKind::Lookup { targets } => *targets = detail.targets.unwrap_or_default(),
            AttributeKind::Picklist { options }
            | AttributeKind::State { options }
            | AttributeKind::Status { options }
            | AttributeKind::MultiSelect { options } => {
                // Choices are the column's own, or shared with other columns.
                *options = [detail.option_set, detail.global_option_set]
                    .into_iter()
                    .flatten()
                    .map(choices)
                    .find(|choices| !choices.is_empty())
                    .unwrap_or_default();
            }
            AttributeKind::Boolean { options } => {
                *options = detail.option_set.map(two_choices).unwrap_or_default();
            }
            AttributeKind::String { max_length } | AttributeKind::Memo { max_length } => {
                *max_length = detail
                    .max_length
                    .and_then(|length| u32::try_from(length).ok());
            }
            AttributeKind::Decimal { precision } | AttributeKind::Money { precision } => {
                *precision = detail
                    .precision
                    .and_then(|digits| u8::try_from(digits).ok());
            }
            AttributeKind::DateTime { behavior } => {
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

fn choices(set: wire::OptionSet) -> Vec<OptionItem> {
    set.options.into_iter().filter_map(choice).collect()
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
        label: option.label.and_then(wire::Label::into_text),
    })
}

impl From<wire::Table<wire::ShowsChanges>> for TableSummary {
    fn from(table: wire::Table<wire::ShowsChanges>) -> Self {
        Self {
            logical_name: table.logical_name,
            entity_set_name: table.entity_set_name.filter(|name| !name.is_empty()),
            primary_id: table.primary_id_attribute.filter(|name| !name.is_empty()),
            primary_name: table.primary_name_attribute.filter(|name| !name.is_empty()),
            title: table.display_name.and_then(wire::Label::into_text),
            is_private: table.is_private.unwrap_or_default(),
            change_tracking_enabled: table.change_tracking_enabled.unwrap_or_default(),
            shows_changes: table.attributes.0,
        }
    }
}

impl From<wire::Table<Vec<wire::Column>>> for TableDefinition {
    fn from(table: wire::Table<Vec<wire::Column>>) -> Self {
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
            attributes: wire::ShowsChanges(shows_changes),
            keys: Vec::new(),
        };
        Self {
            summary: summary.into(),
            attributes,
            keys,
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
            title: attribute.display_name.and_then(wire::Label::into_text),
            column_number: attribute.number.unwrap_or_default(),
            valid_for_read: attribute.is_valid_for_read.unwrap_or(true)
                && attribute.is_valid_for_odata.unwrap_or(true),
            valid_for_create: attribute.is_valid_for_create.unwrap_or_default(),
            valid_for_update: attribute.is_valid_for_update.unwrap_or_default(),
            attribute_of: attribute.attribute_of.filter(|name| !name.is_empty()),
            logical_name: attribute.logical_name,
            kind,
        }
    }
}

/// The type by its newer name, which alone tells choices, files and images from virtual
/// columns, then by the older one.
fn kind(attribute_type: Option<&str>, type_name: Option<&str>) -> AttributeKind {
    match type_name {
        Some("MultiSelectPicklistType") => {
            return AttributeKind::MultiSelect {
                options: Vec::new(),
            };
        }
        Some("FileType") => return AttributeKind::File,
        Some("ImageType") => return AttributeKind::Image,
        _ => {}
    }
    match attribute_type {
        Some("String") => AttributeKind::String { max_length: None },
        Some("Memo") => AttributeKind::Memo { max_length: None },
        Some("Integer") => AttributeKind::Integer,
        Some("BigInt") => AttributeKind::BigInt,
        Some("Decimal") => AttributeKind::Decimal { precision: None },
        Some("Money") => AttributeKind::Money { precision: None },
        Some("Double") => AttributeKind::Double,
        Some("Boolean") => AttributeKind::Boolean {
            options: Vec::new(),
        },
        Some("Picklist") => AttributeKind::Picklist {
            options: Vec::new(),
        },
        Some("State") => AttributeKind::State {
            options: Vec::new(),
        },
        Some("Status") => AttributeKind::Status {
            options: Vec::new(),
        },
        Some("DateTime") => AttributeKind::DateTime {
            behavior: DateTimeBehavior::default(),
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
