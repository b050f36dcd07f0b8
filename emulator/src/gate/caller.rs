//! A user of the organization with the sum of their roles (reference §11).

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::{
    odata::ODataError,
    schema::{PrivilegeType, Table},
    store::layout::parse_guid,
};

/// How far a privilege reaches (`privilegedepthmask`, reference §11.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    /// The user's own rows and those of the user's teams.
    Basic,
    /// The rows of the user's business unit.
    Local,
    /// The rows of the user's business unit and all below it.
    Deep,
    /// Every row of the organization.
    Global,
}

impl Depth {
    fn from_mask(mask: i64) -> Option<Self> {
        match mask {
            1 => Some(Self::Basic),
            2 => Some(Self::Local),
            4 => Some(Self::Deep),
            8 => Some(Self::Global),
            _ => None,
        }
    }

    /// The name in the answers of `RetrieveUserPrivileges`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Local => "Local",
            Self::Deep => "Deep",
            Self::Global => "Global",
        }
    }
}

/// One privilege a caller holds.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) privilege: Uuid,
    pub(crate) depth: Depth,
}

/// A user and their rights.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: Uuid,
    pub(crate) unit: Uuid,
    pub(crate) teams: Vec<Uuid>,
    /// The caller's business unit and all below it.
    units: Vec<Uuid>,
    /// Privilege name → grant of the greatest depth.
    pub(crate) grants: HashMap<String, Grant>,
    role_count: usize,
    access_mode: i64,
    disabled: bool,
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
        let unit = unit.as_deref().map(parse_guid).unwrap_or_default();
        let teams = ids(
            connection,
            "SELECT teamid FROM teammembership WHERE systemuserid = ?1",
            &id,
        )?;
        let units = ids(
            connection,
            "WITH RECURSIVE below(id) AS (SELECT ?1 UNION SELECT businessunitid FROM \
             businessunit JOIN below ON parentbusinessunitid = below.id) SELECT id FROM below",
            &unit.to_string(),
        )?;
        let mut grants = HashMap::new();
        let mut statement = connection.prepare(
            "WITH mine(roleid) AS (\
               SELECT roleid FROM systemuserroles WHERE systemuserid = ?1 UNION \
               SELECT r.roleid FROM teamroles r JOIN teammembership m ON m.teamid = r.teamid \
               WHERE m.systemuserid = ?1) \
             SELECT p.name, p.privilegeid, max(rp.privilegedepthmask) FROM mine \
             JOIN roleprivileges rp ON rp.roleid = mine.roleid \
             JOIN privilege p ON p.privilegeid = rp.privilegeid GROUP BY p.privilegeid",
        )?;
        let mut rows = statement.query([&id])?;
        while let Some(row) = rows.next()? {
            let privilege = parse_guid(row.get_ref(1)?.as_str().unwrap_or_default());
            if let Some(depth) = Depth::from_mask(row.get(2)?) {
                grants.insert(row.get(0)?, Grant { privilege, depth });
            }
        }
        let role_count: Option<i64> = connection
            .query_row(
                "SELECT count(*) FROM (SELECT roleid FROM systemuserroles WHERE systemuserid = ?1 \
                 UNION SELECT r.roleid FROM teamroles r JOIN teammembership m \
                 ON m.teamid = r.teamid WHERE m.systemuserid = ?1)",
                [&id],
                |row| row.get(0),
            )
            .optional()?;
        Ok(Self {
            user,
            unit,
            teams,
            units,
            grants,
            role_count: usize::try_from(role_count.unwrap_or(0)).unwrap_or(0),
            access_mode: access_mode.unwrap_or(0),
            disabled: disabled.unwrap_or(false),
        })
    }

    /// Whether the organization lets the user in at all (reference §2.9).
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
        if self.role_count == 0 {
            return Err(ODataError::forbidden(
                "0x80042F09",
                "The user has not been assigned any roles.",
            ));
        }
        Ok(())
    }

    /// How far the caller's privilege for this kind of access reaches; [`Depth::Global`] where
    /// the table needs none.
    pub(crate) fn depth(&self, table: &Table, kind: PrivilegeType) -> Result<Depth, ODataError> {
        let Some(privilege) = table.privilege(kind) else {
            return Ok(Depth::Global);
        };
        self.grants
            .get(&privilege.name)
            .map(|grant| grant.depth)
            .ok_or_else(|| {
                ODataError::forbidden(
                    "0x80040220",
                    format!(
                        "Principal user (Id={}, type=8, roleCount={}, privilegeCount={}, \
                     accessMode={}), is missing {} privilege (Id={}) on OTC={} for entity '{}'. \
                     context.Caller={}",
                        self.user,
                        self.role_count,
                        self.grants.len(),
                        self.access_mode,
                        privilege.name,
                        privilege.id,
                        table.object_type_code,
                        table.logical_name,
                        self.user,
                    ),
                )
            })
    }

    /// Refuses anything less than organization-wide read, which change tracking needs (§6.4).
    pub(crate) fn require_global_read(&self, table: &Table) -> Result<(), ODataError> {
        if self.depth(table, PrivilegeType::Read)? == Depth::Global {
            return Ok(());
        }
        Err(ODataError::forbidden(
            "0x80040220",
            format!(
                "Principal user (Id={}, type=8) needs organization-level read access to entity \
                 '{}' to retrieve changes.",
                self.user, table.logical_name
            ),
        ))
    }

    /// The rows of the table that the caller may access in this way.
    pub(crate) fn access(
        &self,
        table: &Table,
        kind: PrivilegeType,
        alias: &str,
    ) -> Result<Access, ODataError> {
        let depth = self.depth(table, kind)?;
        let has = |column: &str| table.column(column).is_some();
        let (column, ids) = match depth {
            Depth::Global => return Ok(None),
            Depth::Basic if has("ownerid") => (
                "ownerid",
                std::iter::once(self.user)
                    .chain(self.teams.iter().copied())
                    .collect(),
            ),
            Depth::Local if has("owningbusinessunit") => ("owningbusinessunit", vec![self.unit]),
            Depth::Deep if has("owningbusinessunit") => ("owningbusinessunit", self.units.clone()),
            Depth::Local if has("businessunitid") => ("businessunitid", vec![self.unit]),
            Depth::Deep if has("businessunitid") => ("businessunitid", self.units.clone()),
            _ => return Ok(Some(("0".to_owned(), Vec::new()))),
        };
        let marks = vec!["?"; ids.len()].join(", ");
        let texts = ids.iter().map(Uuid::to_string).collect();
        Ok(Some((format!("{alias}.\"{column}\" IN ({marks})"), texts)))
    }
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
