//! Tables and columns as the service defines them (reference §5.2, §5.3).

use super::relationship::Relationship;

/// A table without its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSummary {
    /// The name in conditions of queries and in metadata, such as `account`.
    pub logical_name: String,
    /// The name in addresses, such as `accounts`. A table without one cannot be read.
    pub entity_set_name: Option<String>,
    /// The column with the primary key.
    pub primary_id: Option<String>,
    /// The column that names a row for people.
    pub primary_name: Option<String>,
    /// The title in the user's language.
    pub title: Option<String>,
    /// Whether the platform rejects queries for the table.
    pub is_private: bool,
    /// Whether the service tracks its changes. In a list of tables `can_be_on` is unknown, and
    /// false.
    pub change_tracking: Switch,
    /// Whether it has a column that grows with every change: `modifiedon` or `versionnumber`.
    pub has_watermark: bool,
}

/// A table with its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDefinition {
    /// The table itself.
    pub summary: TableSummary,
    /// Its columns. Those that the Web API cannot read may be missing.
    pub attributes: Vec<Attribute>,
    /// Its alternate keys.
    pub keys: Vec<TableKey>,
    /// Its relationships; empty if they were not requested.
    pub relationships: Vec<Relationship>,
}

/// A feature that can be switched on for a table, such as change tracking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Whether it is on.
    pub is_on: bool,
    /// Whether it can be switched on.
    pub can_be_on: bool,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent properties, as the service defines them"
)]
pub struct Attribute {
    /// The name in metadata; in rows of the service a lookup is called `_name_value`.
    pub logical_name: String,
    /// The title in the user's language.
    pub title: Option<String>,
    /// The position in the table, as the service counts; zero if it is missing.
    pub column_number: i32,
    /// Whether the Web API can read it.
    pub valid_for_read: bool,
    /// Whether a new row may set it.
    pub valid_for_create: bool,
    /// Whether an update may set it.
    pub valid_for_update: bool,
    /// Whether a new row must set it.
    pub required: RequiredLevel,
    /// Whether column security protects it.
    pub is_secured: bool,
    /// The column that this one describes, such as the lookup whose name it holds.
    pub attribute_of: Option<String>,
    /// Its type.
    pub kind: AttributeKind,
}

/// Whether new rows must have a value (reference §5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequiredLevel {
    /// Optional.
    #[default]
    None,
    /// Recommended.
    Recommended,
    /// Required by forms; the service accepts rows without a value.
    Application,
    /// Required by the service.
    System,
}

/// The range of a number, each bound as the service writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The smallest value.
    pub minimum: Option<String>,
    /// The largest value.
    pub maximum: Option<String>,
}

/// The choices of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionSet {
    /// Their name, if other columns may share them.
    pub name: Option<String>,
    /// The choices.
    pub options: Vec<OptionItem>,
}

/// The type of a column, with the properties of that type. Formats are the service's own words,
/// such as `Email` or `Duration`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeKind {
    /// One line of text.
    String {
        /// The longest value, in characters.
        max_length: Option<u32>,
        /// What the value means.
        format: Option<String>,
    },
    /// Several lines of text.
    Memo {
        /// The longest value, in characters.
        max_length: Option<u32>,
        /// What the value means.
        format: Option<String>,
    },
    /// An integer of 32 bits.
    Integer {
        /// What the value means.
        format: Option<String>,
        /// The range.
        bounds: Bounds,
    },
    /// An integer of 64 bits.
    BigInt,
    /// An exact decimal.
    Decimal {
        /// Digits after the point.
        precision: Option<u8>,
        /// The range.
        bounds: Bounds,
    },
    /// An amount of money, exact.
    Money {
        /// Digits after the point.
        precision: Option<u8>,
        /// The range.
        bounds: Bounds,
    },
    /// A binary floating-point number.
    Double {
        /// The range.
        bounds: Bounds,
    },
    /// True or false.
    Boolean {
        /// The labels of false (0) and true (1).
        set: OptionSet,
    },
    /// One of several choices.
    Picklist {
        /// The choices.
        set: OptionSet,
    },
    /// The state of a row.
    State {
        /// The states.
        set: OptionSet,
    },
    /// The reason for a row's state.
    Status {
        /// The reasons.
        set: OptionSet,
    },
    /// Any number of several choices.
    MultiSelect {
        /// The choices.
        set: OptionSet,
    },
    /// A date, perhaps with a time.
    DateTime {
        /// How it relates to time zones.
        behavior: DateTimeBehavior,
        /// Which part of it is shown.
        format: Option<String>,
    },
    /// A reference to a row, an owner and a customer included.
    Lookup {
        /// Logical names of the tables it may point to.
        targets: Vec<String>,
    },
    /// A GUID.
    Uniqueidentifier,
    /// The logical name of a table.
    EntityName,
    /// A file.
    File,
    /// An image.
    Image,
    /// A column that is not in rows, such as the label of a choice.
    Virtual,
    /// A type that this connector does not know, by its name.
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
    /// A date and a time of day without a time zone. The service marks it as UTC all the same.
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
    /// Whether its index is complete, so that rows can be found by it.
    pub is_active: bool,
}

impl Attribute {
    /// Whether a query can select it (reference §4.10, §5.3). Columns that only describe other
    /// columns and those that are not in the Web API cannot be selected.
    pub fn is_selectable(&self) -> bool {
        self.valid_for_read && self.attribute_of.is_none() && self.kind != AttributeKind::Virtual
    }
}
