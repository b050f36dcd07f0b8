//! What kind of values a column holds.

use serde::{Deserialize, Serialize};

use crate::schema::Label;

/// The largest decimal number that columns hold, on both sides of zero.
pub const MAX_DECIMAL: i64 = 100_000_000_000;
/// The largest amount that columns hold, on both sides of zero.
pub const MAX_MONEY: i64 = 922_337_203_685_477;
/// The largest file that a file column takes unless it says otherwise, in KiB.
pub const MAX_FILE_KIB: u32 = 32_768;
/// The largest image that an image column takes unless it says otherwise, in KiB.
pub const MAX_IMAGE_KIB: u32 = 10_240;

/// The type of a column, with the facts that only this type has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColumnKind {
    /// A GUID: the primary key, or a bare reference such as `stageid`.
    Uniqueidentifier,
    /// A single line of text.
    String {
        /// Longest value, in UTF-16 code units.
        max_length: u32,
        /// How clients should present the text.
        format: StringFormat,
    },
    /// Several lines of text.
    Memo {
        /// Longest value, in UTF-16 code units.
        max_length: u32,
    },
    /// A 32-bit whole number.
    Integer {
        /// Smallest accepted value.
        min: i32,
        /// Largest accepted value.
        max: i32,
    },
    /// A 64-bit whole number; on the wire a JSON number that may exceed 2^53.
    BigInt,
    /// An exact decimal.
    Decimal {
        /// Digits after the point.
        precision: u8,
        /// The accepted values.
        range: Range,
    },
    /// A binary floating-point number.
    Double {
        /// Digits after the point.
        precision: u8,
        /// The accepted values.
        range: Range,
    },
    /// An exact amount in the row's currency.
    Money {
        /// Digits after the point.
        precision: u8,
        /// The accepted values.
        range: Range,
        /// Where the digits shown come from (`PrecisionSource`): 0 the column, 1 the
        /// organization, 2 the currency.
        precision_source: u8,
    },
    /// Yes or no.
    Boolean {
        /// Label of `true`.
        true_label: Label,
        /// Label of `false`.
        false_label: Label,
        /// Value of a row created without one.
        default: bool,
    },
    /// One of a list of numbered choices.
    Picklist {
        /// The choices.
        options: Vec<Choice>,
        /// The name of the shared choices these are.
        global: Option<String>,
        /// Value of a row made in a form without one.
        default: Option<i32>,
    },
    /// `statecode`: whether the row is open, closed, active, and so on.
    State {
        /// The states.
        options: Vec<Choice>,
    },
    /// `statuscode`: the reason for the state.
    Status {
        /// The reasons, each with the state it belongs to.
        options: Vec<Choice>,
    },
    /// Any number of a list of choices, on the wire a string such as `"1,9"`.
    MultiSelectPicklist {
        /// The choices.
        options: Vec<Choice>,
        /// The name of the shared choices these are.
        global: Option<String>,
    },
    /// A point in time or a calendar date.
    DateTime {
        /// How the value relates to time zones.
        behavior: DateTimeBehavior,
        /// What clients should show of it.
        format: DateTimeFormat,
    },
    /// A reference to a row of one of the named tables.
    Lookup {
        /// Logical names of the tables.
        targets: Vec<String>,
    },
    /// A reference to an account or a contact.
    Customer {
        /// Logical names of the tables.
        targets: Vec<String>,
    },
    /// The owner of the row: a user or a team.
    Owner,
    /// The parties of an activity, reachable only through `{activity}_activity_parties`.
    PartyList,
    /// The logical name of a table.
    EntityName,
    /// A file, read and written through its own address.
    File {
        /// Largest file, in KiB.
        max_kib: u32,
    },
    /// An image: a thumbnail in the row, the full size through its own address.
    Image {
        /// Largest image, in KiB.
        max_kib: u32,
        /// Whether the full size is kept too.
        full: bool,
        /// Whether it is the image of its table.
        primary: bool,
    },
    /// A value computed for display; in metadata only.
    Virtual,
    /// A managed property of a solution component.
    ManagedProperty,
    /// The rules of a calendar.
    CalendarRules,
}

/// The numbers a column accepts, as they are written in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The smallest.
    pub min: serde_json::Number,
    /// The largest.
    pub max: serde_json::Number,
}

impl Range {
    /// From `-max` to `max`.
    pub fn around_zero(max: i64) -> Self {
        Self {
            min: (-max).into(),
            max: max.into(),
        }
    }
}

/// One choice of a picklist, state or status column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The number stored in the row.
    pub value: i32,
    /// The label shown to people.
    pub label: Label,
    /// For a status, the `statecode` it belongs to.
    pub state: Option<i32>,
}

/// How clients should present a single line of text (`StringFormatName`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum StringFormat {
    /// Plain text.
    #[default]
    Text,
    /// Text edited in several lines.
    TextArea,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A web address.
    Url,
    /// A stock exchange symbol.
    TickerSymbol,
    /// The reading of a name in Japanese.
    PhoneticGuide,
    /// A version number of the platform.
    VersionNumber,
}

/// How a date-time relates to time zones (`DateTimeBehavior`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DateTimeBehavior {
    /// A point in time, shown in the reader's time zone.
    #[default]
    UserLocal,
    /// A calendar date, `Edm.Date` on the wire.
    DateOnly,
    /// A date and time of day without a zone; on the wire still marked `Z`.
    TimeZoneIndependent,
}

/// What clients should show of a date-time (`DateTimeFormat`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DateTimeFormat {
    /// The date alone.
    DateOnly,
    /// Date and time of day.
    #[default]
    DateAndTime,
}
