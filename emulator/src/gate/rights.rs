//! What a user or team may do: the sum of roles (reference §11.3).

use std::collections::BTreeMap;

use rusqlite::{Connection, params_from_iter};
use uuid::Uuid;

use crate::{org::Depth, store::layout::parse_guid, wire::ODataError};

/// A privilege held by roles of one business unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) privilege: Uuid,
    pub(crate) depth: Depth,
    /// The business unit from which the depth counts: that of the user or team with the role.
    pub(crate) unit: Uuid,
}

/// The privileges of a user or a team.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rights {
    /// Privilege name → one grant for each business unit.
    grants: BTreeMap<String, Vec<Grant>>,
    pub(crate) role_count: usize,
}

/// The roles of a user: key, and the business unit of the user, or of the team the role is by.
const ROLES_OF_USER: &str = "\
    SELECT r.roleid, u.businessunitid FROM systemuserroles r \
      JOIN systemuser u ON u.systemuserid = r.systemuserid WHERE r.systemuserid = ?1 \
    UNION \
    SELECT r.roleid, t.businessunitid FROM teamroles r JOIN team t ON t.teamid = r.teamid \
      JOIN teammembership m ON m.teamid = r.teamid WHERE m.systemuserid = ?1";

const ROLES_OF_TEAM: &str = "\
    SELECT r.roleid, t.businessunitid FROM teamroles r JOIN team t ON t.teamid = r.teamid \
      WHERE r.teamid = ?1";

const ROLE_ITSELF: &str = "SELECT roleid, businessunitid FROM role WHERE roleid = ?1";

impl Rights {
    /// What a user's own roles and those of the user's teams grant.
    pub(crate) fn of_user(connection: &Connection, user: Uuid) -> Result<Self, ODataError> {
        Self::load(connection, ROLES_OF_USER, user)
    }

    /// What a team's roles grant.
    pub(crate) fn of_team(connection: &Connection, team: Uuid) -> Result<Self, ODataError> {
        Self::load(connection, ROLES_OF_TEAM, team)
    }

    /// What a role grants.
    pub(crate) fn of_role(connection: &Connection, role: Uuid) -> Result<Self, ODataError> {
        Self::load(connection, ROLE_ITSELF, role)
    }

    fn load(connection: &Connection, roles: &str, id: Uuid) -> Result<Self, ODataError> {
        let id = [id.to_string()];
        let sql = format!(
            "WITH held(roleid, unit) AS ({roles}) \
             SELECT p.name, p.privilegeid, max(rp.privilegedepthmask), held.unit FROM held \
             JOIN roleprivileges rp ON rp.roleid = held.roleid \
             JOIN privilege p ON p.privilegeid = rp.privilegeid \
             GROUP BY p.privilegeid, held.unit ORDER BY p.name, held.unit"
        );
        let mut grants: BTreeMap<String, Vec<Grant>> = BTreeMap::new();
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(&id))?;
        while let Some(row) = rows.next()? {
            let guid = |at: usize| -> Result<Uuid, ODataError> {
                let text = row.get_ref(at)?.as_str_or_null().unwrap_or_default();
                Ok(parse_guid(text.unwrap_or_default()))
            };
            let Some(depth) = Depth::from_mask(row.get(2)?) else {
                continue;
            };
            grants.entry(row.get(0)?).or_default().push(Grant {
                privilege: guid(1)?,
                depth,
                unit: guid(3)?,
            });
        }
        let count = format!("SELECT count(DISTINCT roleid) FROM ({roles})");
        let role_count: i64 = connection
            .prepare_cached(&count)?
            .query_row(params_from_iter(&id), |row| row.get(0))?;
        Ok(Self {
            grants,
            role_count: usize::try_from(role_count).unwrap_or(0),
        })
    }

    /// Takes away what another does not hold, and what reaches further than the other's.
    pub(crate) fn limit_to(&mut self, other: &Self) {
        self.grants.retain(|privilege, grants| {
            let Some(most) = other.depth(privilege) else {
                return false;
            };
            for grant in grants {
                grant.depth = grant.depth.min(most);
            }
            true
        });
    }

    /// The grants of a privilege; none if it is not held.
    pub(crate) fn grants(&self, privilege: &str) -> &[Grant] {
        self.grants.get(privilege).map_or(&[], Vec::as_slice)
    }

    /// The greatest depth at which a privilege is held.
    pub(crate) fn depth(&self, privilege: &str) -> Option<Depth> {
        self.grants(privilege).iter().map(|grant| grant.depth).max()
    }

    /// Every grant, sorted by the privilege's name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Grant)> {
        let named = self.grants.iter();
        named.flat_map(|(name, grants)| grants.iter().map(move |grant| (name.as_str(), grant)))
    }

    /// How many privileges are held.
    pub(crate) fn privilege_count(&self) -> usize {
        self.grants.len()
    }
}
