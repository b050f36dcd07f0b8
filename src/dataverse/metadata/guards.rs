//! What guards tables and what their rows can refer to (reference §5.2, §5.3, §11.3).

use serde::Deserialize;

use super::super::privilege::{Depth, PrivilegeName, Right};
use super::super::query::{Query, string_literal};
use super::super::{Client, Prefer};
use super::{is_logical_name, wire};
use crate::error::Error;
use crate::host::{Host, Started};

/// How many tables are asked about in one request.
const TABLES_AT_ONCE: usize = 25;

/// A table, seen by whoever gives rights on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableGuards {
    /// The logical name.
    pub logical_name: String,
    /// The title in the account's language.
    pub title: Option<String>,
    /// What each right on its rows takes.
    pub privileges: Vec<TablePrivilege>,
    /// Whether the service keeps track of its changes.
    pub change_tracking: Switch,
    /// Whether its history is kept.
    pub auditing: Switch,
}

/// Something that is done for a table or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Whether it is done.
    pub is_on: bool,
    /// Whether it can be switched on.
    pub can_be_on: bool,
}

/// What a right on the rows of a table takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TablePrivilege {
    /// The right.
    pub right: Right,
    /// The privilege.
    pub name: PrivilegeName,
    /// The furthest that it can reach.
    pub deepest: Depth,
}

/// What guards these tables. Tables that the environment does not have are left out.
///
/// # Errors
/// What the service said.
pub async fn guards<H: Host>(
    client: &Client<H>,
    names: &[&str],
) -> Result<Vec<TableGuards>, Error> {
    let names: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| is_logical_name(name))
        .collect();
    let mut running = Vec::new();
    for chunk in names.chunks(TABLES_AT_ONCE) {
        let conditions: Vec<String> = chunk
            .iter()
            .map(|name| format!("LogicalName eq {}", string_literal(name)))
            .collect();
        let query = Query::new("EntityDefinitions")
            .option(
                "$select",
                "LogicalName,DisplayName,Privileges,ChangeTrackingEnabled,\
                 CanChangeTrackingBeEnabled,IsAuditEnabled",
            )
            .option("$filter", &conditions.join(" or "));
        let client = client.clone();
        running.push(
            Started::new(
                async move { get::<H, wire::List<Definition>>(&client, query.as_str()).await },
            )
            .await,
        );
    }
    let mut guards = Vec::new();
    for answer in running {
        guards.extend(answer.await?.value.into_iter().map(TableGuards::from));
    }
    Ok(guards)
}

/// The tables that lookups of a table's rows can be set to point to, besides their owner.
///
/// # Errors
/// What the service said.
pub async fn references<H: Host>(client: &Client<H>, table: &str) -> Result<Vec<String>, Error> {
    if !is_logical_name(table) {
        return Ok(Vec::new());
    }
    let path = format!(
        "EntityDefinitions(LogicalName='{table}')/Attributes/\
         Microsoft.Dynamics.CRM.LookupAttributeMetadata\
         ?$select=LogicalName,AttributeType,Targets,IsValidForCreate,IsValidForUpdate"
    );
    let lookups: wire::List<Lookup> = get(client, &path).await?;
    let mut targets: Vec<String> = lookups
        .value
        .into_iter()
        .filter(Lookup::can_be_set)
        .flat_map(|lookup| lookup.targets.unwrap_or_default())
        .collect();
    targets.sort_unstable();
    targets.dedup();
    Ok(targets)
}

async fn get<H: Host, T: serde::de::DeserializeOwned>(
    client: &Client<H>,
    path: &str,
) -> Result<T, Error> {
    client
        .get_json(&client.resource(path)?, &Prefer::default())
        .await
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    logical_name: String,
    display_name: Option<wire::Label>,
    privileges: Option<Vec<Privilege>>,
    change_tracking_enabled: Option<bool>,
    can_change_tracking_be_enabled: Option<Managed>,
    is_audit_enabled: Option<Managed>,
}

/// A property that a solution may forbid to change.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Managed {
    value: Option<bool>,
    can_be_changed: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Privilege {
    name: Option<String>,
    #[serde(rename = "PrivilegeType")]
    right: Option<String>,
    #[serde(default)]
    can_be_local: bool,
    #[serde(default)]
    can_be_deep: bool,
    #[serde(default)]
    can_be_global: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Lookup {
    attribute_type: Option<String>,
    targets: Option<Vec<String>>,
    is_valid_for_create: Option<bool>,
    is_valid_for_update: Option<bool>,
}

impl Lookup {
    /// Giving a row to another owner takes a right of its own.
    fn can_be_set(&self) -> bool {
        self.attribute_type.as_deref() != Some("Owner")
            && (self.is_valid_for_create == Some(true) || self.is_valid_for_update == Some(true))
    }
}

impl Privilege {
    fn read(self) -> Option<TablePrivilege> {
        let deepest = if self.can_be_global {
            Depth::Global
        } else if self.can_be_deep {
            Depth::Deep
        } else if self.can_be_local {
            Depth::Local
        } else {
            Depth::Basic
        };
        Some(TablePrivilege {
            right: Right::parse(&self.right?)?,
            name: PrivilegeName::parse(&self.name?)?,
            deepest,
        })
    }
}

impl From<Definition> for TableGuards {
    fn from(definition: Definition) -> Self {
        let tracking = definition.can_change_tracking_be_enabled;
        let auditing = definition.is_audit_enabled;
        Self {
            title: definition.display_name.and_then(wire::Label::into_text),
            privileges: definition
                .privileges
                .into_iter()
                .flatten()
                .filter_map(Privilege::read)
                .collect(),
            change_tracking: Switch {
                is_on: definition.change_tracking_enabled.unwrap_or_default(),
                can_be_on: tracking.and_then(|it| it.value).unwrap_or_default(),
            },
            auditing: Switch {
                is_on: auditing
                    .as_ref()
                    .and_then(|it| it.value)
                    .unwrap_or_default(),
                can_be_on: auditing
                    .and_then(|it| it.can_be_changed)
                    .unwrap_or_default(),
            },
            logical_name: definition.logical_name,
        }
    }
}
