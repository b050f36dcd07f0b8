//! Whether the account has the privileges for the purpose of the connection, and whether the
//! tables are set up for it.

use super::organization::Organization;
use super::{PRIVILEGES, account, sentence};
use crate::connection::privileges::{Held, Permission, Requirements, Tables, lookup};
use crate::connection::report::Finding;
use crate::dataverse::metadata::Switch;
use crate::dataverse::privilege::{Depth, PrivilegeName};
use crate::dataverse::{Client, Guid};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Started};
use crate::ordered::Map;

const AUDIT: &str = "audit";

pub(super) async fn check<H: Host>(
    client: &Client<H>,
    user: &Guid,
    organization: Option<&Organization>,
    findings: &mut Vec<Finding>,
) {
    let requirements = Requirements::of(&client.settings().purpose);
    // Both requests run at the same time.
    let held = {
        let (client, user) = (client.clone(), user.clone());
        Started::new(async move { Held::read(&client, &user).await }).await
    };
    let tables = Tables::read(client, &requirements).await;
    let held = held.await;
    findings.extend(account::check(client, user, held.as_ref().ok()).await);
    let tables = match tables {
        Ok(tables) => tables,
        Err(error) => {
            findings.push(untested("the tables of the connection are unknown", &error));
            return;
        }
    };
    findings.extend(tables.absent().iter().map(|name| absent(name)));
    findings.extend(untracked(client, &requirements, &tables));
    findings.extend(compare(client, &tables.permissions(&requirements), held).await);
    if requirements.audit {
        findings.push(audit(&requirements, &tables, organization));
    }
}

/// A finding for each missing privilege, or one that none is missing.
async fn compare<H: Host>(
    client: &Client<H>,
    permissions: &[Permission],
    held: Result<Held, Error>,
) -> Vec<Finding> {
    let held = match held {
        Ok(held) => held,
        Err(error) => return unknown_privileges(permissions, &error),
    };
    let mut ids = Map::default();
    if held.needs_ids() {
        match lookup::privileges(client, permissions).await {
            Ok(known) => ids.extend(known.into_iter().map(|known| (known.name, known.id))),
            Err(error) => return unknown_privileges(permissions, &error),
        }
    }
    let missing: Vec<Finding> = permissions
        .iter()
        .filter_map(|permission| {
            let depth = held.depth(&permission.privilege, &ids);
            (depth < Some(permission.depth)).then(|| missing(permission, depth))
        })
        .collect();
    if missing.is_empty() {
        let message = format!(
            "The account has each of the {} privileges that the connection needs.",
            permissions.len()
        );
        return vec![Finding::passed(PRIVILEGES, message)];
    }
    missing
}

fn missing(permission: &Permission, held: Option<Depth>) -> Finding {
    let held = held.map(|depth| format!(" (it has {depth})"));
    let message = format!(
        "{} is missing at {} depth{}; {} it.",
        permission.entry,
        permission.depth,
        held.unwrap_or_default(),
        needed_for(&permission.needed_for)
    );
    let remedy = sentence(&permission.entry.remedy(permission.depth));
    if permission.is_essential {
        Finding::failed(permission.id(), message, remedy)
    } else {
        Finding::warning(permission.id(), message, remedy)
    }
}

/// `reading account needs`, `reading account and creating contact need`.
fn needed_for(reasons: &[String]) -> String {
    match reasons {
        [] => "the connection needs".to_owned(),
        [reason] => format!("{reason} needs"),
        [reasons @ .., last] => format!("{} and {last} need", reasons.join(", ")),
    }
}

/// The account may not read its own privileges. The privilege to read them is the first one that
/// is missing.
fn unknown_privileges(permissions: &[Permission], error: &Error) -> Vec<Finding> {
    if error.kind != ErrorKind::Forbidden {
        return vec![untested("the privileges of the account are unknown", error)];
    }
    let named = error.missing_privilege.as_deref();
    let named = named.and_then(PrivilegeName::parse);
    let named_permission = permissions
        .iter()
        .find(|permission| named.as_ref() == Some(&permission.privilege));
    if let Some(permission) = named_permission {
        return vec![missing(permission, None), Finding::skipped(PRIVILEGES)];
    }
    let warning = Finding::warning(
        PRIVILEGES,
        sentence(&format!(
            "the account may not read its own privileges, so they were not compared: {error}"
        )),
        "In a security role of the account, tab Business Management, set \"Read\" of User, Team \
         and Security Role to Organization and check again, or compare its roles with the minimal \
         role that follows from \"purpose\" in the settings.",
    );
    vec![warning]
}

fn untested(what: &str, error: &Error) -> Finding {
    Finding::warning(
        PRIVILEGES,
        sentence(&format!("{what}, so nothing was compared: {error}")),
        "Check again later.",
    )
}

fn absent(table: &str) -> Finding {
    Finding::warning(
        format!("table/{table}"),
        format!("The environment has no table {table}, or the account cannot see it."),
        "Install the app that it belongs to, such as Dynamics 365 Sales, or correct its name in \
         \"purpose\"; everything else works without it.",
    )
}

/// Tables that are read and whose changes the service could track, but does not.
fn untracked<H: Host>(
    client: &Client<H>,
    requirements: &Requirements,
    tables: &Tables,
) -> Vec<Finding> {
    let api = client.environment().api_root();
    requirements
        .tables_read()
        .filter(|name| {
            tables
                .definition(name)
                .is_some_and(|definition| is_off(definition.change_tracking))
        })
        .map(|name| {
            Finding::warning(
                format!("change-tracking/{name}"),
                format!(
                    "Change tracking is off for {name}: every sync reads more than the changes, \
                     and does not see deletions."
                ),
                format!(
                    "In Power Apps open the table, Properties, Advanced options, and switch on \
                     \"Track changes\"; or GET {api}EntityDefinitions(LogicalName='{name}'), set \
                     \"ChangeTrackingEnabled\" to true in it, and PUT it back."
                ),
            )
        })
        .collect()
}

/// Whether something is off and could be on.
fn is_off(switch: Switch) -> bool {
    switch.can_be_on && !switch.is_on
}

/// Whether any history is kept (reference §10).
fn audit(
    requirements: &Requirements,
    tables: &Tables,
    organization: Option<&Organization>,
) -> Finding {
    let Some(is_on) = organization.and_then(|organization| organization.isauditenabled) else {
        return Finding::warning(
            AUDIT,
            "Whether the organization keeps the history of rows is unknown.".to_owned(),
            "In a security role of the account, set \"Read\" of Organization to Organization.",
        );
    };
    if !is_on {
        return Finding::warning(
            AUDIT,
            "Auditing is off for the whole organization, so there will be no history.".to_owned(),
            "In the Power Platform admin center open the environment, Settings, Audit and logs, \
             Audit settings, and start auditing.",
        );
    }
    let off: Vec<&str> = requirements
        .tables_read()
        .filter(|name| {
            tables
                .definition(name)
                .is_some_and(|definition| is_off(definition.auditing))
        })
        .collect();
    if off.is_empty() {
        return Finding::passed(
            AUDIT,
            "The organization keeps the history of rows.".to_owned(),
        );
    }
    Finding::warning(
        AUDIT,
        format!(
            "The organization keeps the history of rows, but not of {}.",
            off.join(", ")
        ),
        "If their history is needed, open each table in Power Apps, Properties, Advanced options, \
         and switch on \"Audit changes to its data\".",
    )
}
