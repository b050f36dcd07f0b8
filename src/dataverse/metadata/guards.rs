//! What guards tables and what their rows can refer to (reference §5.2, §5.3, §11.3).

use super::super::Client;
use super::super::privilege::{Depth, PrivilegeName, Right};
use super::super::query::{Query, string_literal};
use super::is_logical_name;
use crate::error::Error;
use crate::host::{Host, Started};
use crate::json::Object;
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

fn tables(answer: &Object<'_>) -> Option<Vec<TableGuards>> {
    answer.list("value")?.map(|it| table(&it)).collect()
}

fn targets(answer: &Object<'_>) -> Option<Set<String>> {
    let mut targets = Set::default();
    for lookup in answer.list("value")? {
        if can_be_set(&lookup) {
            targets.extend(lookup.texts("Targets"));
        }
    }
    Some(targets)
}

/// Giving a row to another owner takes a right of its own.
fn can_be_set(lookup: &Object<'_>) -> bool {
    lookup.text("AttributeType").as_deref() != Some("Owner")
        && (lookup.flag("IsValidForCreate") == Some(true)
            || lookup.flag("IsValidForUpdate") == Some(true))
}

fn table(definition: &Object<'_>) -> Option<TableGuards> {
    // Properties that a solution may forbid to change.
    let tracking = definition.object("CanChangeTrackingBeEnabled");
    let auditing = definition.object("IsAuditEnabled");
    let says = |property: &Option<Object<'_>>, name| {
        let value = property.as_ref().and_then(|it| it.flag(name));
        value.unwrap_or_default()
    };
    Some(TableGuards {
        logical_name: definition.text("LogicalName")?,
        title: definition.object("DisplayName").and_then(|it| title(&it)),
        privileges: definition
            .objects("Privileges")
            .filter_map(|it| privilege(&it))
            .collect(),
        change_tracking: Switch {
            is_on: definition.flag("ChangeTrackingEnabled").unwrap_or_default(),
            can_be_on: says(&tracking, "Value"),
        },
        auditing: Switch {
            is_on: says(&auditing, "Value"),
            can_be_on: says(&auditing, "CanBeChanged"),
        },
    })
}

/// The text in the user's language, or in the first language that has one.
fn title(label: &Object<'_>) -> Option<String> {
    let own = label.object("UserLocalizedLabel").into_iter();
    own.chain(label.objects("LocalizedLabels"))
        .find_map(|label| label.word("Label"))
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
