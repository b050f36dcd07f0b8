//! Creating the minimal role in the environment, or adding the missing privileges to it
//! (reference §11).

use serde_json::json;

use super::privileges::{Permission, Requirements, Tables, lookup, of_role};
use super::role::{ADD_PRIVILEGES, new_role, requirements, root_business_unit};
use crate::dataverse::query::{Query, string_literal};
use crate::dataverse::rows::rows;
use crate::dataverse::{Client, Guid, Request};
use crate::error::{Commit, Error, ErrorKind};
use crate::host::{Host, Method};
use crate::ordered::Map;

/// The longest name of a role, in characters.
const MAX_NAME: usize = 100;

/// The change of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleChange {
    /// Its key.
    pub id: Guid,
    /// Whether it is new; otherwise a role of this name existed, and has got the missing
    /// privileges.
    pub created: bool,
    /// The privileges that were added.
    pub added: Vec<Permission>,
    /// The privileges that the environment does not have.
    pub unknown: Vec<Permission>,
}

pub(super) async fn create_role<H: Host>(
    client: &Client<H>,
    name: &str,
) -> Result<RoleChange, Error> {
    let name = role_name(name)?;
    let requirements = requirements(client.settings())?;
    let business_unit = root(client).await?;
    let existing = find(client, name, &business_unit).await?;
    let (known, unknown) = known_permissions(client, &requirements).await?;
    let missing = match &existing {
        None => known,
        Some(role) => missing(client, role, known).await?,
    };
    let (id, created) = match existing {
        Some(role) => (role, false),
        None => (create(client, name, &business_unit).await?, true),
    };
    if !missing.is_empty() {
        add(client, &id, &business_unit, &missing)
            .await
            .map_err(|error| partly_done(error, name, created))?;
    }
    let added = missing.into_iter().map(|(permission, _)| permission);
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
            format!(
                "invalid role name: it must have 1 to {MAX_NAME} characters; choose another name"
            ),
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
            "cannot create the role: the account cannot read the root business unit; in a security role \
             of the account, set \"Read\" of Business Unit to Organization",
        )
    })
}

/// The role of that name in the root business unit. Those of the product or of a solution are
/// not changed.
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
                "cannot change the role {name:?}: it belongs to the system or to a managed \
                 solution; choose another name"
            ),
        ));
    }
    Ok(roles.into_iter().next().map(|(key, _)| key))
}

/// A permission and the key of its privilege.
type Addable = (Permission, Guid);

/// The privileges that the role must have, and those that the environment does not have.
async fn known_permissions<H: Host>(
    client: &Client<H>,
    requirements: &Requirements,
) -> Result<(Vec<Addable>, Vec<Permission>), Error> {
    let tables = Tables::read(client, requirements).await?;
    let permissions = tables.permissions(requirements);
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

/// The privileges that the role does not have, or not at the required depth.
async fn missing<H: Host>(
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
    let link = client.resource("roles")?;
    let request = Request::new(Method::Post, &link)
        .with_purpose(format!("create the role {name:?}"))
        .with_json(body.to_string());
    let key = match client.send(&request).await?.row_key() {
        Some(key) => Some(key),
        // The service creates it without returning its key.
        None => find(client, name, business_unit).await?,
    };
    key.ok_or_else(|| {
        let mut error = Error::new(
            ErrorKind::Unavailable,
            format!(
                "the role {name:?} was created, but cannot be found yet; try again in a minute"
            ),
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
    let request = Request::new(Method::Post, &link)
        .with_purpose("add privileges to the role")
        .with_json(body.to_string())
        .idempotent();
    client.send(&request).await?;
    Ok(())
}

/// The role exists, and its privileges are missing.
fn partly_done(mut error: Error, name: &str, created: bool) -> Error {
    if created {
        error.commit = Commit::Partial;
        error.message = format!(
            "the role {name:?} was created, but its privileges are still missing: {}; then create \
            the role again to add them",
            error.message
        );
    }
    error
}
