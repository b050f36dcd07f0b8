//! The privileges that protect tables, and the tables that lookups refer to (reference §5.2, §5.3,
//! §11.3).

use dataverse_metadata::Switch;

use super::list::any_of;
use super::{TABLES_PER_FILTER, is_logical_name};
use crate::dataverse::Client;
use crate::dataverse::privilege::{Depth, PrivilegeName, Right};
use crate::dataverse::query::Query;
use crate::error::Error;
use crate::host::{Host, Started};
use crate::json::Object;
use crate::ordered::Set;

/// What protects a table, and whether its changes are tracked and audited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSecurity {
    /// The logical name.
    pub logical_name: String,
    /// The title in the account's language.
    pub title: Option<String>,
    /// The privileges on its rows.
    pub privileges: Vec<TablePrivilege>,
    /// Whether the service tracks its changes.
    pub change_tracking: Switch,
    /// Whether the service keeps a history of it.
    pub auditing: Switch,
}

/// The privilege that a right on the rows of a table requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TablePrivilege {
    /// The right.
    pub right: Right,
    /// The privilege.
    pub name: PrivilegeName,
    /// The greatest depth at which it can be granted.
    pub deepest: Depth,
}

/// What protects these tables. Tables that the environment does not have are left out.
///
/// # Errors
/// The error of the service.
pub async fn security<H: Host>(
    client: &Client<H>,
    names: &[&str],
) -> Result<Vec<TableSecurity>, Error> {
    let names: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| is_logical_name(name))
        .collect();
    let mut running = Vec::new();
    for chunk in names.chunks(TABLES_PER_FILTER) {
        let query = Query::new("EntityDefinitions")
            .option(
                "$select",
                "LogicalName,DisplayName,Privileges,ChangeTrackingEnabled,\
                 CanChangeTrackingBeEnabled,IsAuditEnabled",
            )
            .option("$filter", &any_of(chunk.iter().copied()));
        let client = client.clone();
        running.push(
            Started::new(async move {
                let link = client.resource(query.as_str())?;
                client.read(&link, tables).await
            })
            .await,
        );
    }
    let mut found = Vec::new();
    for response in running {
        found.extend(response.await?);
    }
    Ok(found)
}

/// The tables that writable lookups of a table refer to, apart from the owner of a row: changing
/// the owner requires another privilege.
///
/// # Errors
/// The error of the service.
pub async fn lookup_targets<H: Host>(
    client: &Client<H>,
    table: &str,
) -> Result<Set<String>, Error> {
    if !is_logical_name(table) {
        return Ok(Set::default());
    }
    let path = format!(
        "EntityDefinitions(LogicalName='{table}')/Attributes/\
         Microsoft.Dynamics.CRM.LookupAttributeMetadata\
         ?$select=LogicalName,AttributeType,Targets,IsValidForCreate,IsValidForUpdate"
    );
    let link = client.resource(&path)?;
    client.read(&link, targets).await
}

fn tables(response: &Object<'_>) -> Option<Vec<TableSecurity>> {
    response.list("value")?.map(|it| table(&it)).collect()
}

fn targets(response: &Object<'_>) -> Option<Set<String>> {
    let mut targets = Set::default();
    for lookup in response.list("value")? {
        if is_writable(&lookup) {
            targets.extend(lookup.texts("Targets"));
        }
    }
    Some(targets)
}

fn is_writable(lookup: &Object<'_>) -> bool {
    lookup.text("AttributeType").as_deref() != Some("Owner")
        && (lookup.flag("IsValidForCreate") == Some(true)
            || lookup.flag("IsValidForUpdate") == Some(true))
}

fn table(definition: &Object<'_>) -> Option<TableSecurity> {
    // Properties that a solution may forbid to change.
    let tracking = definition.object("CanChangeTrackingBeEnabled");
    let auditing = definition.object("IsAuditEnabled");
    let flag = |property: &Option<Object<'_>>, name| {
        let value = property.as_ref().and_then(|it| it.flag(name));
        value.unwrap_or_default()
    };
    Some(TableSecurity {
        logical_name: definition.text("LogicalName")?,
        title: definition.object("DisplayName").and_then(|it| title(&it)),
        privileges: definition
            .objects("Privileges")
            .filter_map(|it| privilege(&it))
            .collect(),
        change_tracking: Switch {
            is_on: definition.flag("ChangeTrackingEnabled").unwrap_or_default(),
            can_be_on: flag(&tracking, "Value"),
        },
        auditing: Switch {
            is_on: flag(&auditing, "Value"),
            can_be_on: flag(&auditing, "CanBeChanged"),
        },
    })
}

/// The text in the user's language, or in the first language that has one.
fn title(label: &Object<'_>) -> Option<String> {
    let own = label.object("UserLocalizedLabel").into_iter();
    own.chain(label.objects("LocalizedLabels"))
        .find_map(|label| label.non_empty_text("Label"))
}

fn privilege(privilege: &Object<'_>) -> Option<TablePrivilege> {
    let deepest = [
        ("CanBeGlobal", Depth::Global),
        ("CanBeDeep", Depth::Deep),
        ("CanBeLocal", Depth::Local),
    ]
    .into_iter()
    .find_map(|(name, depth)| privilege.flag(name)?.then_some(depth));
    Some(TablePrivilege {
        right: Right::parse(&privilege.text("PrivilegeType")?)?,
        name: PrivilegeName::parse(&privilege.text("Name")?)?,
        deepest: deepest.unwrap_or(Depth::Basic),
    })
}
