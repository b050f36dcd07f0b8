//! Privileges: what security roles grant (reference §11).
//!
//! Most guard one kind of access to the rows of a table and are named after both
//! (`prvReadAccount`); the others allow something as a whole (`prvBulkEdit`) or guard the
//! definitions of tables, columns and relationships.

use uuid::Uuid;

use super::metadata_id;

/// A privilege that a role can grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Privilege {
    /// Stable identifier.
    pub id: Uuid,
    /// Such as `prvReadAccount`.
    pub name: String,
    /// The kind of access.
    pub kind: PrivilegeType,
    /// The depths a role can grant it at.
    pub depth: PrivilegeDepth,
}

impl Privilege {
    fn new(name: String, kind: PrivilegeType, depth: PrivilegeDepth) -> Self {
        Self {
            id: Self::id_of(&name),
            name,
            kind,
            depth,
        }
    }

    /// The identifier of the privilege of this name.
    pub fn id_of(name: &str) -> Uuid {
        metadata_id(&["privilege", name])
    }

    /// Whether the privilege guards definitions of tables, columns and relationships.
    pub fn is_for_definitions(&self) -> bool {
        DEFINITIONS.into_iter().any(|definition| {
            self.name
                .strip_prefix("prv")
                .and_then(|name| name.strip_prefix(self.kind.as_str()))
                == Some(definition)
        })
    }

    /// The privilege to do something with the rows of a table; `suffix` ends its name.
    pub(super) fn on(suffix: &str, kind: PrivilegeType, depth: PrivilegeDepth) -> Self {
        Self::new(format!("prv{}{suffix}", kind.as_str()), kind, depth)
    }
}

/// The kinds of access that privileges guard (`PrivilegeType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivilegeType {
    /// No access to rows: something else, allowed as a whole.
    None,
    /// Create rows.
    Create,
    /// Read rows.
    Read,
    /// Update rows.
    Write,
    /// Delete rows.
    Delete,
    /// Give rows to another owner.
    Assign,
    /// Share rows with another user or team.
    Share,
    /// Attach rows to others.
    Append,
    /// Have others attached to rows.
    AppendTo,
}

impl PrivilegeType {
    /// Every kind of access to rows, in the platform's order.
    pub const ACCESS: [Self; 8] = [
        Self::Create,
        Self::Read,
        Self::Write,
        Self::Delete,
        Self::Assign,
        Self::Share,
        Self::Append,
        Self::AppendTo,
    ];

    /// The name as it stands in the metadata and inside privilege names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Create => "Create",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Delete => "Delete",
            Self::Assign => "Assign",
            Self::Share => "Share",
            Self::Append => "Append",
            Self::AppendTo => "AppendTo",
        }
    }

    /// The bit of `privilege.accessright` and of access masks (reference §11.1).
    pub fn access_right(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Read => 1,
            Self::Write => 2,
            Self::Append => 4,
            Self::AppendTo => 16,
            Self::Create => 32,
            Self::Delete => 65_536,
            Self::Share => 262_144,
            Self::Assign => 524_288,
        }
    }
}

impl PrivilegeType {
    /// The names of the rights in an access mask: `ReadAccess, WriteAccess`; empty for none.
    pub fn names_of(mask: i64) -> String {
        let mut kinds = Self::ACCESS;
        kinds.sort_by_key(|kind| kind.access_right());
        let names: Vec<String> = kinds
            .into_iter()
            .filter(|kind| mask & kind.access_right() != 0)
            .map(|kind| format!("{}Access", kind.as_str()))
            .collect();
        names.join(", ")
    }
}

/// The depths a role can grant a privilege at (`CanBeBasic`, `CanBeLocal`, `CanBeDeep`,
/// `CanBeGlobal`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivilegeDepth {
    /// From the user's own rows up to the whole organization.
    UserToOrganization,
    /// From the business unit up to the whole organization.
    BusinessUnitToOrganization,
    /// The whole organization or nothing.
    OrganizationOnly,
}

impl PrivilegeDepth {
    /// Whether a role can grant the privilege for a user's own rows.
    pub fn can_be_basic(self) -> bool {
        self == Self::UserToOrganization
    }

    /// Whether a role can grant the privilege for the rows of a business unit, with or without
    /// the units below it.
    pub fn can_be_local(self) -> bool {
        self != Self::OrganizationOnly
    }
}

/// The kinds of definitions, whose privileges are named like those of tables.
const DEFINITIONS: [&str; 5] = [
    "Attribute",
    "Entity",
    "EntityKey",
    "OptionSet",
    "Relationship",
];

/// Privileges that allow something as a whole.
const MISCELLANEOUS: [&str; 25] = [
    "prvActOnBehalfOfAnotherUser",
    "prvBulkDelete",
    "prvBulkEdit",
    "prvBypassCustomBusinessLogic",
    "prvBypassCustomPlugins",
    "prvDisableBusinessUnit",
    "prvDisableUser",
    "prvExportCustomization",
    "prvExportToExcel",
    "prvGoOffline",
    "prvImportCustomization",
    "prvISVExtensions",
    "prvLanguageSettings",
    "prvMailMerge",
    "prvMerge",
    "prvOverrideCreatedOnCreatedBy",
    "prvPrint",
    "prvPublishCustomization",
    "prvReadAuditSummary",
    "prvReadRecordAuditHistory",
    "prvReparentBusinessUnit",
    "prvReparentTeam",
    "prvReparentUser",
    "prvSendAsUser",
    "prvWorkflowExecution",
];

/// The privileges that belong to no table.
pub(super) fn without_table() -> impl Iterator<Item = Privilege> {
    use PrivilegeDepth::OrganizationOnly;
    let kinds = [
        PrivilegeType::Create,
        PrivilegeType::Read,
        PrivilegeType::Write,
        PrivilegeType::Delete,
    ];
    let definitions = DEFINITIONS.into_iter().flat_map(move |definition| {
        kinds.map(|kind| Privilege::on(definition, kind, OrganizationOnly))
    });
    let others = MISCELLANEOUS
        .into_iter()
        .map(|name| Privilege::new(name.to_owned(), PrivilegeType::None, OrganizationOnly));
    definitions.chain(others)
}
