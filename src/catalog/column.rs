//! Columns as they appear in rows.

use crate::dataverse::metadata::{Attribute, AttributeKind, DateTimeBehavior, OptionItem};

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
    /// RFC 3339 with its offset.
    Timestamp,
    /// A key.
    Identifier,
    /// One of the choices, as its value.
    Choice,
    /// Several of the choices, as their values joined by commas.
    ChoiceList,
    /// The key of a row of one of the targets.
    Reference,
    /// The name of another stream.
    StreamName,
    /// A reference to a file, or a small picture.
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

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As it appears in rows.
    pub name: String,
    /// For people.
    pub title: String,
    /// What it holds.
    pub data_type: DataType,
    /// Whether rows may hold null here.
    pub nullable: bool,
    /// Whether a new row may set it.
    pub creatable: bool,
    /// Whether a change may set it.
    pub updatable: bool,
    /// The longest value, in characters.
    pub max_length: Option<u32>,
    /// Digits after the decimal point.
    pub scale: Option<u8>,
    /// The possible values.
    pub choices: Vec<Choice>,
    /// The streams that a reference may point to.
    pub targets: Vec<String>,
}

impl Column {
    pub(super) fn from_attribute(attribute: Attribute, is_key: bool) -> Self {
        let mut column = Self {
            title: attribute
                .title
                .unwrap_or_else(|| attribute.logical_name.clone()),
            name: attribute.logical_name,
            data_type: DataType::Other,
            // The service demands a value in other columns too, but only of new rows: older
            // ones, and those that were imported, lack it.
            nullable: !is_key,
            creatable: attribute.valid_for_create,
            updatable: attribute.valid_for_update,
            max_length: None,
            scale: None,
            choices: Vec::new(),
            targets: Vec::new(),
        };
        column.data_type = match attribute.kind {
            AttributeKind::String { max_length } | AttributeKind::Memo { max_length } => {
                column.max_length = max_length;
                DataType::Text
            }
            AttributeKind::Integer => DataType::Integer,
            AttributeKind::BigInt => DataType::BigInteger,
            AttributeKind::Decimal { precision } | AttributeKind::Money { precision } => {
                column.scale = precision;
                DataType::Decimal
            }
            AttributeKind::Double => DataType::FloatingPoint,
            AttributeKind::Boolean { options } => {
                column.choices = choices(options);
                DataType::Boolean
            }
            AttributeKind::Picklist { options }
            | AttributeKind::State { options }
            | AttributeKind::Status { options } => {
                column.choices = choices(options);
                DataType::Choice
            }
            AttributeKind::MultiSelect { options } => {
                column.choices = choices(options);
                DataType::ChoiceList
            }
            AttributeKind::DateTime {
                behavior: DateTimeBehavior::DateOnly,
            } => DataType::Date,
            AttributeKind::DateTime { .. } => DataType::Timestamp,
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

    /// The name in queries and in the service's answers (reference §4.2, §4.10).
    pub fn wire_name(&self) -> String {
        match self.data_type {
            DataType::Reference => format!("_{}_value", self.name),
            _ => self.name.clone(),
        }
    }

    /// Whether its values have labels for people beside them.
    pub fn has_label(&self) -> bool {
        matches!(
            self.data_type,
            DataType::Choice | DataType::ChoiceList | DataType::Boolean | DataType::Reference
        )
    }

    /// The columns that labels add: `primarycontactidname`, and for a reference also the
    /// table it points to, `primarycontactidtype`.
    pub fn label_names(&self) -> Vec<String> {
        match self.data_type {
            DataType::Reference => vec![format!("{}name", self.name), format!("{}type", self.name)],
            _ if self.has_label() => vec![format!("{}name", self.name)],
            _ => Vec::new(),
        }
    }
}

fn choices(options: Vec<OptionItem>) -> Vec<Choice> {
    options
        .into_iter()
        .map(|option| Choice {
            value: option.value,
            label: option.label.unwrap_or_else(|| option.value.to_string()),
        })
        .collect()
}
