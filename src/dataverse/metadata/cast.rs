//! Derived types of columns.

use dataverse_metadata::{AttributeKind, TableDefinition};

/// The choices of one column.
const OPTIONS: &str = "OptionSet($select=Options)";
/// Choices that columns may share.
const SHARED: &str = "OptionSet($select=Name,IsGlobal,Options),\
                      GlobalOptionSet($select=Name,IsGlobal,Options)";
/// The labels of true and false.
const BOTH: &str = "OptionSet($select=TrueOption,FalseOption)";

/// A derived type of columns. Its properties can only be requested by a cast (reference §5.3).
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

    /// The derived type of columns of this kind, if its properties are used.
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
            AttributeKind::BigInt
            | AttributeKind::Uniqueidentifier
            | AttributeKind::EntityName
            | AttributeKind::File
            | AttributeKind::Image
            | AttributeKind::Virtual
            | AttributeKind::Other(_) => return None,
        })
    }

    /// Whether the table has columns of this type that can be selected.
    pub(super) fn is_needed(self, table: &TableDefinition) -> bool {
        table
            .attributes
            .iter()
            .any(|attribute| attribute.is_selectable() && Self::of(&attribute.kind) == Some(self))
    }

    /// The resource with the properties that only this type has.
    pub(super) fn path(self, table: &str) -> String {
        let (select, expand) = self.properties();
        let path = self.resource(table);
        match expand {
            "" => format!("{path}?$select={select}"),
            expand => format!("{path}?$select={select}&$expand={expand}"),
        }
    }

    /// Like [`path`](Self::path), but with all properties, for versions of the service that do not
    /// have some of those in [`path`](Self::path).
    pub(super) fn fallback_path(self, table: &str) -> String {
        let path = self.resource(table);
        match self.properties().1 {
            "" => path,
            SHARED => format!("{path}?$expand=OptionSet,GlobalOptionSet"),
            _ => format!("{path}?$expand=OptionSet"),
        }
    }

    fn resource(self, table: &str) -> String {
        format!(
            "EntityDefinitions(LogicalName='{table}')/Attributes/\
             Microsoft.Dynamics.CRM.{}AttributeMetadata",
            self.name()
        )
    }

    fn name(self) -> &'static str {
        match self {
            Self::Lookup => "Lookup",
            Self::Picklist => "Picklist",
            Self::State => "State",
            Self::Status => "Status",
            Self::MultiSelect => "MultiSelectPicklist",
            Self::Boolean => "Boolean",
            Self::String => "String",
            Self::Memo => "Memo",
            Self::Integer => "Integer",
            Self::Decimal => "Decimal",
            Self::Money => "Money",
            Self::Double => "Double",
            Self::DateTime => "DateTime",
        }
    }

    /// The properties to select and to expand.
    fn properties(self) -> (&'static str, &'static str) {
        match self {
            Self::Lookup => ("LogicalName,Targets", ""),
            Self::Picklist | Self::MultiSelect => ("LogicalName", SHARED),
            Self::State | Self::Status => ("LogicalName", OPTIONS),
            Self::Boolean => ("LogicalName", BOTH),
            Self::String | Self::Memo => ("LogicalName,MaxLength,FormatName", ""),
            Self::Integer => ("LogicalName,Format,MinValue,MaxValue", ""),
            Self::Decimal | Self::Money => ("LogicalName,Precision,MinValue,MaxValue", ""),
            Self::Double => ("LogicalName,MinValue,MaxValue", ""),
            Self::DateTime => ("LogicalName,Format,DateTimeBehavior", ""),
        }
    }
}
