//! Tables and what the platform lets be done with them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Column, Label, Privilege, PrivilegeDepth, PrivilegeType};

/// One table of the organization (`EntityMetadata` on the wire, reference §5.2).
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each flag is a property of its own in the table's metadata"
)]
pub struct Table {
    /// The lower-case name.
    pub logical_name: String,
    /// The name as its author cased it.
    pub schema_name: String,
    /// The name of its rows' collection in addresses; case matters and plurals are irregular.
    pub entity_set_name: String,
    /// The plural logical name.
    pub logical_collection_name: String,
    /// The label of one row.
    pub display_name: Label,
    /// The label of several rows.
    pub display_collection_name: Label,
    /// `ObjectTypeCode`; above 10,000 it differs between organizations.
    pub object_type_code: i32,
    /// Logical name of the primary key column.
    pub primary_id: String,
    /// Logical name of the column that names a row to people.
    pub primary_name: Option<String>,
    /// Who can own a row.
    pub ownership: Ownership,
    /// How rows are stored.
    pub table_type: TableType,
    /// Whether rows are activities, listed in `activitypointers` as well.
    pub is_activity: bool,
    /// Whether this is the table of activity parties.
    pub is_activity_party: bool,
    /// Whether rows only associate rows of two other tables.
    pub is_intersect: bool,
    /// Whether the table was added by a customization.
    pub is_custom: bool,
    /// Whether changes can be read by delta link (reference §6.1).
    pub change_tracking: ChangeTracking,
    /// Whether changes are written to the audit log.
    pub audit_enabled: bool,
    /// Whether `If-Match` is honoured.
    pub optimistic_concurrency: bool,
    /// Whether notes can be attached to rows.
    pub has_notes: bool,
    /// Whether activities can regard rows.
    pub has_activities: bool,
    /// The columns, sorted by logical name.
    pub columns: Vec<Column>,
    /// The alternate keys.
    pub keys: Vec<AlternateKey>,
    /// The privileges that guard the table, in the platform's order. All activities share
    /// theirs; intersect tables have none (reference §11.3).
    pub privileges: Vec<Privilege>,
    /// Names of the privileges that reading needs where the table has none of its own.
    pub read_with: Vec<String>,
    /// Whether the database creates the table when it is first requested: most tables
    /// of a large organization are never touched.
    pub on_demand: bool,
    /// Whether only the platform writes rows.
    pub is_read_only: bool,
    /// Stable identifier of the table's definition.
    pub metadata_id: Uuid,
}

/// Columns that the platform writes on its own, and that change whenever others do.
const UNAUDITED: [&str; 6] = [
    "modifiedon",
    "modifiedby",
    "modifiedonbehalfby",
    "exchangerate",
    "timezoneruleversionnumber",
    "versionnumber",
];

impl Table {
    /// The column of this logical name (case matters).
    pub fn column(&self, logical_name: &str) -> Option<&Column> {
        self.columns
            .binary_search_by(|column| column.logical_name.as_str().cmp(logical_name))
            .ok()
            .and_then(|position| self.columns.get(position))
    }

    /// Whether only the owner and users it is shared with see a row, whatever the
    /// privileges of others (reference §4.14).
    pub fn is_personal(&self) -> bool {
        self.logical_name == "userquery"
    }

    /// Whether changes of the column are written to the audit log.
    pub fn audits(&self, column: &Column) -> bool {
        self.audit_enabled
            && column.audited
            && column.attribute_of.is_none()
            && !UNAUDITED.contains(&column.logical_name.as_str())
    }

    /// The alternate key of this logical name.
    pub fn key(&self, logical_name: &str) -> Option<&AlternateKey> {
        self.keys
            .iter()
            .find(|key| key.logical_name == logical_name)
    }

    /// The alternate keys that can be used.
    pub fn active_keys(&self) -> impl Iterator<Item = &AlternateKey> {
        let active = |key: &&AlternateKey| key.index == KeyIndex::Active;
        self.keys.iter().filter(active)
    }

    /// The usable alternate key over exactly these columns, in any order.
    pub fn key_over(&self, columns: &[&str]) -> Option<&AlternateKey> {
        self.active_keys().find(|key| {
            key.columns.len() == columns.len()
                && key
                    .columns
                    .iter()
                    .all(|column| columns.contains(&column.as_str()))
        })
    }

    /// The privilege that one kind of access needs, if any.
    pub fn privilege(&self, kind: PrivilegeType) -> Option<&Privilege> {
        self.privileges
            .iter()
            .find(|privilege| privilege.kind == kind)
    }
}

/// Who can own a row (`OwnershipTypes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Nobody: the row belongs to the platform or to another row.
    None,
    /// A user or a team.
    UserOwned,
    /// The organization.
    OrganizationOwned,
    /// A business unit.
    BusinessOwned,
}

impl Ownership {
    /// The depths that roles can grant privileges for such rows at.
    pub(super) fn privilege_depth(self) -> PrivilegeDepth {
        match self {
            // Rows without an owner share the privileges of a user-owned table they belong to:
            // parties those of activities, members those of lists.
            Self::UserOwned | Self::None => PrivilegeDepth::UserToOrganization,
            Self::BusinessOwned => PrivilegeDepth::BusinessUnitToOrganization,
            Self::OrganizationOwned => PrivilegeDepth::OrganizationOnly,
        }
    }
}

/// How rows are stored (`TableType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableType {
    /// In the organization's database.
    Standard,
    /// In the organization's database, as activities.
    Activity,
    /// Elsewhere, read through a data provider.
    Virtual,
    /// In a partitioned document store.
    Elastic,
}

/// Whether changes can be read by delta link (reference §6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeTracking {
    /// Switched on.
    Enabled,
    /// Off, and an administrator can switch it on.
    Available,
    /// Not possible for this table.
    Unavailable,
}

/// A set of columns whose values together find one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlternateKey {
    /// The lower-case name.
    pub logical_name: String,
    /// The name as its author cased it.
    pub schema_name: String,
    /// The label shown to people.
    pub display_name: String,
    /// Logical names of the columns.
    pub columns: Vec<String>,
    /// How far the index has got without which the key cannot be used.
    pub index: KeyIndex,
    /// Stable identifier of the key's definition.
    pub metadata_id: Uuid,
}

/// The index of an alternate key, which is built in the background (`EntityKeyIndexStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyIndex {
    /// It will be built at this time, in seconds since 1970.
    Pending {
        /// The time.
        until: i64,
    },
    /// The key can be used, and is unique.
    Active,
    /// There were rows with the same values.
    Failed,
}

impl KeyIndex {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending { .. } => "Pending",
            Self::Active => "Active",
            Self::Failed => "Failed",
        }
    }
}
