//! Members of teams, and the roles of users and teams (reference §11.2).

use axum::http::StatusCode;
use uuid::Uuid;

use super::role::is_administrator;
use crate::{
    api::{
        Call, Response,
        access::lookup_of,
        payload::{Members, payload_error},
    },
    schema::{PrivilegeType, Table},
    store::{Value, Writer},
    wire::ODataError,
};

/// `teamtype` of an access team, which has no roles.
pub(super) const ACCESS_TEAM: i64 = 1;

/// How a team's members are reached from it.
const MEMBERSHIP: &str = "teammembership_association";

/// Whether two rows are associated or disassociated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Change {
    Associate,
    Disassociate,
}

impl Call<'_> {
    /// `AddMembersTeam`. Existing members are ignored.
    pub(in crate::api) fn add_members(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        team: Uuid,
    ) -> Result<Response, ODataError> {
        for user in self.members(writer)? {
            self.require_change(writer, table, team, MEMBERSHIP, user, Change::Associate)?;
            if !is_member(writer, team, user)? {
                self.associate(writer, table, team, MEMBERSHIP, user)?;
            }
        }
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// `RemoveMembersTeam`. Users who are not members are ignored.
    pub(in crate::api) fn remove_members(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        team: Uuid,
    ) -> Result<Response, ODataError> {
        for user in self.members(writer)? {
            self.require_change(writer, table, team, MEMBERSHIP, user, Change::Disassociate)?;
            if is_member(writer, team, user)? {
                self.disassociate(writer, table, team, MEMBERSHIP, user)?;
            }
        }
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// The users in the action's parameter `Members`.
    fn members(&self, writer: &Writer<'_>) -> Result<Vec<Uuid>, ODataError> {
        let body = Members::parse(&self.request.body, "team")?;
        let members: Vec<Members> = body
            .get("Members")
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .ok_or_else(|| payload_error("team", "The body has no array 'Members'."))?;
        members
            .iter()
            .map(|member| {
                let (table, id) = self.row_of(writer.connection(), member, Some("systemuser"))?;
                if table.logical_name == "systemuser" {
                    return Ok(id);
                }
                Err(payload_error(
                    "team",
                    "A member of a team must be a systemuser.",
                ))
            })
            .collect()
    }

    /// What the service requires before it associates or disassociates rows, besides the privileges
    /// of the rows' own tables: `one` and `other` are those of the intersect table's first and
    /// second column.
    pub(in crate::api) fn require_association(
        &self,
        writer: &Writer<'_>,
        intersect: &str,
        (table, one): (&Table, Uuid),
        (other_table, other): (&Table, Uuid),
        change: Change,
    ) -> Result<(), ODataError> {
        match intersect {
            "systemuserroles" | "teamroles" => {
                self.caller.depth(other_table, PrivilegeType::Assign)?;
                let is_team = table.logical_name == "team";
                if is_team && team_type(writer, one)? == ACCESS_TEAM {
                    return Err(ODataError::bad_request(
                        "0x80048331",
                        "Cannot assign roles or profiles to an access team.",
                    ));
                }
                if change == Change::Associate {
                    require_same_unit(writer, (table, one), (other_table, other))
                } else if is_team {
                    Ok(())
                } else {
                    require_administrator_left(writer, one, other)
                }
            }
            "teammembership" => {
                self.caller.depth(table, PrivilegeType::Write)?;
                self.require_access(writer.connection(), table, one, PrivilegeType::Write)?;
                require_own_members(writer, one, change)
            }
            "roleprivileges" => Err(ODataError::bad_request(
                "0x80040800",
                "The 'Associate' method does not support entities of type 'roleprivileges'. Use \
                 AddPrivilegesRole.",
            )),
            _ => Ok(()),
        }
    }
}

fn is_member(writer: &Writer<'_>, team: Uuid, user: Uuid) -> Result<bool, ODataError> {
    let sql = "SELECT 1 FROM teammembership WHERE teamid = ?1 AND systemuserid = ?2";
    let mut statement = writer.connection().prepare_cached(sql)?;
    Ok(statement.exists([team.to_string(), user.to_string()])?)
}

pub(super) fn team_type(writer: &Writer<'_>, team: Uuid) -> Result<i64, ODataError> {
    let layout = writer.store().layout("team")?;
    let row = writer.row("team", team)?;
    Ok(
        match row.map(|row| layout.get(&row.values, "teamtype").clone()) {
            Some(Value::Int(kind)) => kind,
            _ => 0,
        },
    )
}

/// The platform keeps the members of default teams, and Entra those of group teams.
fn require_own_members(writer: &Writer<'_>, team: Uuid, change: Change) -> Result<(), ODataError> {
    let layout = writer.store().layout("team")?;
    let row = writer
        .row("team", team)?
        .ok_or_else(|| ODataError::no_row("team", team))?;
    if *layout.get(&row.values, "isdefault") == Value::Bool(true) {
        return Err(match change {
            Change::Associate => ODataError::bad_request(
                "0x8004830B",
                "Can't add members to the default business unit team.",
            ),
            Change::Disassociate => ODataError::bad_request(
                "0x8004830C",
                "Can't remove members from the default business unit team.",
            ),
        });
    }
    if matches!(team_type(writer, team)?, 2 | 3) {
        return Err(ODataError::bad_request(
            "0x80040203",
            "The members of this team are those of its Microsoft Entra group and cannot be \
             changed here.",
        ));
    }
    Ok(())
}

/// A role can be given within its own business unit only.
fn require_same_unit(
    writer: &Writer<'_>,
    (table, id): (&Table, Uuid),
    (role_table, role): (&Table, Uuid),
) -> Result<(), ODataError> {
    let connection = writer.connection();
    let unit_of = |table, id| lookup_of(connection, table, id, "businessunitid");
    let (unit, role_unit) = (unit_of(table, id)?, unit_of(role_table, role)?);
    if unit == role_unit {
        return Ok(());
    }
    let who = if table.logical_name == "team" {
        "team"
    } else {
        "user"
    };
    let (unit, role_unit) = (unit.unwrap_or_default(), role_unit.unwrap_or_default());
    Err(ODataError::bad_request(
        "0x80041409",
        format!(
            "The {who} with id={id} belongs to a different business unit={unit} than the role with \
             roleId={role} and rolebusinessUnit={role_unit}."
        ),
    ))
}

/// At least one System Administrator must remain.
fn require_administrator_left(
    writer: &Writer<'_>,
    user: Uuid,
    role: Uuid,
) -> Result<(), ODataError> {
    let Some(row) = writer.row("role", role)? else {
        return Ok(());
    };
    if !is_administrator(writer, &row)? {
        return Ok(());
    }
    if has_other_administrator(writer, user)? {
        return Ok(());
    }
    Err(ODataError::bad_request(
        "0x80041D30",
        "A user cannot be removed from the System Administrator Role if they are the only user \
         that has the role.",
    ))
}

/// Rejects to disable the only administrator.
pub(super) fn require_other_administrator(
    writer: &Writer<'_>,
    user: Uuid,
) -> Result<(), ODataError> {
    if has_other_administrator(writer, user)? {
        return Ok(());
    }
    Err(ODataError::bad_request(
        "0x80041D2F",
        "A user cannot be disabled if they are the only user that has the System Administrator \
         Role.",
    ))
}

/// Whether an enabled user but this one is a System Administrator.
fn has_other_administrator(writer: &Writer<'_>, user: Uuid) -> Result<bool, ODataError> {
    let sql = "SELECT 1 FROM systemuserroles r JOIN role ON role.roleid = r.roleid \
               JOIN systemuser u ON u.systemuserid = r.systemuserid \
               WHERE role.roletemplateid = ?1 AND r.systemuserid <> ?2 AND u.isdisabled IS NOT 1";
    let template = crate::ids::ADMINISTRATOR_TEMPLATE.to_string();
    let mut statement = writer.connection().prepare_cached(sql)?;
    Ok(statement.exists([template, user.to_string()])?)
}
