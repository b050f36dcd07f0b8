//! Columns as they appear in rows.

use crate::dataverse::metadata::{
    Attribute, AttributeKind, Bounds, DateTimeBehavior, OptionSet, RequiredLevel,
};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    /// Text.
    Text,
    /// An integer of 32 bits.
    Integer,
    /// An integer that may exceed 2^53.
    BigInteger,
    /// A decimal number, exact.
    Decimal,
    /// A binary floating-point number.
    FloatingPoint,
    /// True or false.
    Boolean,
    /// `YYYY-MM-DD`.
    Date,
    /// A point in time: RFC 3339 with its offset.
    Timestamp,
    /// A date and a time of day without a time zone; the offset in its text has no meaning.
    LocalTimestamp,
    /// A GUID.
    Identifier,
    /// One of the choices, as its value.
    Choice,
    /// Several of the choices, as their values joined by commas.
    ChoiceList,
    /// The identifier of a row of one of the targets.
    Reference,
    /// The name of another stream.
    StreamName,
    /// A reference to a file, or a small image.
    File,
    /// Anything else.
    Other,
}

impl DataType {
    /// The connector's name for it, as in row schemas and checkpoints.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::BigInteger => "big-integer",
            Self::Decimal => "decimal",
            Self::FloatingPoint => "floating-point",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::LocalTimestamp => "local-timestamp",
            Self::Identifier => "identifier",
            Self::Choice => "choice",
            Self::ChoiceList => "choice-list",
            Self::Reference => "reference",
            Self::StreamName => "stream-name",
            Self::File => "file",
            Self::Other => "other",
        }
    }
}

/// One of a column's possible values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// As in rows.
    pub value: i32,
    /// For people.
    pub label: String,
}

/// Whether new rows must have a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Requirement {
    /// Optional.
    #[default]
    Optional,
    /// Recommended.
    Recommended,
    /// Required by forms; the service accepts rows without a value.
    Required,
    /// Required by the service.
    SystemRequired,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent properties, as the service defines them"
)]
pub struct Column {
    /// As it appears in rows.
    pub name: String,
    /// For people.
    pub title: String,
    /// What it holds.
    pub data_type: DataType,
    /// What the text, number or time means, in the service's own words, such as `Email`.
    pub format: Option<String>,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether new rows must have a value.
    pub requirement: Requirement,
    /// Whether a new row may set it.
    pub creatable: bool,
    /// Whether an update may set it.
    pub updatable: bool,
    /// Whether column security protects it: it is null for accounts that may not read it.
    pub secured: bool,
    /// The longest value, in characters.
    pub max_length: Option<u32>,
    /// Digits after the decimal point.
    pub scale: Option<u8>,
    /// The range of a number.
    pub bounds: Bounds,
    /// The possible values.
    pub choices: Vec<Choice>,
    /// The name of the choices, if columns may share them.
    pub choice_set: Option<String>,
    /// Whether no choice is ever deleted, so that rows have no other values.
    pub is_closed: bool,
    /// The streams that a reference may point to.
    pub targets: Vec<String>,
}

impl Column {
    /// A column that may be null and cannot be written.
    pub(crate) fn new(name: String, title: String, data_type: DataType) -> Self {
        Self {
            name,
            title,
            data_type,
            format: None,
            nullable: true,
            requirement: Requirement::default(),
            creatable: false,
            updatable: false,
            secured: false,
            max_length: None,
            scale: None,
            bounds: Bounds::default(),
            choices: Vec::new(),
            choice_set: None,
            is_closed: false,
            targets: Vec::new(),
        }
    }

    pub(super) fn from_attribute(attribute: Attribute, is_key: bool) -> Self {
        let name = attribute.logical_name;
        let title = attribute.title.unwrap_or_else(|| name.clone());
        let mut column = Self {
            // The service requires values of other columns too, but only in new rows: older and
            // imported ones may have none.
            nullable: !is_key,
            requirement: match attribute.required {
                RequiredLevel::None => Requirement::Optional,
                RequiredLevel::Recommended => Requirement::Recommended,
                RequiredLevel::Application => Requirement::Required,
                RequiredLevel::System => Requirement::SystemRequired,
            },
            creatable: attribute.valid_for_create,
            updatable: attribute.valid_for_update,
            secured: attribute.is_secured,
            ..Self::new(name, title, DataType::Other)
        };
        column.data_type = match attribute.kind {
            AttributeKind::String { max_length, format }
            | AttributeKind::Memo { max_length, format } => {
                column.max_length = max_length;
                column.format = format;
                DataType::Text
            }
            AttributeKind::Integer { format, bounds } => {
                column.format = format;
                column.bounds = bounds;
                DataType::Integer
            }
            AttributeKind::BigInt => DataType::BigInteger,
            AttributeKind::Decimal { precision, bounds }
            | AttributeKind::Money { precision, bounds } => {
                column.scale = precision;
                column.bounds = bounds;
                DataType::Decimal
            }
            AttributeKind::Double { bounds } => {
                column.bounds = bounds;
                DataType::FloatingPoint
            }
            AttributeKind::Boolean { set } => column.set_choices(set, DataType::Boolean),
            AttributeKind::State { set } => {
                // States belong to the platform and are never deleted.
                column.is_closed = true;
                column.set_choices(set, DataType::Choice)
            }
            AttributeKind::Picklist { set } | AttributeKind::Status { set } => {
                column.set_choices(set, DataType::Choice)
            }
            AttributeKind::MultiSelect { set } => column.set_choices(set, DataType::ChoiceList),
            AttributeKind::DateTime { behavior, format } => {
                column.format = format;
                match behavior {
                    DateTimeBehavior::DateOnly => DataType::Date,
                    DateTimeBehavior::UserLocal => DataType::Timestamp,
                    DateTimeBehavior::TimeZoneIndependent => DataType::LocalTimestamp,
                }
            }
            AttributeKind::Lookup { targets } => {
                column.targets = targets;
                DataType::Reference
            }
            AttributeKind::Uniqueidentifier => DataType::Identifier,
            AttributeKind::EntityName => DataType::StreamName,
            AttributeKind::File | AttributeKind::Image => DataType::File,
            AttributeKind::Virtual | AttributeKind::Other(_) => DataType::Other,
        };
        column
    }

    fn set_choices(&mut self, set: OptionSet, data_type: DataType) -> DataType {
        self.choice_set = set.name;
        self.choices = set
            .options
            .into_iter()
            .map(|option| Choice {
                value: option.value,
                label: option.label.unwrap_or_else(|| option.value.to_string()),
            })
            .collect();
        data_type
    }

    /// The name in queries and in the service's rows (reference §4.2, §4.10).
    pub fn wire_name(&self) -> String {
        match self.data_type {
            DataType::Reference => format!("_{}_value", self.name),
            _ => self.name.clone(),
        }
    }

    /// Whether its values have labels for people.
    pub fn has_label(&self) -> bool {
        matches!(
            self.data_type,
            DataType::Choice | DataType::ChoiceList | DataType::Boolean | DataType::Reference
        )
    }

    /// The columns that labels add: `primarycontactidname`, and for a reference also the table
    /// that it points to, `primarycontactidtype`.
    pub fn label_names(&self) -> Vec<String> {
        match self.data_type {
            DataType::Reference => vec![format!("{}name", self.name), format!("{}type", self.name)],
            _ if self.has_label() => vec![format!("{}name", self.name)],
            _ => Vec::new(),
        }
    }
}
