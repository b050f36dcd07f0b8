//! A user of the organization, and the rows the user may touch (reference §11).

use std::collections::BTreeSet;

use rusqlite::{Connection, params_from_iter};
use uuid::Uuid;

use super::{rights::Rights, viewer::Viewer};
use crate::{
    org::Depth,
    schema::{Ownership, Privilege, PrivilegeType, Table},
    store::layout::parse_guid,
    wire::ODataError,
};

/// A user and their rights. A team can stand in for a user when its own rights are queried.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: Uuid,
    /// The user who impersonates this one.
    pub(crate) behind: Option<Uuid>,
    pub(crate) unit: Uuid,
    pub(crate) teams: Vec<Uuid>,
    pub(crate) rights: Rights,
    /// What the caller sees of rows.
    pub(crate) viewer: Viewer,
    /// Each business unit in which the caller holds a role, with all below it.
    below: Vec<(Uuid, Vec<Uuid>)>,
    /// Whether any row is shared with the caller.
    has_shares: bool,
    access_mode: i64,
    disabled: bool,
    unit_disabled: bool,
}

/// The rows a caller may touch: a SQL condition on the row's table under the alias given, with the
/// texts to bind. `None` means every row.
pub(crate) type Access = Option<(String, Vec<String>)>;

impl Caller {
    pub(crate) fn load(connection: &Connection, user: Uuid) -> Result<Self, ODataError> {
        let id = user.to_string();
        let (unit, disabled, access_mode): (Option<String>, Option<bool>, Option<i64>) = connection
            .query_row(
                "SELECT businessunitid, isdisabled, accessmode FROM systemuser \
                 WHERE systemuserid = ?1",
                [&id],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
        let unit_disabled = connection
            .prepare_cached("SELECT 1 FROM businessunit WHERE businessunitid = ?1 AND isdisabled")?
            .exists([&unit])?;
        let teams = ids(
            connection,
            "SELECT teamid FROM teammembership WHERE systemuserid = ?1",
            &id,
        )?;
        let rights = Rights::of_user(connection, user)?;
        let mut caller = Self::with(connection, user, unit.as_deref(), teams, rights)?;
        caller.viewer = Viewer::of_user(connection, user)?;
        caller.disabled = disabled.unwrap_or(false);
        caller.unit_disabled = unit_disabled;
        caller.access_mode = access_mode.unwrap_or(0);
        Ok(caller)
    }

    /// A team in the place of a user: what the team itself may do.
    pub(crate) fn load_team(connection: &Connection, team: Uuid) -> Result<Self, ODataError> {
        let unit: Option<String> = connection.query_row(
            "SELECT businessunitid FROM team WHERE teamid = ?1",
            [team.to_string()],
            |row| row.get(0),
        )?;
        let rights = Rights::of_team(connection, team)?;
        Self::with(connection, team, unit.as_deref(), Vec::new(), rights)
    }

    fn with(
        connection: &Connection,
        user: Uuid,
        unit: Option<&str>,
        teams: Vec<Uuid>,
        rights: Rights,
    ) -> Result<Self, ODataError> {
        let roots: BTreeSet<Uuid> = rights.all().map(|(_, grant)| grant.unit).collect();
        let below = roots
            .into_iter()
            .map(|unit| {
                let units = ids(
                    connection,
                    "WITH RECURSIVE below(id) AS (SELECT ?1 UNION SELECT businessunitid FROM \
                     businessunit JOIN below ON parentbusinessunitid = below.id) \
                     SELECT id FROM below",
                    &unit.to_string(),
                )?;
                Ok((unit, units))
            })
            .collect::<Result<_, ODataError>>()?;
        let mut caller = Self {
            user,
            behind: None,
            unit: unit.map(parse_guid).unwrap_or_default(),
            teams,
            rights,
            viewer: Viewer::default(),
            below,
            has_shares: false,
            access_mode: 0,
            disabled: false,
            unit_disabled: false,
        };
        caller.has_shares = caller.has_shares(connection)?;
        Ok(caller)
    }

    fn has_shares(&self, connection: &Connection) -> Result<bool, ODataError> {
        let known = "SELECT 1 FROM sqlite_master WHERE name = 'principalobjectaccess'";
        if !connection.prepare(known)?.exists([])? {
            return Ok(false);
        }
        let (marks, texts) = bound(self.principals());
        let sql = format!("SELECT 1 FROM principalobjectaccess WHERE principalid IN ({marks})");
        Ok(connection.prepare(&sql)?.exists(params_from_iter(texts))?)
    }

    /// The user and the user's teams: whose rows are the user's own.
    fn principals(&self) -> impl Iterator<Item = Uuid> {
        std::iter::once(self.user).chain(self.teams.iter().copied())
    }

    /// Whether the user may use the organization at all (reference §2.9).
    pub(super) fn may_enter(&self) -> Result<(), ODataError> {
        if self.disabled {
            return Err(ODataError::forbidden(
                "0x8004A112",
                format!(
                    "The user with Id = {} is disabled in the system.",
                    self.user
                ),
            ));
        }
        if self.unit_disabled {
            return Err(ODataError::forbidden(
                "0x8004032C",
                "The specified business unit is disabled.",
            ));
        }
        if self.rights.role_count == 0 {
            return Err(ODataError::forbidden(
                "0x80042F09",
                "The user has not been assigned any roles.",
            ));
        }
        Ok(())
    }

    /// How far the caller's privilege for this kind of access reaches, or the refusal that names
    /// it; [`Depth::Global`] where the table needs none.
    pub(crate) fn depth(&self, table: &Table, kind: PrivilegeType) -> Result<Depth, ODataError> {
        if let Some(privilege) = table.privilege(kind) {
            let depth = self.rights.depth(&privilege.name);
            return depth.ok_or_else(|| self.missing(&privilege.name, table));
        }
        if kind == PrivilegeType::Read {
            for name in &table.read_with {
                self.require(name, table)?;
            }
        }
        Ok(Depth::Global)
    }

    /// Rejects a caller without this privilege, which something about the table needs.
    pub(crate) fn require(&self, privilege: &str, table: &Table) -> Result<(), ODataError> {
        match self.rights.depth(privilege) {
            Some(_) => Ok(()),
            None => Err(self.missing(privilege, table)),
        }
    }

    /// Rejects a caller without this privilege, which concerns no table.
    pub(crate) fn require_general(&self, privilege: &str) -> Result<(), ODataError> {
        match self.rights.depth(privilege) {
            Some(_) => Ok(()),
            None => Err(self.refusal(privilege, 0, "none", "")),
        }
    }

    /// Rejects a caller without this privilege for definitions.
    pub(crate) fn require_definitions(&self, privilege: &str) -> Result<(), ODataError> {
        match self.rights.depth(privilege) {
            Some(_) => Ok(()),
            // The type code of definitions of tables.
            None => Err(self.refusal(privilege, 9_800, "entity", "")),
        }
    }

    /// Rejects anything less than organization-wide read, which change tracking needs (§6.4).
    pub(crate) fn require_global_read(&self, table: &Table) -> Result<(), ODataError> {
        if self.depth(table, PrivilegeType::Read)? == Depth::Global {
            return Ok(());
        }
        let name = table
            .privilege(PrivilegeType::Read)
            .map_or("", |privilege| privilege.name.as_str());
        Err(self.refusal(
            name,
            table.object_type_code,
            &table.logical_name,
            " at the depth of the organization, which change tracking needs",
        ))
    }

    fn missing(&self, privilege: &str, table: &Table) -> ODataError {
        self.refusal(privilege, table.object_type_code, &table.logical_name, "")
    }

    /// Worded as by the service (reference §2.9).
    fn refusal(&self, privilege: &str, code: i32, table: &str, addition: &str) -> ODataError {
        ODataError::forbidden(
            "0x80040220",
            format!(
                "Principal user (Id={user}, type=8, roleCount={}, privilegeCount={}, \
                 accessMode={}), is missing {privilege} privilege (Id={}) on OTC={code} for entity \
                 '{table}'{addition}. context.Caller={user}",
                self.rights.role_count,
                self.rights.privilege_count(),
                self.access_mode,
                Privilege::id_of(privilege),
                user = self.user,
            ),
        )
    }

    /// The rows of the table that the caller may access in this way.
    pub(crate) fn access(
        &self,
        table: &Table,
        kind: PrivilegeType,
        alias: &str,
    ) -> Result<Access, ODataError> {
        if self.depth(table, kind)? == Depth::Global && !table.is_personal() {
            return Ok(None);
        }
        let mut conditions = vec!["0".to_owned()];
        let mut texts = Vec::new();
        let mut among = |column: &str, ids: Vec<Uuid>| {
            let (marks, bound) = bound(ids);
            conditions.push(format!("{alias}.\"{column}\" IN ({marks})"));
            texts.extend(bound);
        };
        if let Some(column) = owner_column(table) {
            among(column, self.principals().collect());
        }
        if let Some(column) = unit_column(table) {
            let units = self.units(table, kind);
            if !units.is_empty() {
                among(column, units);
            }
        }
        if self.has_shares && table.ownership == Ownership::UserOwned {
            let (marks, bound) = bound(self.principals());
            conditions.push(format!(
                "{alias}.\"{}\" IN (SELECT objectid FROM principalobjectaccess \
                 WHERE principalid IN ({marks}) AND accessrightsmask & {} <> 0)",
                table.primary_id,
                kind.access_right()
            ));
            texts.extend(bound);
        }
        Ok(Some((format!("({})", conditions.join(" OR ")), texts)))
    }

    /// Rejects a new row whose owner or business unit the caller's privilege does not reach.
    pub(crate) fn require_reach(
        &self,
        table: &Table,
        kind: PrivilegeType,
        owner: Option<Uuid>,
        unit: Option<Uuid>,
    ) -> Result<(), ODataError> {
        if self.depth(table, kind)? == Depth::Global {
            return Ok(());
        }
        let own = owner.is_some_and(|owner| self.principals().any(|id| id == owner));
        let near = unit.is_some_and(|unit| self.units(table, kind).contains(&unit));
        if own || near {
            Ok(())
        } else {
            Err(not_enough())
        }
    }

    /// The business units all of whose rows the privilege reaches.
    fn units(&self, table: &Table, kind: PrivilegeType) -> Vec<Uuid> {
        let Some(privilege) = table.privilege(kind) else {
            return Vec::new();
        };
        let mut units = BTreeSet::new();
        for grant in self.rights.grants(&privilege.name) {
            match grant.depth {
                Depth::Local => units.extend([grant.unit]),
                Depth::Deep => {
                    let below = self.below.iter().find(|(unit, _)| *unit == grant.unit);
                    units.extend(below.into_iter().flat_map(|(_, units)| units));
                }
                Depth::Basic | Depth::Global => {}
            }
        }
        units.into_iter().collect()
    }
}

/// The error for a row beyond the caller's depth (reference §2.9).
pub(crate) fn not_enough() -> ODataError {
    ODataError::forbidden(
        "0x80048306",
        "Not enough privilege to access the Microsoft Dynamics 365 object or perform the \
         requested operation.",
    )
}

/// The column with the owner of a row.
fn owner_column(table: &Table) -> Option<&'static str> {
    let columns = ["ownerid", "systemuserid"];
    let own_key = |column: &str| column != "systemuserid" || table.primary_id == column;
    columns
        .into_iter()
        .find(|column| table.column(column).is_some() && own_key(column))
}

/// The column that says to which business unit a row belongs.
pub(crate) fn unit_column(table: &Table) -> Option<&'static str> {
    ["owningbusinessunit", "businessunitid"]
        .into_iter()
        .find(|column| table.column(column).is_some())
}

/// Question marks for a list, and the texts to bind.
fn bound(ids: impl IntoIterator<Item = Uuid>) -> (String, Vec<String>) {
    let texts: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    (vec!["?"; texts.len()].join(", "), texts)
}

fn ids(connection: &Connection, sql: &str, parameter: &str) -> Result<Vec<Uuid>, ODataError> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([parameter], |row| {
        Ok(parse_guid(
            row.get_ref(0)?.as_str_or_null()?.unwrap_or_default(),
        ))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
