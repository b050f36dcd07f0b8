//! The privileges that the account has: by its own roles and those of its teams (reference §11.3).

use crate::dataverse::privilege::{Depth, PrivilegeName};
use crate::dataverse::query::Query;
use crate::dataverse::rows::{get, rows};
use crate::dataverse::{Client, Guid};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::json::Object;
use crate::ordered::{Map, Set};

/// The template of the role System Administrator, the same in every environment (reference §11.1).
const SYSTEM_ADMINISTRATOR: &str = "627090ff-40a3-4053-8790-584edc5be201";

/// The privileges of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::connection) struct Held {
    by_name: Map<PrivilegeName, Depth>,
    /// Privileges of which the service returned the key and not the name.
    by_id: Map<Guid, Depth>,
}

impl Held {
    /// Requests the total from the service; if that is not available, adds up the roles.
    ///
    /// # Errors
    /// The error of the service if both fail.
    pub(in crate::connection) async fn read<H: Host>(
        client: &Client<H>,
        user: &Guid,
    ) -> Result<Self, Error> {
        match total(client, user).await {
            Err(error)
                if matches!(
                    error.kind,
                    ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::Unsupported
                ) =>
            {
                of_roles(client, user).await
            }
            outcome => outcome,
        }
    }

    /// How far a privilege reaches; none if the account does not have it. `ids` has the keys of
    /// privileges.
    pub(in crate::connection) fn depth(
        &self,
        name: &PrivilegeName,
        ids: &Map<PrivilegeName, Guid>,
    ) -> Option<Depth> {
        let by_id = ids.get(name).and_then(|id| self.by_id.get(id));
        self.by_name.get(name).max(by_id).copied()
    }

    /// Whether the account has a privilege, as far as its name is known.
    pub(in crate::connection) fn has(&self, name: &PrivilegeName) -> bool {
        self.needs_ids() || self.by_name.contains_key(name)
    }

    /// Whether the keys of privileges must be known to compare them.
    pub(in crate::connection) fn needs_ids(&self) -> bool {
        !self.by_id.is_empty()
    }

    fn add(&mut self, name: Option<PrivilegeName>, id: Option<Guid>, depth: Depth) {
        // One privilege may come from several roles: the deepest counts.
        let deepest = |known: &mut Depth, depth: Depth| *known = depth.max(*known);
        match (name, id) {
            (Some(name), _) => self.by_name.merge(name, depth, deepest),
            (None, Some(id)) => self.by_id.merge(id, depth, deepest),
            (None, None) => {}
        }
    }
}

/// Whether the account is a System Administrator, by a role of its own or of a team.
///
/// # Errors
/// The error of the service: an account that may not read roles cannot read its own.
pub(in crate::connection) async fn is_administrator<H: Host>(
    client: &Client<H>,
    user: &Guid,
) -> Result<bool, Error> {
    let roles = roles_of(client, user).await?;
    Ok(roles.iter().any(|role| role.is_administrator))
}

async fn total<H: Host>(client: &Client<H>, user: &Guid) -> Result<Held, Error> {
    let query = Query::new(&format!(
        "systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()"
    ));
    get(client, &query, |response| {
        let mut held = Held::default();
        for row in response.list("RolePrivileges")? {
            let name = row.text("PrivilegeName");
            let name = name.as_deref().and_then(PrivilegeName::parse);
            if let Some(depth) = Depth::parse(&row.text("Depth")?) {
                held.add(name, row.key("PrivilegeId"), depth);
            }
        }
        Some(held)
    })
    .await
}

async fn of_roles<H: Host>(client: &Client<H>, user: &Guid) -> Result<Held, Error> {
    let mut held = Held::default();
    let roles: Set<Guid> = roles_of(client, user)
        .await?
        .into_iter()
        .map(|role| role.id)
        .collect();
    for role in roles {
        for (privilege, depth) in of_role(client, &role).await? {
            if let Some(depth) = depth {
                held.add(None, Some(privilege), depth);
            }
        }
    }
    Ok(held)
}

/// The keys of the privileges in a role, and how far each reaches.
///
/// # Errors
/// The error of the service.
pub(in crate::connection) async fn of_role<H: Host>(
    client: &Client<H>,
    role: &Guid,
) -> Result<Vec<(Guid, Option<Depth>)>, Error> {
    let query = Query::new("roleprivilegescollection")
        .select(&["privilegeid", "privilegedepthmask"])
        .option("$filter", &format!("roleid eq {role}"));
    rows(client, &query, |row| {
        let mask = row.integer("privilegedepthmask")?;
        Some((row.key("privilegeid")?, Depth::from_mask(mask)))
    })
    .await
}

/// A role of the account or of one of its teams.
struct HeldRole {
    id: Guid,
    is_administrator: bool,
}

impl HeldRole {
    fn read(row: &Object<'_>) -> Option<Self> {
        Some(Self {
            id: row.key("roleid")?,
            is_administrator: row.text("_roletemplateid_value").as_deref()
                == Some(SYSTEM_ADMINISTRATOR),
        })
    }
}

/// The roles of the account and of its teams. A role that the account has in several ways is
/// included several times.
async fn roles_of<H: Host>(client: &Client<H>, user: &Guid) -> Result<Vec<HeldRole>, Error> {
    let columns = ["roleid", "_roletemplateid_value"];
    let own = format!("systemusers({user})/systemuserroles_association");
    let mut roles = rows(client, &Query::new(&own).select(&columns), HeldRole::read).await?;
    let teams = format!("systemusers({user})/teammembership_association");
    let teams = Query::new(&teams).select(&["teamid"]);
    for team in rows(client, &teams, |team| team.key("teamid")).await? {
        let path = format!("teams({team})/teamroles_association");
        let query = Query::new(&path).select(&columns);
        roles.extend(rows(client, &query, HeldRole::read).await?);
    }
    Ok(roles)
}
