//! How the values of a column are kept in SQLite.

use super::COLLATE;
use crate::schema::{Column, ColumnKind, DateTimeBehavior};

/// Digits after the point of every amount of money (reference §4.10).
pub(crate) const MONEY_SCALE: u8 = 4;

/// Most digits after the point that a decimal column keeps.
const MAX_DECIMAL_SCALE: u8 = 12;

/// How a column's values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// Lower-case GUID text.
    Guid,
    /// Text under the organization's collation.
    Text,
    /// A whole number.
    Integer,
    /// 0 or 1.
    Boolean,
    /// A whole number of units of `10^-scale`.
    Scaled(u8),
    /// A binary floating-point number.
    Real,
    /// Seconds since 1970.
    Instant,
    /// Midnight of the day in seconds since 1970.
    Date,
    /// GUID text of a row in the only table it can be of.
    Reference,
    /// GUID text of a row whose table the companion column names.
    TypedReference,
}

impl Stored {
    /// How a column of this kind is kept; `None` for kinds that hold no value of their own.
    pub(crate) fn of(column: &Column) -> Option<Self> {
        if column.attribute_of.is_some() && !column.is_file_part() {
            return None;
        }
        Some(match &column.kind {
            ColumnKind::Uniqueidentifier | ColumnKind::File { .. } => Self::Guid,
            ColumnKind::String { .. }
            | ColumnKind::Memo { .. }
            | ColumnKind::EntityName
            | ColumnKind::MultiSelectPicklist { .. }
            | ColumnKind::Image { .. } => Self::Text,
            ColumnKind::Integer { .. }
            | ColumnKind::BigInt
            | ColumnKind::Picklist { .. }
            | ColumnKind::State { .. }
            | ColumnKind::Status { .. } => Self::Integer,
            ColumnKind::Boolean { .. } => Self::Boolean,
            ColumnKind::Decimal { precision, .. } => {
                Self::Scaled((*precision).min(MAX_DECIMAL_SCALE))
            }
            ColumnKind::Money { .. } => Self::Scaled(MONEY_SCALE),
            ColumnKind::Double { .. } => Self::Real,
            ColumnKind::DateTime {
                behavior: DateTimeBehavior::DateOnly,
                ..
            } => Self::Date,
            ColumnKind::DateTime { .. } => Self::Instant,
            ColumnKind::Lookup { .. } | ColumnKind::Customer { .. } | ColumnKind::Owner => {
                if column.targets().len() == 1 {
                    Self::Reference
                } else {
                    Self::TypedReference
                }
            }
            ColumnKind::PartyList
            | ColumnKind::Virtual
            | ColumnKind::ManagedProperty
            | ColumnKind::CalendarRules => return None,
        })
    }

    pub(super) fn sql_type(self) -> String {
        match self {
            Self::Text => format!("TEXT{COLLATE}"),
            Self::Guid | Self::Reference | Self::TypedReference => "TEXT".to_owned(),
            Self::Real => "REAL".to_owned(),
            Self::Integer | Self::Boolean | Self::Scaled(_) | Self::Instant | Self::Date => {
                "INTEGER".to_owned()
            }
        }
    }
}
