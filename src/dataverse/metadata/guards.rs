//! What guards tables and what their rows can refer to (reference §5.2, §5.3, §11.3).

use serde_json::Value;

use super::super::privilege::{Depth, PrivilegeName, Right};
use super::super::query::{Query, string_literal};
use super::super::{Client, Record};
use super::is_logical_name;
use crate::error::Error;
use crate::host::{Host, Started};
use crate::ordered::Set;

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
            Started::new(async move {
                let link = client.resource(query.as_str())?;
                client.read(&link, tables).await
            })
            .await,
        );
    }
    let mut guards = Vec::new();
    for answer in running {
        guards.extend(answer.await?);
    }
    Ok(guards)
}

/// The tables that lookups of a table's rows can be set to point to, besides their owner.
///
/// # Errors
/// What the service said.
pub async fn references<H: Host>(client: &Client<H>, table: &str) -> Result<Set<String>, Error> {
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

fn tables(answer: Record<'_>) -> Option<Vec<TableGuards>> {
    let definitions = answer.elements("value")?;
    definitions.iter().map(Record).map(table).collect()
}

fn targets(answer: Record<'_>) -> Option<Set<String>> {
    let mut targets = Set::default();
    for lookup in answer.elements("value")?.iter().map(Record) {
        if can_be_set(lookup) {
            let names = lookup.list("Targets").unwrap_or_default();
            targets.extend(names.iter().filter_map(Value::as_str).map(str::to_owned));
        }
    }
    Some(targets)
}

/// Giving a row to another owner takes a right of its own.
fn can_be_set(lookup: Record<'_>) -> bool {
    lookup.text("AttributeType") != Some("Owner")
        && (lookup.flag("IsValidForCreate") == Some(true)
            || lookup.flag("IsValidForUpdate") == Some(true))
}

fn table(definition: Record<'_>) -> Option<TableGuards> {
    // Properties that a solution may forbid to change.
    let tracking = definition.record("CanChangeTrackingBeEnabled");
    let auditing = definition.record("IsAuditEnabled");
    let says = |property: Option<Record<'_>>, name| {
        property.and_then(|it| it.flag(name)).unwrap_or_default()
    };
    let privileges = definition.list("Privileges").unwrap_or_default();
    Some(TableGuards {
        logical_name: definition.text("LogicalName")?.to_owned(),
        title: definition.record("DisplayName").and_then(title),
        privileges: privileges
            .iter()
            .filter_map(|it| privilege(Record(it)))
            .collect(),
        change_tracking: Switch {
            is_on: definition.flag("ChangeTrackingEnabled").unwrap_or_default(),
            can_be_on: says(tracking, "Value"),
        },
        auditing: Switch {
            is_on: says(auditing, "Value"),
            can_be_on: says(auditing, "CanBeChanged"),
        },
    })
}

/// The text in the user's language, or in the first language that has one.
fn title(label: Record<'_>) -> Option<String> {
    let others = label.list("LocalizedLabels").unwrap_or_default();
    label
        .record("UserLocalizedLabel")
        .into_iter()
        .chain(others.iter().map(Record))
        .filter_map(|label| label.text("Label"))
        .find(|text| !text.is_empty())
        .map(str::to_owned)
}

fn privilege(privilege: Record<'_>) -> Option<TablePrivilege> {
    let deepest = [
        ("CanBeGlobal", Depth::Global),
        ("CanBeDeep", Depth::Deep),
        ("CanBeLocal", Depth::Local),
    ]
    .into_iter()
    .find_map(|(name, depth)| privilege.flag(name)?.then_some(depth));
    Some(TablePrivilege {
        right: Right::parse(privilege.text("PrivilegeType")?)?,
        name: PrivilegeName::parse(privilege.text("Name")?)?,
        deepest: deepest.unwrap_or(Depth::Basic),
    })
}
