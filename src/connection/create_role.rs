//! Creating the least role in the environment, or adding to it what it lacks
//! (reference §11).

use serde_json::json;

use super::privileges::{Permission, Tables, Wanted, lookup, of_role};
use super::role::{ADD_PRIVILEGES, new_role, root_business_unit, wanted};
use crate::dataverse::query::{Query, string_literal};
use crate::dataverse::rows::rows;
use crate::dataverse::{Client, Guid, Twice};
use crate::error::{Commit, Error, ErrorKind};
use crate::host::Host;
use crate::ordered::Map;

/// The longest name of a role, in characters.
const MAX_NAME: usize = 100;

/// What was done to a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleChange {
    /// Its key.
    pub id: Guid,
    /// Whether it is new; otherwise a role of this name was there, and has now what it lacked.
    pub created: bool,
    /// What was added to it.
    pub added: Vec<Permission>,
    /// What the environment does not have, and the role therefore neither.
    pub unknown: Vec<Permission>,
}

pub(super) async fn create_role<H: Host>(
    client: &Client<H>,
    name: &str,
) -> Result<RoleChange, Error> {
    let name = role_name(name)?;
    let wanted = wanted(client.settings())?;
    let business_unit = root(client).await?;
    let existing = find(client, name, &business_unit).await?;
    let (known, unknown) = known_permissions(client, &wanted).await?;
    let lacking = match &existing {
        None => known,
        Some(role) => lacking(client, role, known).await?,
    };
    let (id, created) = match existing {
        Some(role) => (role, false),
        None => (create(client, name, &business_unit).await?, true),
    };
    if !lacking.is_empty() {
        add(client, &id, &business_unit, &lacking)
            .await
            .map_err(|error| half_way(error, name, created))?;
    }
    let added = lacking.into_iter().map(|(permission, _)| permission);
    Ok(RoleChange {
        id,
        created,
        added: added.collect(),
        unknown,
    })
}

fn role_name(name: &str) -> Result<&str, Error> {
    let name = name.trim();
    let fits =
        !name.is_empty() && name.chars().count() <= MAX_NAME && !name.chars().any(char::is_control);
    fits.then_some(name).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidData,
            format!("a role's name must have 1 to {MAX_NAME} characters; choose another one"),
        )
    })
}

async fn root<H: Host>(client: &Client<H>) -> Result<Guid, Error> {
    let units = rows(client, &root_business_unit(), |unit| {
        unit.key("businessunitid")
    })
    .await?;
    units.into_iter().next().ok_or_else(|| {
        Error::new(
            ErrorKind::Forbidden,
            "the root business unit cannot be seen, and a role belongs to it; let a security \
             role of the account read the Business Unit table at Organization depth",
        )
    })
}

/// The role of that name in the root business unit. Those that came with the product or with
/// a solution belong to their makers.
async fn find<H: Host>(
    client: &Client<H>,
    name: &str,
    business_unit: &Guid,
) -> Result<Option<Guid>, Error> {
    let condition = format!(
        "name eq {} and _businessunitid_value eq {business_unit}",
        string_literal(name)
    );
    let query = Query::new("roles")
        .select(&["roleid", "name", "ismanaged", "_roletemplateid_value"])
        .option("$filter", &condition);
    let roles = rows(client, &query, |role| {
        let is_foreign =
            role.text("_roletemplateid_value").is_some() || role.flag("ismanaged") == Some(true);
        Some((role.key("roleid")?, is_foreign))
    })
    .await?;
    if roles.iter().any(|(_, is_foreign)| *is_foreign) {
        return Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "the role {name:?} belongs to the system or to a managed solution, and is not \
                 changed; choose another name"
            ),
        ));
    }
    Ok(roles.into_iter().next().map(|(key, _)| key))
}

/// A permission and the key of its privilege.
type Addable = (Permission, Guid);

/// What the role must hold, and what the environment does not know.
async fn known_permissions<H: Host>(
    client: &Client<H>,
    wanted: &Wanted,
) -> Result<(Vec<Addable>, Vec<Permission>), Error> {
    let tables = Tables::read(client, wanted).await?;
    let permissions = wanted.permissions(&tables);
    let privileges = lookup::privileges(client, &permissions)
        .await?
        .into_iter()
        .map(|privilege| (privilege.name, (privilege.id, privilege.deepest)))
        .collect::<Map<_, _>>();
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    for mut permission in permissions {
        match privileges.get(&permission.privilege) {
            Some((id, deepest)) => {
                permission.depth = permission.depth.min(*deepest);
                known.push((permission, id.clone()));
            }
            None => unknown.push(permission),
        }
    }
    Ok((known, unknown))
}

/// What a role does not hold, or not deep enough.
async fn lacking<H: Host>(
    client: &Client<H>,
    role: &Guid,
    permissions: Vec<Addable>,
) -> Result<Vec<Addable>, Error> {
    let held = of_role(client, role)
        .await?
        .into_iter()
        .collect::<Map<_, _>>();
    Ok(permissions
        .into_iter()
        .filter(|(permission, id)| held.get(id).copied().flatten() < Some(permission.depth))
        .collect())
}

async fn create<H: Host>(
    client: &Client<H>,
    name: &str,
    business_unit: &Guid,
) -> Result<Guid, Error> {
    let body = new_role(name, &business_unit.to_string());
    let doing = format!("create the role {name:?}");
    let key = client
        .post(&client.resource("roles")?, &doing, &body, Twice::IsTwice)
        .await?;
    let key = match key {
        Some(key) => Some(key),
        // The service creates it without telling its key.
        None => find(client, name, business_unit).await?,
    };
    key.ok_or_else(|| {
        let mut error = Error::new(
            ErrorKind::Unavailable,
            format!("the role {name:?} was created, but is not seen yet; run it again in a minute"),
        );
        error.commit = Commit::Partial;
        error
    })
}

async fn add<H: Host>(
    client: &Client<H>,
    role: &Guid,
    business_unit: &Guid,
    permissions: &[Addable],
) -> Result<(), Error> {
    let privileges: Vec<_> = permissions
        .iter()
        .map(|(permission, id)| {
            json!({
                "Depth": permission.depth.as_str(),
                "PrivilegeId": id.to_string(),
                "BusinessUnitId": business_unit.to_string(),
                "PrivilegeName": permission.privilege.as_str(),
            })
        })
        .collect();
    let link = client.resource(&format!("roles({role})/{ADD_PRIVILEGES}"))?;
    let body = json!({ "Privileges": privileges });
    client
        .post(&link, "add privileges to the role", &body, Twice::IsOnce)
        .await?;
    Ok(())
}

/// The role is there and its privileges are not.
fn half_way(mut error: Error, name: &str, created: bool) -> Error {
    if created {
        error.commit = Commit::Partial;
        error.message = format!(
            "the role {name:?} was created, but is still without its privileges: {}; then run it \
             again, it goes on where it stopped",
            error.message
        );
    }
    error
}
