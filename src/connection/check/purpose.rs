//! Whether the account may do what the connection is for, and whether the tables are ready
//! for it.

use super::organization::Organization;
use super::{PRIVILEGES, account, sentence};
use crate::connection::privileges::{Held, Permission, Tables, Wanted, lookup};
use crate::connection::report::Finding;
use crate::dataverse::metadata::Switch;
use crate::dataverse::privilege::Depth;
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
    let wanted = Wanted::of(&client.settings().purpose);
    // Neither waits for the other.
    let held = {
        let (client, user) = (client.clone(), user.clone());
        Started::new(async move { Held::read(&client, &user).await }).await
    };
    let tables = Tables::read(client, &wanted).await;
    let held = held.await;
    findings.extend(account::check(client, user, held.as_ref().ok()).await);
    let tables = match tables {
        Ok(tables) => tables,
        Err(error) => {
            findings.push(untested(
                "the tables of the connection are not known",
                &error,
            ));
            return;
        }
    };
    findings.extend(tables.absent().iter().map(|name| absent(name)));
    findings.extend(untracked(client, &wanted, &tables));
    findings.extend(compare(client, &wanted.permissions(&tables), held).await);
    if wanted.audit {
        findings.push(audit(&wanted, &tables, organization));
    }
}

/// Each privilege that is missing, or that all are there.
async fn compare<H: Host>(
    client: &Client<H>,
    permissions: &[Permission],
    held: Result<Held, Error>,
) -> Vec<Finding> {
    let held = match held {
        Ok(held) => held,
        Err(error) => return not_told(permissions, &error),
    };
    let mut ids = Map::default();
    if held.needs_ids() {
        match lookup::privileges(client, permissions).await {
            Ok(known) => ids.extend(known.into_iter().map(|known| (known.name, known.id))),
            Err(error) => return not_told(permissions, &error),
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
        permission.words,
        permission.depth,
        held.unwrap_or_default(),
        needed_for(&permission.needed_for)
    );
    let remedy = sentence(&permission.words.remedy(permission.depth));
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

/// What the account may do is a secret to the account itself. What it lacks to see it is the
/// first thing that it lacks.
fn not_told(permissions: &[Permission], error: &Error) -> Vec<Finding> {
    if error.kind != ErrorKind::Forbidden {
        return vec![untested("what the account may do is not known", error)];
    }
    let lacking = permissions
        .iter()
        .find(|permission| error.missing.as_deref() == Some(&permission.privilege));
    if let Some(permission) = lacking {
        return vec![missing(permission, None), Finding::skipped(PRIVILEGES)];
    }
    let warning = Finding::warning(
        PRIVILEGES,
        sentence(&format!(
            "the environment does not tell the account what it may do, so that was not \
             compared: {error}"
        )),
        "In a security role of the account, tab Business Management, set \"Read\" of User, Team \
         and Security Role to Organization and check again, or compare its roles with the list \
         that dataverse-host role prints.",
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
        "Install the app that it comes with, such as Dynamics 365 Sales, correct its name under \
         \"purpose\", or do without it: everything else works.",
    )
}

/// Tables that are read and whose changes the service could keep track of, but does not.
fn untracked<H: Host>(client: &Client<H>, wanted: &Wanted, tables: &Tables) -> Vec<Finding> {
    let api = client.environment().api_root();
    wanted
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
                    "Change tracking is off for {name}: every sync asks for more than what has \
                     changed, and deletions are not seen."
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

/// Whether something is not done and could be.
fn is_off(switch: Switch) -> bool {
    switch.can_be_on && !switch.is_on
}

/// Whether any history is kept (reference §10).
fn audit(wanted: &Wanted, tables: &Tables, organization: Option<&Organization>) -> Finding {
    let Some(is_on) = organization.and_then(|organization| organization.isauditenabled) else {
        return Finding::warning(
            AUDIT,
            "Whether the organization keeps the history of rows is not known.".to_owned(),
            "Let a security role of the account read the Organization table.",
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
    let off: Vec<&str> = wanted
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
        "If their history is wanted, open each table in Power Apps, Properties, Advanced options, \
         and switch on \"Audit changes to its data\".",
    )
}
