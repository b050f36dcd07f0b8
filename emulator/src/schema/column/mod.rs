//! Columns: what a table's rows hold.

pub(super) mod kind;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::kind::{Choice, ColumnKind};
use super::{Label, metadata_id};

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
    /// Whether a value is required.
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
    /// A standard column with only a name and a type.
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

/// Whether a value is required (`AttributeRequiredLevel`).
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
