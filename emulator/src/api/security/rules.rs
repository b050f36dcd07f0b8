//! What the platform checks and does when users, teams, roles and business units are written.

use uuid::Uuid;

use super::{membership::require_other_administrator, owner::owns_rows, role::require_unprotected};
use crate::{
    api::Call,
    ids,
    org::role,
    schema::{PrivilegeType, Table, metadata_id},
    store::{Row, StoreError, Value, Writer},
    wire::ODataError,
};

impl Call<'_> {
    /// Fills and checks a new row before the platform completes it.
    pub(in crate::api) fn prepare_new(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        row: &mut [Value],
    ) -> Result<(), ODataError> {
        let layout = writer.store().layout(&table.logical_name)?;
        let unit = Value::lookup("businessunit", self.caller.unit);
        match table.logical_name.as_str() {
            "role" => {
                let id = layout.get(row, "roleid").id().unwrap_or_default();
                layout.set(row, "parentrootroleid", Value::lookup("role", id));
                layout.default(row, "isinherited", Value::Int(1));
                let unit = layout.get(row, "businessunitid").id();
                let unit = unit.ok_or_else(|| required("businessunitid", table))?;
                require_name(writer, table, layout.get(row, "name"), unit, id)
            }
            "connection" => Self::prepare_connection(writer, row),
            "fieldpermission" => self.require_guarded(
                layout.get(row, "entityname"),
                layout.get(row, "attributelogicalname"),
            ),
            "businessunit" => match layout.get(row, "parentbusinessunitid").id() {
                Some(_) => Self::require_own_name(writer, table, None, row),
                None => Err(required("parentbusinessunitid", table)),
            },
            "systemuser" => {
                layout.default(row, "businessunitid", unit);
                self.identify(writer, table, row)?;
                Self::require_own_name(writer, table, None, row)
            }
            "team" => {
                layout.default(row, "businessunitid", unit);
                let administrator = Value::lookup("systemuser", self.caller.user);
                layout.default(row, "administratorid", administrator);
                layout.default(row, "teamtype", Value::Int(0));
                let grouped = matches!(layout.get(row, "teamtype"), Value::Int(2 | 3));
                let group = layout.get(row, "azureactivedirectoryobjectid");
                if grouped && *group == Value::Null {
                    return Err(required("azureactivedirectoryobjectid", table));
                }
                Self::require_own_name(writer, table, None, row)
            }
            _ => Ok(()),
        }
    }

    /// Permissions are for columns that column security guards.
    fn require_guarded(&self, table: &Value, column: &Value) -> Result<(), ODataError> {
        let (Value::Text(table), Value::Text(column)) = (table, column) else {
            return Err(ODataError::bad_request(
                "0x80040203",
                "A field permission needs 'entityname' and 'attributelogicalname'.",
            ));
        };
        let found = self.model().schema.table(table);
        let found = found.and_then(|table| table.column(column));
        if found.is_some_and(|column| column.secured) {
            return Ok(());
        }
        Err(ODataError::bad_request(
            "0x8004f508",
            format!(
                "One or more fields are not enabled for field level security. Field level \
                 security is not enabled until you publish the customizations. Column: \
                 '{column}' of '{table}'."
            ),
        ))
    }

    /// What a new row brings with it.
    pub(in crate::api) fn created(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
    ) -> Result<(), ODataError> {
        let author = self.author();
        match table.logical_name.as_str() {
            "role" => role::spread(writer, author, id)?,
            "connection" => self.mirror_connection(writer, id)?,
            "businessunit" => {
                let parent = lookup(writer, "businessunit", id, "parentbusinessunitid")?;
                if let Some(parent) = parent {
                    role::inherit(writer, author, parent, id)?;
                }
                let layout = writer.store().layout("businessunit")?;
                let name = writer
                    .row("businessunit", id)?
                    .map_or(Value::Null, |row| layout.get(&row.values, "name").clone());
                writer.create(
                    "team",
                    author,
                    &[
                        ("name", name),
                        ("teamtype", Value::Int(0)),
                        ("isdefault", Value::Bool(true)),
                        ("businessunitid", Value::lookup("businessunit", id)),
                        (
                            "administratorid",
                            Value::lookup("systemuser", self.caller.user),
                        ),
                    ],
                )?;
            }
            "systemuser" => {
                let settings = [
                    ("systemuserid", Value::Guid(id)),
                    ("uilanguageid", Value::Int(1033)),
                    ("localeid", Value::Int(1033)),
                ];
                writer.create("usersettings", author, &settings)?;
                self.join_default_team(writer, id)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Rejects changes that are not allowed, or not to this caller.
    pub(in crate::api) fn check_update(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        before: &Row,
        after: &[Value],
    ) -> Result<(), ODataError> {
        let layout = writer.store().layout(&table.logical_name)?;
        let changes = |column: &str| layout.differs(&before.values, after, column);
        self.require_new_owner(writer, table, before, after)?;
        Self::require_no_loop(writer, table, before, after)?;
        Self::require_own_name(writer, table, Some(&before.values), after)?;
        match table.logical_name.as_str() {
            "role" => {
                require_unprotected(writer, before)?;
                if changes("name") {
                    let unit = layout.get(after, "businessunitid").id().unwrap_or_default();
                    require_name(writer, table, layout.get(after, "name"), unit, before.id)?;
                }
                Ok(())
            }
            "systemuser" => {
                require_person(before.id)?;
                if changes("isdisabled") {
                    self.caller.require("prvDisableUser", table)?;
                    if *layout.get(after, "isdisabled") == Value::Bool(true) {
                        require_other_administrator(writer, before.id)?;
                    }
                }
                if changes("businessunitid") {
                    self.caller.require("prvReparentUser", table)?;
                }
                Ok(())
            }
            "businessunit" => {
                if changes("parentbusinessunitid") {
                    self.caller.require("prvReparentBusinessUnit", table)?;
                }
                if !changes("isdisabled") {
                    return Ok(());
                }
                self.caller.require("prvDisableBusinessUnit", table)?;
                if *layout.get(after, "isdisabled") == Value::Bool(true) {
                    Self::require_administrator_outside(writer, table, before.id)?;
                }
                Ok(())
            }
            "team" => {
                if changes("businessunitid") {
                    self.caller.require("prvReparentTeam", table)?;
                }
                if changes("teamtype") {
                    require_changeable_type(writer, before.id)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What a changed row brings with it.
    pub(in crate::api) fn updated(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        before: &Row,
        after: &[Value],
    ) -> Result<(), ODataError> {
        let layout = writer.store().layout(&table.logical_name)?;
        let changes = |column: &str| layout.differs(&before.values, after, column);
        match table.logical_name.as_str() {
            "role" if changes("name") => {
                for copy in role::copies(writer, before.id)? {
                    if let Some(row) = writer.row("role", copy)? {
                        let mut renamed = row.values.clone();
                        layout.set(&mut renamed, "name", layout.get(after, "name").clone());
                        writer.update("role", &row, &renamed)?;
                    }
                }
            }
            "connection" => self.follow_connection(writer, after)?,
            // Roles belong to a business unit: a user who leaves it loses them.
            "systemuser" if changes("businessunitid") => {
                for link in writer.referring("systemuserroles", "systemuserid", before.id)? {
                    writer.delete("systemuserroles", link)?;
                }
                for link in writer.referring("teammembership", "systemuserid", before.id)? {
                    let team = lookup(writer, "teammembership", link, "teamid")?;
                    if team.is_some_and(|team| is_default_team(writer, team).unwrap_or(false)) {
                        writer.delete("teammembership", link)?;
                    }
                }
                self.join_default_team(writer, before.id)?;
                self.move_rows(writer, before.id)?;
            }
            "team" if changes("businessunitid") => {
                for link in writer.referring("teamroles", "teamid", before.id)? {
                    writer.delete("teamroles", link)?;
                }
                self.move_rows(writer, before.id)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Rejects a new row whose owner or business unit is beyond the caller's depth, and one for
    /// another owner from a caller who may not assign.
    pub(in crate::api) fn require_creatable(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        row: &[Value],
    ) -> Result<(), ODataError> {
        let layout = writer.store().layout(&table.logical_name)?;
        let owner = layout.get(row, "ownerid").id();
        let unit = crate::gate::unit_column(table).and_then(|column| layout.get(row, column).id());
        if owner.is_some_and(|owner| owner != self.caller.user) {
            self.caller.depth(table, PrivilegeType::Assign)?;
            self.require_owner(writer, table, layout.get(row, "ownerid"))?;
        }
        self.caller
            .require_reach(table, PrivilegeType::Create, owner, unit)
    }

    fn join_default_team(&self, writer: &Writer<'_>, user: Uuid) -> Result<(), ODataError> {
        let Some(unit) = lookup(writer, "systemuser", user, "businessunitid")? else {
            return Ok(());
        };
        for team in writer.referring("team", "businessunitid", unit)? {
            if is_default_team(writer, team)? {
                let key = ["teammembership", &team.to_string(), &user.to_string()];
                writer.create(
                    "teammembership",
                    self.author(),
                    &[
                        ("teammembershipid", Value::Guid(metadata_id(&key))),
                        ("teamid", Value::lookup("team", team)),
                        ("systemuserid", Value::lookup("systemuser", user)),
                    ],
                )?;
            }
        }
        Ok(())
    }
}

fn lookup(
    writer: &Writer<'_>,
    table: &str,
    id: Uuid,
    column: &str,
) -> Result<Option<Uuid>, StoreError> {
    let layout = writer.store().layout(table)?;
    let row = writer.row(table, id)?;
    Ok(row.and_then(|row| layout.get(&row.values, column).id()))
}

pub(super) fn is_default_team(writer: &Writer<'_>, team: Uuid) -> Result<bool, StoreError> {
    let layout = writer.store().layout("team")?;
    let row = writer.row("team", team)?;
    Ok(row.is_some_and(|row| *layout.get(&row.values, "isdefault") == Value::Bool(true)))
}

/// A role's name is its own within its business unit.
fn require_name(
    writer: &Writer<'_>,
    table: &Table,
    name: &Value,
    unit: Uuid,
    id: Uuid,
) -> Result<(), ODataError> {
    let Value::Text(name) = name else {
        return Err(required("name", table));
    };
    let sql = "SELECT 1 FROM role WHERE name = ?1 AND businessunitid = ?2 AND roleid <> ?3";
    let taken = writer.connection().prepare_cached(sql)?.exists([
        name.as_str(),
        &unit.to_string(),
        &id.to_string(),
    ])?;
    if taken {
        return Err(ODataError::precondition(
            "0x80040237",
            format!("A role with the name '{name}' exists already in the business unit."),
        ));
    }
    Ok(())
}

/// A team with roles, or with rows of its own, remains of its kind.
fn require_changeable_type(writer: &Writer<'_>, team: Uuid) -> Result<(), ODataError> {
    if !writer.referring("teamroles", "teamid", team)?.is_empty() {
        return Err(ODataError::bad_request(
            "0x80048336",
            "You cannot modify the type of the team because there are security roles or field \
             security profiles assigned to the team.",
        ));
    }
    if owns_rows(writer, team)? {
        return Err(ODataError::bad_request(
            "0x80048337",
            "You cannot modify the type of the team because there are records owned by the team.",
        ));
    }
    Ok(())
}

/// The platform's own users stay as they are.
pub(super) fn require_person(user: Uuid) -> Result<(), ODataError> {
    if user == ids::SYSTEM || user == ids::INTEGRATION {
        return Err(ODataError::forbidden(
            "0x80041D33",
            "No modifications to the 'SYSTEM' or 'INTEGRATION' user are permitted.",
        ));
    }
    Ok(())
}

pub(super) fn required(column: &str, table: &Table) -> ODataError {
    ODataError::bad_request(
        "0x80040203",
        format!(
            "A value for the column '{column}' of '{}' is required.",
            table.logical_name
        ),
    )
}
