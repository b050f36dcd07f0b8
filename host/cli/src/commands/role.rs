//! `role`: the security role that the connection's account needs, printed or created.

use std::fmt::Write;

use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use dataverse_host::contract::{Call, Permission, Role, RoleChange};
use dataverse_host::{ConnectorHost, Session};

use super::raw_json::raw;
use crate::args::{RoleFormat, RoleOptions};
use crate::connection::{ConnectionFile, add_profiles};
use crate::exit::{Exit, Failure};
use crate::output::{count, print, print_json};
use crate::session::with_session;

/// A placeholder for the environment.
const EXAMPLE_ENVIRONMENT: &str = "https://your-environment.crm.dynamics.com";
/// A placeholder for the application.
const EXAMPLE_APPLICATION: &str = "00000000-0000-0000-0000-000000000000";

/// Runs the command.
pub(super) async fn run(
    host: &ConnectorHost,
    connection: Option<&ConnectionFile>,
    options: &RoleOptions,
) -> Result<Exit, Failure> {
    let profiles = &options.profiles;
    let settings = settings(connection, options)?;
    let role = host.required_role(&settings).await?;
    if !options.apply {
        show(&role, options.format)?;
        return Ok(Exit::Done);
    }
    let connection = connection.ok_or_else(|| {
        usage(
            "--apply creates the role with the account of a connection; add --connection FILE.toml",
        )
    })?;
    let name = options.name.as_ref().unwrap_or(&role.name);
    let profile = connection.profile_for(profiles)?;
    let create = async |session: &mut Session| {
        show_change(name, &session.create_role(name).await?, options.format)?;
        Ok(Exit::Done)
    };
    with_session(host, &profile, create).await
}

/// The settings that the role is for.
fn settings(connection: Option<&ConnectionFile>, options: &RoleOptions) -> Result<String, Failure> {
    let profiles = &options.profiles;
    match (connection, &options.environment) {
        (Some(_), Some(_)) => Err(usage(
            "the connection names an environment; remove --connection or --environment",
        )),
        (Some(connection), None) => connection.settings_for(profiles),
        (None, _) if profiles.is_empty() => Err(usage(
            "name what the role is for: --profile NAME, or --connection FILE.toml with a purpose in \
             its settings; `role --help` lists the profiles",
        )),
        (None, environment) => placeholder_settings(
            environment.as_deref().unwrap_or(EXAMPLE_ENVIRONMENT),
            profiles,
        ),
    }
}

/// Settings for these profiles, without a real way to sign in.
fn placeholder_settings(environment: &str, profiles: &[String]) -> Result<String, Failure> {
    let mut settings = json!({
        "environment": environment,
        "auth": {
            "type": "client-secret",
            "clientId": EXAMPLE_APPLICATION,
            "secret": "client-secret",
        },
    });
    add_profiles(&mut settings, profiles)?;
    Ok(settings.to_string())
}

fn show(role: &Role, format: RoleFormat) -> Result<(), Failure> {
    match format {
        RoleFormat::Checklist => print(&checklist(role)),
        RoleFormat::Calls => print(&calls(&role.calls)?),
        RoleFormat::Json => print_json(&json!({
            "name": role.name,
            "permissions": permissions(&role.permissions),
            "calls": role.calls.iter().map(JsonCall::new).collect::<Result<Vec<_>, _>>()?,
        })),
    }
}

/// What to select in the role editor, by its headings.
fn checklist(role: &Role) -> String {
    let mut text = format!("{}\n", role.name);
    let width = |part: fn(&Permission) -> &str| {
        let parts = role.permissions.iter().map(part);
        parts.map(|part| part.chars().count()).max().unwrap_or(0)
    };
    let subject = width(|permission| &permission.subject);
    let action = width(|permission| &permission.action);
    let reach = width(|permission| &permission.reach);
    let mut section = None;
    for permission in &role.permissions {
        if section != Some(&permission.section) {
            section = Some(&permission.section);
            let heading = permission.section.as_deref().unwrap_or("Elsewhere");
            let _infallible = writeln!(text, "\n{heading}");
        }
        let line = format!(
            "  [ ] {:<subject$}  {:<action$}  {:<reach$}  {}",
            permission.subject,
            permission.action,
            permission.reach,
            permission.needed_for.join(", ")
        );
        let _infallible = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The requests, in the format of `.http` files.
fn calls(calls: &[Call]) -> Result<String, Failure> {
    let mut text = String::new();
    for call in calls {
        if !text.is_empty() {
            text.push('\n');
        }
        let _infallible = writeln!(text, "### {}\n{} {}", call.title, call.method, call.url);
        text.push_str("Accept: application/json\n");
        if let Some(body) = &call.body {
            let body = raw(body)?;
            let _infallible = writeln!(text, "Content-Type: application/json\n\n{body}");
        }
    }
    Ok(text)
}

fn show_change(name: &str, change: &RoleChange, format: RoleFormat) -> Result<(), Failure> {
    if format == RoleFormat::Json {
        return print_json(&json!({
            "id": change.id,
            "name": name,
            "created": change.created,
            "added": permissions(&change.added),
            "unknown": permissions(&change.unknown),
        }));
    }
    let mut text = match (change.created, change.added.len() as u64) {
        (true, added) => {
            format!(
                "Created the role \"{name}\" with {}",
                count(added, "permission")
            )
        }
        (false, 0) => format!("The role \"{name}\" exists and has all permissions"),
        (false, added) => format!(
            "The role \"{name}\" existed; {} added",
            count(added, "permission")
        ),
    };
    let _infallible = writeln!(text, " ({}).", change.id);
    if !change.created {
        for permission in &change.added {
            let _infallible = writeln!(text, "  + {}", label(permission));
        }
    }
    if !change.unknown.is_empty() {
        text.push_str(
            "This environment does not have these permissions, so the role does not either:\n",
        );
        for permission in &change.unknown {
            let _infallible = writeln!(text, "  - {} ({})", label(permission), permission.id);
        }
    }
    text.push_str(
        "It is not assigned to anyone yet: assign it to the account of the connection.\n",
    );
    print(&text)
}

fn label(permission: &Permission) -> String {
    format!(
        "{}: {}, {}",
        permission.subject, permission.action, permission.reach
    )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonPermission<'a> {
    id: &'a str,
    subject: &'a str,
    section: Option<&'a str>,
    action: &'a str,
    reach: &'a str,
    needed_for: &'a [String],
}

fn permissions(permissions: &[Permission]) -> Vec<JsonPermission<'_>> {
    let permissions = permissions.iter();
    permissions
        .map(|permission| JsonPermission {
            id: &permission.id,
            subject: &permission.subject,
            section: permission.section.as_deref(),
            action: &permission.action,
            reach: &permission.reach,
            needed_for: &permission.needed_for,
        })
        .collect()
}

#[derive(Serialize)]
struct JsonCall<'a> {
    title: &'a str,
    method: &'a str,
    url: &'a str,
    body: Option<&'a RawValue>,
}

impl<'a> JsonCall<'a> {
    fn new(call: &'a Call) -> Result<Self, Failure> {
        Ok(Self {
            title: &call.title,
            method: &call.method,
            url: &call.url,
            body: call.body.as_deref().map(raw).transpose()?,
        })
    }
}

fn usage(message: &str) -> Failure {
    Failure::new(Exit::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(section: Option<&str>, subject: &str, action: &str) -> Permission {
        Permission {
            id: format!("privilege/prv{action}{subject}"),
            subject: subject.to_owned(),
            section: section.map(str::to_owned),
            action: action.to_owned(),
            reach: "Organization".to_owned(),
            needed_for: vec!["a".to_owned(), "b".to_owned()],
        }
    }

    #[test]
    fn a_role_needs_a_purpose() {
        let options = |profiles: &[&str]| RoleOptions {
            profiles: profiles.iter().map(ToString::to_string).collect(),
            environment: None,
            format: RoleFormat::Checklist,
            apply: false,
            name: None,
        };
        let refused = settings(None, &options(&[])).unwrap_err();
        assert_eq!(refused.exit(), Exit::Usage);
        assert!(refused.to_string().contains("--profile"), "{refused}");
        assert!(
            settings(None, &options(&["reader"]))
                .unwrap()
                .contains("reader")
        );
    }

    #[test]
    fn a_checklist_is_grouped_by_heading() {
        let role = Role {
            name: "Reader".to_owned(),
            permissions: vec![
                permission(Some("Core Records"), "Account", "Read"),
                permission(Some("Core Records"), "Contact", "Append To"),
                permission(None, "Bulk Edit", "Allow"),
            ],
            calls: Vec::new(),
        };
        assert_eq!(
            checklist(&role),
            "Reader\n\
             \n\
             Core Records\n  \
               [ ] Account    Read       Organization  a, b\n  \
               [ ] Contact    Append To  Organization  a, b\n\
             \n\
             Elsewhere\n  \
               [ ] Bulk Edit  Allow      Organization  a, b\n"
        );
    }

    #[test]
    fn calls_are_printed_as_an_http_file() {
        let call = |method: &str, body: Option<&str>| Call {
            title: "Make it".to_owned(),
            method: method.to_owned(),
            url: "https://x.example/roles".to_owned(),
            body: body.map(str::to_owned),
        };
        let text = calls(&[call("GET", None), call("POST", Some("{\"name\": 1.50}"))]).unwrap();
        assert_eq!(
            text,
            "### Make it\nGET https://x.example/roles\nAccept: application/json\n\n\
             ### Make it\nPOST https://x.example/roles\nAccept: application/json\n\
             Content-Type: application/json\n\n{\"name\": 1.50}\n"
        );
        assert!(calls(&[call("POST", Some("{"))]).is_err());
    }
}
