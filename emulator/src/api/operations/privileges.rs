//! What users, teams and roles may do (reference §11.3).

use rusqlite::{Connection, OptionalExtension as _, types::Value as SqlValue};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    api::{Call, Response, access::reaches, read::Source},
    gate::{Caller, Rights},
    odata::fragment::Sql,
    schema::{PrivilegeType, Table},
    wire::ODataError,
};

impl<'a> Call<'a> {
    pub(super) fn user_privileges(
        &self,
        connection: &Connection,
        user: Uuid,
    ) -> Result<Response, ODataError> {
        let rights = Rights::of_user(connection, user)?;
        Ok(self.privileges("RetrieveUserPrivileges", &rights, |_| true))
    }

    /// `RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='…')`
    pub(super) fn user_privilege_by_name(
        &self,
        connection: &Connection,
        user: Uuid,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        let function = "RetrieveUserPrivilegeByPrivilegeName";
        let wanted = [self.text_argument(arguments, "PrivilegeName")?];
        self.user_privileges_named(connection, user, function, &wanted)
    }

    /// `RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=['…'])`
    pub(super) fn user_privileges_by_names(
        &self,
        connection: &Connection,
        user: Uuid,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        let function = "RetrieveUserSetOfPrivilegesByNames";
        let wanted = self.list_argument(arguments, "PrivilegeNames")?;
        self.user_privileges_named(connection, user, function, &wanted)
    }

    /// Those of the named privileges that the user holds.
    fn user_privileges_named(
        &self,
        connection: &Connection,
        user: Uuid,
        function: &str,
        wanted: &[String],
    ) -> Result<Response, ODataError> {
        for name in wanted {
            let mut known = self.model().schema.privileges();
            if !known.any(|privilege| privilege.name == *name) {
                return Err(ODataError::bad_request(
                    "0x80040203",
                    format!("There is no privilege with the name '{name}'."),
                ));
            }
        }
        let rights = Rights::of_user(connection, user)?;
        Ok(self.privileges(function, &rights, |name| {
            wanted.iter().any(|wanted| wanted == name)
        }))
    }

    pub(super) fn team_privileges(
        &self,
        connection: &Connection,
        team: Uuid,
    ) -> Result<Response, ODataError> {
        let rights = Rights::of_team(connection, team)?;
        Ok(self.privileges("RetrieveTeamPrivileges", &rights, |_| true))
    }

    /// `GET RetrieveRolePrivilegesRole(RoleId=…)`
    pub(super) fn named_role_privileges(
        &self,
        connection: &Connection,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        let role = self.guid_argument(arguments, "RoleId")?;
        let table = self.model().table("role")?;
        if !self.require_readable(connection, table, role)? {
            return Err(ODataError::no_row("role", role));
        }
        self.role_privileges(connection, role)
    }

    /// `GET roles(id)/Microsoft.Dynamics.CRM.RetrieveRolePrivilegesRole()`
    pub(super) fn role_privileges(
        &self,
        connection: &Connection,
        role: Uuid,
    ) -> Result<Response, ODataError> {
        let rights = Rights::of_role(connection, role)?;
        Ok(self.privileges("RetrieveRolePrivilegesRole", &rights, |_| true))
    }

    fn privileges(
        &self,
        function: &str,
        rights: &Rights,
        wanted: impl Fn(&str) -> bool,
    ) -> Response {
        let privileges: Vec<Value> = rights
            .all()
            .filter(|(name, _)| wanted(name))
            .map(|(name, grant)| {
                json!({
                    "Depth": grant.depth.name(),
                    "PrivilegeId": grant.privilege,
                    "BusinessUnitId": grant.unit,
                    "PrivilegeName": name,
                    "RecordFilterId": Uuid::nil(),
                    "RecordFilterUniqueName": "",
                })
            })
            .collect();
        let body = json!({"RolePrivileges": privileges});
        self.complex(&format!("{function}Response"), body)
    }

    /// `RetrieveAadUserRoles`: the user's own roles and those of the user's teams.
    pub(super) fn directory_user_roles(
        &'a self,
        connection: &Connection,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        let object = self.guid_argument(arguments, "DirectoryObjectId")?;
        let users = self.model().table("systemuser")?;
        self.caller.depth(users, PrivilegeType::Read)?;
        let user: Option<String> = connection
            .query_row(
                "SELECT systemuserid FROM systemuser WHERE azureactivedirectoryobjectid = ?1",
                [object.to_string()],
                |row| row.get(0),
            )
            .optional()?;
        let user = user.ok_or_else(|| {
            ODataError::bad_request(
                "0x80040203",
                format!("No user has the directory object id {object}."),
            )
        })?;
        let mut source = Source::table(self.model().table("role")?);
        source.condition = Some(Sql::with(
            "t.roleid IN (SELECT roleid FROM systemuserroles WHERE systemuserid = ? UNION \
             SELECT r.roleid FROM teamroles r JOIN teammembership m ON m.teamid = r.teamid \
             WHERE m.systemuserid = ?)"
                .to_owned(),
            vec![SqlValue::Text(user.clone()), SqlValue::Text(user)],
        ));
        self.list(connection, &source)
    }

    /// `RetrievePrincipalAccess(Target=@t)`: what a user or team may do with one row.
    pub(super) fn principal_access(
        &self,
        connection: &Connection,
        table: &Table,
        principal: Uuid,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        let (target, id) = self.row_argument(connection, arguments, "Target")?;
        if !self.require_readable(connection, target, id)? {
            return Err(ODataError::no_row(&target.logical_name, id));
        }
        let principal = if table.logical_name == "team" {
            Caller::load_team(connection, principal)?
        } else {
            Caller::load(connection, principal)?
        };
        let mut kinds = PrivilegeType::ACCESS;
        kinds.sort_by_key(|kind| kind.access_right());
        let mut names = Vec::new();
        for kind in kinds {
            if reaches(connection, &principal, target, id, kind)? {
                names.push(format!("{}Access", kind.as_str()));
            }
        }
        let rights = if names.is_empty() {
            "None".to_owned()
        } else {
            names.join(", ")
        };
        let body = json!({"AccessRights": rights});
        Ok(self.complex("RetrievePrincipalAccessResponse", body))
    }
}
