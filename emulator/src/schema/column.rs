//! Columns: what a table's rows hold.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::metadata_id;

/// The largest decimal number that columns hold, on both sides of zero.
pub const MAX_DECIMAL: i64 = 100_000_000_000;
/// The largest amount that columns hold, on both sides of zero.
pub const MAX_MONEY: i64 = 922_337_203_685_477;
/// The largest file that a file column takes unless it says otherwise, in KiB.
pub const MAX_FILE_KIB: u32 = 32_768;
/// The largest image that an image column takes unless it says otherwise, in KiB.
pub const MAX_IMAGE_KIB: u32 = 10_240;

/// One column of a table (`AttributeMetadata` on the wire, reference §5.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each flag is a property of its own in the column's metadata"
)]
pub struct Column {
    /// The lower-case name used in queries and rows.
    pub logical_name: String,
    /// The name as its author cased it.
    pub schema_name: String,
    /// The type, with everything that belongs to that type only.
    pub kind: ColumnKind,
    /// The label shown to people.
    pub display_name: Option<Label>,
    /// What the column is for, in its author's words.
    pub description: Option<Label>,
    /// Whether a row may lack a value.
    pub required: RequiredLevel,
    /// Whether a query may select it (`IsValidForRead`).
    pub readable: bool,
    /// Whether a create may set it (`IsValidForCreate`).
    pub creatable: bool,
    /// Whether an update may set it (`IsValidForUpdate`).
    pub updatable: bool,
    /// The column this one only describes, such as `ownerid` for `owneridname`.
    ///
    /// Such columns appear in the metadata and cannot be selected (reference §4.10).
    pub attribute_of: Option<String>,
    /// Where the value comes from.
    pub source: SourceType,
    /// The position of the column in its table, from 1.
    pub column_number: i32,
    /// Whether the column was added by a customization.
    pub is_custom: bool,
    /// Whether column security guards it (`IsSecured`).
    pub secured: bool,
    /// Whether its changes are written to the audit log, where those of the table are.
    pub audited: bool,
    /// Stable identifier of the column's definition.
    pub metadata_id: Uuid,
}

impl Column {
    /// A standard column with nothing but name and type.
    pub(crate) fn plain(table: &str, schema_name: &str, kind: ColumnKind) -> Self {
        let logical_name = schema_name.to_lowercase();
        Self {
            metadata_id: metadata_id(&["column", table, &logical_name]),
            logical_name,
            schema_name: schema_name.to_owned(),
            kind,
            display_name: None,
            description: None,
            required: RequiredLevel::None,
            readable: true,
            creatable: true,
            updatable: true,
            attribute_of: None,
            source: SourceType::Simple,
            column_number: 0,
            is_custom: false,
            secured: false,
            audited: true,
        }
    }

    /// Whether `$select`, `$filter` and `$orderby` may name the column (`IsValidODataAttribute`).
    pub fn is_selectable(&self) -> bool {
        self.readable
            && (self.attribute_of.is_none() || self.is_file_part())
            && !matches!(
                self.kind,
                ColumnKind::Virtual
                    | ColumnKind::PartyList
                    | ColumnKind::ManagedProperty
                    | ColumnKind::CalendarRules
            )
    }

    /// Whether the column is the thumbnail, the address or the time of an image, or the name of a
    /// file (reference §4.10): unlike other columns that describe one, these can be selected.
    pub fn is_file_part(&self) -> bool {
        let Some(of) = self.attribute_of.as_deref() else {
            return false;
        };
        let name = self.logical_name.as_str();
        let of_image = of
            .strip_suffix("id")
            .and_then(|image| name.strip_prefix(image))
            .is_some_and(|part| matches!(part, "" | "_timestamp" | "_url"));
        of_image || name.strip_prefix(of) == Some("_name")
    }

    /// Whether column security can guard it for reading and updating
    /// (`CanBeSecuredForRead`): not what the platform needs, nor what only describes.
    pub fn can_be_secured(&self) -> bool {
        self.attribute_of.is_none()
            && self.required != RequiredLevel::SystemRequired
            && !matches!(
                self.kind,
                ColumnKind::Uniqueidentifier
                    | ColumnKind::Owner
                    | ColumnKind::State { .. }
                    | ColumnKind::EntityName
                    | ColumnKind::PartyList
                    | ColumnKind::Virtual
                    | ColumnKind::ManagedProperty
                    | ColumnKind::CalendarRules
            )
    }

    /// Whether the column refers to a row of another table and travels as `_{name}_value`.
    pub fn is_lookup(&self) -> bool {
        matches!(
            self.kind,
            ColumnKind::Lookup { .. } | ColumnKind::Customer { .. } | ColumnKind::Owner
        )
    }

    /// Logical names of the tables the column can refer to; empty if it is no lookup.
    pub fn targets(&self) -> Vec<&str> {
        match &self.kind {
            ColumnKind::Lookup { targets } | ColumnKind::Customer { targets } => {
                targets.iter().map(String::as_str).collect()
            }
            ColumnKind::Owner => vec!["systemuser", "team"],
            _ => Vec::new(),
        }
    }

    /// The choices of a picklist, state, status or multi-select column; empty for other kinds.
    pub fn choices(&self) -> &[Choice] {
        match &self.kind {
            ColumnKind::Picklist { options, .. }
            | ColumnKind::MultiSelectPicklist { options, .. }
            | ColumnKind::State { options }
            | ColumnKind::Status { options } => options,
            _ => &[],
        }
    }
}

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

/// A text shown to people, in US English and other languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The text in US English, the organization's language.
    pub text: String,
    /// The text in other languages, by language code such as 1031.
    pub translations: Vec<(i32, String)>,
}

impl Label {
    /// The text in this language, or in the organization's if there is none.
    pub fn in_language(&self, language: i32) -> &str {
        self.translations
            .iter()
            .find(|(code, _)| *code == language)
            .map_or(&self.text, |(_, text)| text)
    }
}

impl<T: Into<String>> From<T> for Label {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            translations: Vec::new(),
        }
    }
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

/// Whether a row may lack a value (`AttributeRequiredLevel`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RequiredLevel {
    /// No requirement.
    #[default]
    None,
    /// The platform needs the value.
    SystemRequired,
    /// Applications should ask for it; the Web API does not enforce it.
    ApplicationRequired,
    /// Applications should suggest it.
    Recommended,
}

/// Where a column's value comes from (`SourceType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SourceType {
    /// Written by clients or the platform.
    #[default]
    Simple,
    /// Computed from other columns when read.
    Calculated,
    /// Summed up over related rows from time to time.
    Rollup,
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
