//! The privileges that protect tables, and the tables that lookups refer to (reference §5.2, §5.3,
//! §11.3).

use super::definition::Switch;
use super::list::any_of;
use super::{TABLES_PER_FILTER, incomplete, is_logical_name, wire};
use crate::dataverse::privilege::{Depth, PrivilegeName, Right};
use crate::dataverse::query::Query;
use crate::dataverse::{Client, Link, Prefer};
use crate::error::Error;
use crate::host::{Host, Started};
use crate::ordered::Set;

/// What protects a table, and what the environment keeps of its changes.
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

/// The privilege that a right on the rows of a table takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TablePrivilege {
    /// The right.
    pub right: Right,
    /// The privilege.
    pub name: PrivilegeName,
    /// The widest depth at which it can be granted.
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
                let body = client.get_json(&link, &Prefer::default()).await?;
                tables(&body).ok_or_else(|| incomplete(&link))
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
/// the owner takes a privilege of its own.
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
    let link: Link = client.resource(&path)?;
    let body = client.get_json(&link, &Prefer::default()).await?;
    targets(&body).ok_or_else(|| incomplete(&link))
}

fn tables(body: &[u8]) -> Option<Vec<TableSecurity>> {
    let tables: wire::List<'_, wire::Table<'_>> = wire::read(body)?;
    tables.value?.iter().map(table).collect()
}

fn targets(body: &[u8]) -> Option<Set<String>> {
    let lookups: wire::List<'_, wire::Column<'_>> = wire::read(body)?;
    let mut targets = Set::default();
    for lookup in lookups.value?.iter().filter(|lookup| is_writable(lookup)) {
        let names = lookup.targets.iter().flatten();
        targets.extend(names.filter_map(|name| name.text()));
    }
    Some(targets)
}

fn is_writable(lookup: &wire::Column<'_>) -> bool {
    lookup.attribute_type.as_text().as_deref() != Some("Owner")
        && (lookup.is_valid_for_create.flag() == Some(true)
            || lookup.is_valid_for_update.flag() == Some(true))
}

fn table(table: &wire::Table<'_>) -> Option<TableSecurity> {
    let tracking = table.can_change_tracking_be_enabled.as_ref();
    let auditing = table.is_audit_enabled.as_ref();
    let privileges = table.privileges.iter().flatten();
    Some(TableSecurity {
        logical_name: table.logical_name.text()?,
        title: wire::title(table.display_name.as_ref()),
        privileges: privileges.filter_map(privilege).collect(),
        change_tracking: Switch {
            is_on: table.change_tracking_enabled.flag().unwrap_or_default(),
            can_be_on: wire::value(tracking).flag().unwrap_or_default(),
        },
        auditing: Switch {
            is_on: wire::value(auditing).flag().unwrap_or_default(),
            can_be_on: auditing
                .and_then(|property| property.can_be_changed.flag())
                .unwrap_or_default(),
        },
    })
}

fn privilege(privilege: &wire::Privilege<'_>) -> Option<TablePrivilege> {
    let deepest = [
        (privilege.can_be_global, Depth::Global),
        (privilege.can_be_deep, Depth::Deep),
        (privilege.can_be_local, Depth::Local),
    ]
    .into_iter()
    .find_map(|(possible, depth)| possible.flag()?.then_some(depth));
    Some(TablePrivilege {
        right: Right::parse(&privilege.privilege_type.text()?)?,
        name: PrivilegeName::parse(&privilege.name.text()?)?,
        deepest: deepest.unwrap_or(Depth::Basic),
    })
}
