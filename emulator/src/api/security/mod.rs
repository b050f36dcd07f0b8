//! Users, teams, roles and shares (reference §11): their functions and actions, and what the
//! platform itself does when their rows change.

mod deletion;
mod functions;
mod hierarchy;
mod membership;
mod names;
mod owner;
mod role;
mod rules;
mod sharing;
mod target;
mod unit;

pub(super) use membership::Change;
use rusqlite::Connection;
use uuid::Uuid;

use super::{Call, Response, request::Segment};
use crate::{odata::ODataError, schema::Table, store::Writer};

/// Functions of this room that are bound to no row.
pub(super) const FUNCTIONS: [&str; 3] = [
    "RetrieveRolePrivilegesRole",
    "RetrieveSharedPrincipalsAndAccess",
    "RetrieveAadUserRoles",
];

/// Whether an action of this name is bound to no row.
pub(super) fn is_action(name: &str) -> bool {
    ["GrantAccess", "ModifyAccess", "RevokeAccess"].contains(&name)
}

impl<'a> Call<'a> {
    /// `GET {api}/{function}(…)`, one of [`FUNCTIONS`].
    pub(super) fn security_function(
        &'a self,
        connection: &'a Connection,
        segment: &Segment,
    ) -> Result<Response, ODataError> {
        let arguments = segment.arguments.as_deref().unwrap_or_default();
        match segment.name.as_str() {
            "RetrieveRolePrivilegesRole" => {
                let role = self.guid_argument(arguments, "RoleId")?;
                let table = self.model().table("role")?;
                if !self.require_readable(connection, table, role)? {
                    return Err(ODataError::no_row("role", role));
                }
                self.role_privileges(connection, role)
            }
            "RetrieveAadUserRoles" => {
                let object = self.guid_argument(arguments, "DirectoryObjectId")?;
                self.directory_user_roles(connection, object)
            }
            _ => self.shared_principals(connection, arguments),
        }
    }

    /// `GET {set}(key)/Microsoft.Dynamics.CRM.{function}(…)`.
    pub(super) fn bound_security_function(
        &self,
        connection: &Connection,
        table: &Table,
        id: Uuid,
        name: &str,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        match (table.logical_name.as_str(), name) {
            ("systemuser", "RetrieveUserPrivileges") => self.user_privileges(connection, id),
            ("systemuser", "RetrieveUserPrivilegeByPrivilegeName") => {
                let wanted = [self.text_argument(arguments, "PrivilegeName")?];
                self.user_privileges_named(connection, id, name, &wanted)
            }
            ("systemuser", "RetrieveUserSetOfPrivilegesByNames") => {
                let wanted = self.list_argument(arguments, "PrivilegeNames")?;
                self.user_privileges_named(connection, id, name, &wanted)
            }
            ("team", "RetrieveTeamPrivileges") => self.team_privileges(connection, id),
            ("role", "RetrieveRolePrivilegesRole") => self.role_privileges(connection, id),
            ("systemuser" | "team", "RetrievePrincipalAccess") => {
                self.principal_access(connection, table, id, arguments)
            }
            _ => Err(ODataError::unknown_segment(&format!(
                "Microsoft.Dynamics.CRM.{name}"
            ))),
        }
    }

    /// `POST {api}/{action}`.
    pub(super) fn security_action(
        &self,
        writer: &Writer<'_>,
        name: &str,
    ) -> Result<Response, ODataError> {
        match name {
            "GrantAccess" => self.grant_access(writer),
            "ModifyAccess" => self.modify_access(writer),
            _ => self.revoke_access(writer),
        }
    }

    /// `POST {set}(key)/Microsoft.Dynamics.CRM.{action}`.
    pub(super) fn bound_security_action(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        name: &str,
    ) -> Result<Response, ODataError> {
        match (table.logical_name.as_str(), name) {
            ("role", "AddPrivilegesRole") => self.add_privileges(writer, table, id),
            ("role", "ReplacePrivilegesRole") => self.replace_privileges(writer, table, id),
            ("role", "RemovePrivilegeRole") => self.remove_privilege(writer, table, id),
            ("team", "AddMembersTeam") => self.add_members(writer, table, id),
            ("team", "RemoveMembersTeam") => self.remove_members(writer, table, id),
            _ => Err(ODataError::unknown_segment(&format!(
                "Microsoft.Dynamics.CRM.{name}"
            ))),
        }
    }
}
