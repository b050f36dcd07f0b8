//! The actions and operations of the log, by number (reference §10).

use crate::schema::Table;

/// `operation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Create,
    Update,
    Delete,
}

impl Operation {
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Create => 1,
            Self::Update => 2,
            Self::Delete => 3,
        }
    }
}

/// `action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Update,
    Delete,
    Activate,
    Deactivate,
    Assign,
    Share,
    Cancel,
    Complete,
    Reopen,
    Qualify,
    Disqualify,
    AddMember,
    RemoveMember,
    Associate,
    Disassociate,
    AddMembers,
    RemoveMembers,
    SetState,
    Win,
    Lose,
    ModifyShare,
    Unshare,
    AssignRoleToTeam,
    RemoveRoleFromTeam,
    AssignRoleToUser,
    RemoveRoleFromUser,
    AddPrivilegesToRole,
    RemovePrivilegesFromRole,
    ReplacePrivilegesInRole,
    AuditEnabled,
    AuditDisabled,
}

impl Action {
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Create => 1,
            Self::Update => 2,
            Self::Delete => 3,
            Self::Activate => 4,
            Self::Deactivate => 5,
            Self::Assign => 13,
            Self::Share => 14,
            Self::Cancel => 17,
            Self::Complete => 18,
            Self::Reopen => 21,
            Self::Qualify => 24,
            Self::Disqualify => 25,
            Self::AddMember => 31,
            Self::RemoveMember => 32,
            Self::Associate => 33,
            Self::Disassociate => 34,
            Self::AddMembers => 35,
            Self::RemoveMembers => 36,
            Self::SetState => 41,
            Self::Win => 44,
            Self::Lose => 45,
            Self::ModifyShare => 48,
            Self::Unshare => 49,
            Self::AssignRoleToTeam => 53,
            Self::RemoveRoleFromTeam => 54,
            Self::AssignRoleToUser => 55,
            Self::RemoveRoleFromUser => 56,
            Self::AddPrivilegesToRole => 57,
            Self::RemovePrivilegesFromRole => 58,
            Self::ReplacePrivilegesInRole => 59,
            Self::AuditEnabled => 107,
            Self::AuditDisabled => 110,
        }
    }

    /// The action of a change to this state.
    pub(super) fn of_state(table: &Table, state: i64) -> Self {
        match (table.logical_name.as_str(), state) {
            ("opportunity", 1) => Self::Win,
            ("opportunity", 2) => Self::Lose,
            ("lead", 1) => Self::Qualify,
            ("lead", 2) => Self::Disqualify,
            ("opportunity" | "lead", 0) => Self::Reopen,
            _ if table.is_activity => match state {
                0 => Self::Reopen,
                1 => Self::Complete,
                2 => Self::Cancel,
                _ => Self::SetState,
            },
            (_, 0) => Self::Activate,
            (_, 1) => Self::Deactivate,
            _ => Self::SetState,
        }
    }
}
