//! Tables and columns as the service defines them.

use super::guards::Switch;
use super::relationship::Relationship;

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
    /// Whether the service keeps track of its changes. Whether it could is not always asked.
    pub change_tracking: Switch,
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
    /// How its rows relate to others; empty if that was not asked.
    pub relationships: Vec<Relationship>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, as the service tells it"
)]
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
    /// Whether a new row must set it.
    pub required: RequiredLevel,
    /// Whether column security guards it.
    pub is_secured: bool,
    /// The column whose label or address part this one is.
    pub attribute_of: Option<String>,
    /// Its type.
    pub kind: AttributeKind,
}

/// Whether new rows must hold a value (reference §5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequiredLevel {
    /// They need not.
    #[default]
    None,
    /// They should.
    Recommended,
    /// Forms insist; the service does not.
    Application,
    /// The service insists.
    System,
}

/// The least and the greatest number, as the service writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub minimum: Option<String>,
    /// The greatest.
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

/// The type of a column with what only this type has. What a format says is in the service's
/// own words, such as `Email` or `Duration`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeKind {
    /// One line of text.
    String {
        /// The most characters.
        max_length: Option<u32>,
        /// What it means.
        format: Option<String>,
    },
    /// Several lines of text.
    Memo {
        /// The most characters.
        max_length: Option<u32>,
        /// What it means.
        format: Option<String>,
    },
    /// A whole number of 32 bits.
    Integer {
        /// What it means.
        format: Option<String>,
        /// Its bounds.
        bounds: Bounds,
    },
    /// A whole number of 64 bits.
    BigInt,
    /// An exact decimal.
    Decimal {
        /// Digits after the point.
        precision: Option<u8>,
        /// Its bounds.
        bounds: Bounds,
    },
    /// An amount of money, exact.
    Money {
        /// Digits after the point.
        precision: Option<u8>,
        /// Its bounds.
        bounds: Bounds,
    },
    /// A binary floating-point number.
    Double {
        /// Its bounds.
        bounds: Bounds,
    },
    /// True or false.
    Boolean {
        /// Labels of false and true, as 0 and 1.
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
        /// What of it is shown.
        format: Option<String>,
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
