//! The minimal role for the purpose of a connection, and the calls that create it (reference §11).

use serde_json::json;

use super::privileges::{Permission, Requirements, Tables, lookup};
use crate::dataverse::Environment;
use crate::dataverse::query::Query;
use crate::error::{Error, ErrorKind};
use crate::host::Method;
use crate::settings::{Purpose, Settings};

/// The minimal privileges of an account for the purpose of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The suggested name.
    pub name: String,
    /// In the order in which the role editor shows them.
    pub permissions: Vec<Permission>,
    /// The calls that create it, in order.
    pub calls: Vec<Call>,
}

/// One call of the Web API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What it does, for a person.
    pub title: String,
    /// The method.
    pub method: Method,
    /// Absolute. A part in braces stands for a value that an earlier call returned; the title
    /// of that call says which.
    pub url: String,
    /// JSON, with braces as in `url`.
    pub body: Option<String>,
}

/// The role that the settings require. Needs no network: the privileges on the standard tables
/// are known here, and of other tables it is assumed that their privileges have their names and
/// that they refer to any of the connection's tables.
///
/// # Errors
/// `InvalidSettings`, also when the settings have no purpose.
pub fn required_role(settings: &str) -> Result<Role, Error> {
    let settings = Settings::parse(settings)?;
    let requirements = requirements(&settings)?;
    let permissions = Tables::offline(&requirements).permissions(&requirements);
    let name = name(&settings.purpose);
    let environment = Environment::of(&settings);
    let calls = calls(environment.api_root().as_str(), &name, &permissions);
    Ok(Role {
        name,
        permissions,
        calls,
    })
}

/// The purpose in the settings.
///
/// # Errors
/// `InvalidSettings` when there is none.
pub(super) fn requirements(settings: &Settings) -> Result<Requirements, Error> {
    if settings.purpose.is_unknown() {
        return Err(Error::new(
            ErrorKind::InvalidSettings,
            "cannot derive a role: the settings have no purpose; set profiles or tables in \"purpose\"",
        ));
    }
    Ok(Requirements::of(&settings.purpose))
}

fn name(purpose: &Purpose) -> String {
    let profiles: Vec<&str> = purpose
        .profiles
        .iter()
        .map(|profile| profile.as_str())
        .collect();
    if profiles.is_empty() {
        "Dataverse connector".to_owned()
    } else {
        format!("Dataverse connector: {}", profiles.join(", "))
    }
}

fn calls(api: &str, name: &str, permissions: &[Permission]) -> Vec<Call> {
    let mut calls = vec![
        Call {
            title: "Find the root business unit; its businessunitid is {business-unit}".to_owned(),
            method: Method::Get,
            url: format!("{api}{}", root_business_unit().as_str()),
            body: None,
        },
        Call {
            title: format!(
                "Create the role \"{name}\"; {{role}} is the id at the end of the response's \
                 OData-EntityId"
            ),
            method: Method::Post,
            url: format!("{api}roles"),
            body: Some(new_role(name, "{business-unit}").to_string()),
        },
    ];
    calls.extend(permissions.chunks(lookup::AT_ONCE).map(|chunk| Call {
        title: format!(
            "Look up {} privileges; replace each name in braces by the privilegeid of its row",
            chunk.len()
        ),
        method: Method::Get,
        url: format!("{api}{}", lookup::by_name(chunk).as_str()),
        body: None,
    }));
    let privileges: Vec<_> = permissions
        .iter()
        .map(|permission| {
            json!({
                "Depth": permission.depth.as_str(),
                "PrivilegeId": format!("{{{}}}", permission.privilege),
                "BusinessUnitId": "{business-unit}",
                "PrivilegeName": permission.privilege.as_str(),
            })
        })
        .collect();
    calls.push(Call {
        title: "Add the privileges to the role".to_owned(),
        method: Method::Post,
        url: format!("{api}roles({{role}})/{ADD_PRIVILEGES}"),
        body: Some(json!({ "Privileges": privileges }).to_string()),
    });
    calls
}

/// The action that adds privileges to a role.
pub(super) const ADD_PRIVILEGES: &str = "Microsoft.Dynamics.CRM.AddPrivilegesRole";

/// The query for the business unit without a parent.
pub(super) fn root_business_unit() -> Query {
    Query::new("businessunits")
        .select(&["businessunitid", "name"])
        .option("$filter", "_parentbusinessunitid_value eq null")
}

/// The body that creates a role.
pub(super) fn new_role(name: &str, business_unit: &str) -> serde_json::Value {
    json!({
        "name": name,
        "businessunitid@odata.bind": format!("/businessunits({business_unit})"),
    })
}
