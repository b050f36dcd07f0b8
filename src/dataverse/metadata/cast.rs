//! What only columns of one type have.

use super::definition::{AttributeKind, TableDefinition};

/// A derived type of column, asked for what only that type has (reference §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cast {
    Lookup,
    Picklist,
    State,
    Status,
    MultiSelect,
    Boolean,
    String,
    Memo,
    Integer,
    Decimal,
    Money,
    Double,
    DateTime,
}

impl Cast {
    pub(super) const ALL: [Self; 13] = [
        Self::Lookup,
        Self::Picklist,
        Self::State,
        Self::Status,
        Self::MultiSelect,
        Self::Boolean,
        Self::String,
        Self::Memo,
        Self::Integer,
        Self::Decimal,
        Self::Money,
        Self::Double,
        Self::DateTime,
    ];

    /// The cast that tells more of a column of that kind.
    fn of(kind: &AttributeKind) -> Option<Self> {
        Some(match kind {
            AttributeKind::Lookup { .. } => Self::Lookup,
            AttributeKind::Picklist { .. } => Self::Picklist,
            AttributeKind::State { .. } => Self::State,
            AttributeKind::Status { .. } => Self::Status,
            AttributeKind::MultiSelect { .. } => Self::MultiSelect,
            AttributeKind::Boolean { .. } => Self::Boolean,
            AttributeKind::String { .. } => Self::String,
            AttributeKind::Memo { .. } => Self::Memo,
            AttributeKind::Integer { .. } => Self::Integer,
            AttributeKind::Decimal { .. } => Self::Decimal,
            AttributeKind::Money { .. } => Self::Money,
            AttributeKind::Double { .. } => Self::Double,
            AttributeKind::DateTime { .. } => Self::DateTime,
            _ => return None,
        })
    }

    /// Whether the table has columns of this type that can be read.
    pub(super) fn is_needed(self, table: &TableDefinition) -> bool {
        table
            .attributes
            .iter()
            .any(|attribute| attribute.is_selectable() && Self::of(&attribute.kind) == Some(self))
    }

    /// The address of what the type has. Older versions of the service lack some of it: then
    /// everything is asked for that it has.
    pub(super) fn path(self, table: &str, everything: bool) -> String {
        const OPTIONS: &str = "&$expand=OptionSet($select=Options)";
        const SHARED: &str = "&$expand=OptionSet($select=Name,IsGlobal,Options),\
                              GlobalOptionSet($select=Name,IsGlobal,Options)";
        const BOTH: &str = "&$expand=OptionSet($select=TrueOption,FalseOption)";
        const LENGTH: &str = "LogicalName,MaxLength,FormatName";
        const RANGE: &str = "LogicalName,Precision,MinValue,MaxValue";
        let (name, select, expand) = match self {
            Self::Lookup => ("Lookup", "LogicalName,Targets", ""),
            Self::Picklist => ("Picklist", "LogicalName", SHARED),
            Self::State => ("State", "LogicalName", OPTIONS),
            Self::Status => ("Status", "LogicalName", OPTIONS),
            Self::MultiSelect => ("MultiSelectPicklist", "LogicalName", SHARED),
            Self::Boolean => ("Boolean", "LogicalName", BOTH),
            Self::String => ("String", LENGTH, ""),
            Self::Memo => ("Memo", LENGTH, ""),
            Self::Integer => ("Integer", "LogicalName,Format,MinValue,MaxValue", ""),
            Self::Decimal => ("Decimal", RANGE, ""),
            Self::Money => ("Money", RANGE, ""),
            Self::Double => ("Double", RANGE, ""),
            Self::DateTime => ("DateTime", "LogicalName,Format,DateTimeBehavior", ""),
        };
        let path = format!(
            "EntityDefinitions(LogicalName='{table}')/Attributes/\
             Microsoft.Dynamics.CRM.{name}AttributeMetadata"
        );
        match (everything, expand) {
            (false, _) => format!("{path}?$select={select}{expand}"),
            (true, "") => path,
            (true, SHARED) => format!("{path}?$expand=OptionSet,GlobalOptionSet"),
            (true, _) => format!("{path}?$expand=OptionSet"),
        }
    }
}
