//! Editing what a role grants (reference §11.1).

use axum::http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    api::{
        Call, Response,
        payload::{Members, payload_error},
    },
    ids::ADMINISTRATOR_TEMPLATE,
    org::{Depth, role},
    schema::{Privilege, PrivilegeType, Table},
    store::{Row, StoreError, Writer},
    wire::ODataError,
};

/// `Microsoft.Dynamics.CRM.RolePrivilege`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RolePrivilege {
    depth: DepthText,
    privilege_id: Uuid,
    #[serde(default, rename = "BusinessUnitId")]
    _business_unit_id: Option<Uuid>,
    #[serde(default, rename = "PrivilegeName")]
    _privilege_name: Option<String>,
    #[serde(default, rename = "RecordFilterId")]
    _record_filter_id: Option<Uuid>,
    #[serde(default, rename = "RecordFilterUniqueName")]
    _record_filter_unique_name: Option<String>,
    #[serde(default, rename = "@odata.type")]
    _type: Option<String>,
}

/// A depth by name or by number.
#[derive(Deserialize)]
#[serde(untagged)]
enum DepthText {
    Name(String),
    Number(u8),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Privileges {
    privileges: Vec<RolePrivilege>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OnePrivilege {
    privilege_id: Uuid,
}

impl Call<'_> {
    /// `AddPrivilegesRole`: grants more, and changes the depth of what is granted already.
    pub(in crate::api) fn add_privileges(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
    ) -> Result<Response, ODataError> {
        self.require_editable(writer, table, id)?;
        for (privilege, depth) in self.granted()? {
            role::set_privilege(writer, self.author(), id, privilege, Some(depth))?;
        }
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// `ReplacePrivilegesRole`: grants this and nothing else.
    pub(in crate::api) fn replace_privileges(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
    ) -> Result<Response, ODataError> {
        self.require_editable(writer, table, id)?;
        let granted = self.granted()?;
        for (privilege, _) in role::privileges(writer, id)? {
            role::set_privilege(writer, self.author(), id, privilege, None)?;
        }
        for (privilege, depth) in granted {
            role::set_privilege(writer, self.author(), id, privilege, Some(depth))?;
        }
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// `RemovePrivilegeRole`.
    pub(in crate::api) fn remove_privilege(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
    ) -> Result<Response, ODataError> {
        self.require_editable(writer, table, id)?;
        let OnePrivilege { privilege_id } = self.parameters()?;
        let granted = role::privileges(writer, id)?;
        if !granted.iter().any(|(granted, _)| *granted == privilege_id) {
            return Err(ODataError::no_row("roleprivileges", privilege_id));
        }
        role::set_privilege(writer, self.author(), id, privilege_id, None)?;
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// The action's parameter `Privileges`.
    fn granted(&self) -> Result<role::Granted, ODataError> {
        let Privileges { privileges } = self.parameters()?;
        let known: Vec<Privilege> = self.model().schema.privileges().collect();
        privileges
            .into_iter()
            .map(|given| {
                let text = match given.depth {
                    DepthText::Name(name) => name,
                    DepthText::Number(number) => number.to_string(),
                };
                let depth: Depth = text.parse().map_err(|_| {
                    payload_error(
                        "RolePrivilege",
                        &format!("'{text}' is no member of PrivilegeDepth."),
                    )
                })?;
                let id = given.privilege_id;
                let privilege = known
                    .iter()
                    .find(|known| known.id == id)
                    .ok_or_else(|| ODataError::no_row("privilege", id))?;
                let possible = match depth {
                    Depth::Basic => privilege.depth.can_be_basic(),
                    Depth::Local | Depth::Deep => privilege.depth.can_be_local(),
                    Depth::Global => true,
                };
                if !possible {
                    return Err(ODataError::bad_request(
                        "0x80040203",
                        format!(
                            "The privilege {} (Id={id}) cannot be granted at the depth {}.",
                            privilege.name,
                            depth.name()
                        ),
                    ));
                }
                Ok((id, depth))
            })
            .collect()
    }

    fn parameters<T: for<'de> Deserialize<'de>>(&self) -> Result<T, ODataError> {
        // The service distinguishes broken JSON and wrong members.
        Members::parse(&self.request.body, "role")?;
        serde_json::from_slice(&self.request.body)
            .map_err(|error| payload_error("role", &error.to_string()))
    }

    /// Rejects callers who may not change the role, and roles that cannot be changed.
    fn require_editable(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
    ) -> Result<(), ODataError> {
        self.caller.depth(table, PrivilegeType::Write)?;
        let row = writer
            .row(&table.logical_name, id)?
            .ok_or_else(|| ODataError::no_row(&table.logical_name, id))?;
        self.require_access(writer.connection(), table, id, PrivilegeType::Write)?;
        require_unprotected(writer, &row)
    }
}

/// Whether the role is a System Administrator role.
pub(super) fn is_administrator(writer: &Writer<'_>, role: &Row) -> Result<bool, StoreError> {
    let layout = writer.store().layout("role")?;
    let template = layout.get(&role.values, "roletemplateid").id();
    Ok(template == Some(ADMINISTRATOR_TEMPLATE))
}

/// The System Administrator role is not edited at all, and copies only with their root.
pub(super) fn require_unprotected(writer: &Writer<'_>, role: &Row) -> Result<(), ODataError> {
    if is_administrator(writer, role)? {
        return Err(ODataError::forbidden(
            "0x80041D31",
            "The System Administrator Role cannot be modified.",
        ));
    }
    let layout = writer.store().layout("role")?;
    if layout.get(&role.values, "parentroleid").id().is_some() {
        return Err(ODataError::bad_request(
            "0x8004022E",
            "Inherited roles cannot be updated or modified: edit the root role.",
        ));
    }
    Ok(())
}
