//! The least-privilege role: `role` creates the role that it prints, and the check passes with it.

use dataverse_emulator::org::{ROOT_BUSINESS_UNIT, Role};
use dataverse_tests::{Cli, Fixture};
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const APP: Uuid = Uuid::from_u128(0x7777_0000_0000_4000_8000_0000_0000_0003);
const APP_SECRET: &str = "the-secret-of-a-limited-application";
const PROFILES: [&str; 5] = [
    "revenue-intelligence",
    "sales-assistant",
    "account-based-marketing",
    "access-sync",
    "access-provisioning",
];

/// The JSON output of `role`.
fn role_json(cli: &Cli, arguments: &[&str]) -> Value {
    let output = cli.run(&[&["role", "--format", "json"], arguments].concat());
    output.assert_success();
    serde_json::from_str(&output.stdout).unwrap()
}

fn ids(permissions: &Value) -> Vec<&str> {
    let permissions = permissions.as_array().unwrap().iter();
    let mut ids: Vec<_> = permissions
        .map(|permission| permission["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids
}

/// Makes the application a user with only this role.
async fn assign_only_role(fixture: &Fixture, role: &str) {
    let reader = Role::IntegrationReader;
    fixture
        .emulator
        .add_application(APP, APP_SECRET, Some(reader))
        .unwrap();
    let users = fixture.api.rows("systemuser").await;
    let app = format!("\"{APP}\"");
    let (user, _) = users
        .iter()
        .find(|(_, row)| row.get("applicationid") == Some(&app))
        .unwrap();
    let roles = format!("systemusers({user})/systemuserroles_association");
    let given = format!("{roles}({})/$ref", reader.id(ROOT_BUSINESS_UNIT));
    fixture.api.send(Method::DELETE, &given, None).await;
    let base = fixture.emulator.base_url();
    let role = json!({"@odata.id": format!("{base}/api/data/v9.2/roles({role})")});
    fixture
        .api
        .send(
            Method::POST,
            &format!("{roles}/$ref"),
            Some(&role.to_string()),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_created_role_equals_the_printed_one_and_passes_the_check() {
    for name in PROFILES {
        println!("{name}");
        let fixture = Fixture::start().await;
        let administrator = Cli::new(&fixture.settings());
        let role = role_json(&administrator, &["--profile", name]);
        let created = role_json(&administrator, &["--profile", name, "--apply"]);
        assert_eq!(created["created"], true);
        assert_eq!(created["unknown"], json!([]));
        assert_eq!(ids(&created["added"]), ids(&role["permissions"]));
        // A second time, nothing is left to do.
        let again = role_json(&administrator, &["--profile", name, "--apply"]);
        assert_eq!(again["created"], false);
        assert_eq!(again["added"], json!([]));

        let role_id = created["id"].as_str().unwrap();
        assign_only_role(&fixture, role_id).await;
        let mut settings = fixture.settings();
        settings["auth"]["clientId"] = APP.to_string().into();
        let limited = Cli::with_secret(&settings, Some(APP_SECRET));
        limited
            .run(&["check", "--profile", name])
            .assert_available();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_printed_without_a_connection_and_creating_it_needs_the_privilege() {
    let fixture = Fixture::start().await;
    let cli = Cli::new(&fixture.settings());
    // Without a connection.toml in the working directory.
    let elsewhere = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = cli.command(arguments);
        let child = command.current_dir(elsewhere.path()).spawn().unwrap();
        dataverse_tests::RunOutput::of(child)
    };
    let printed = run(&["role", "--profile", "access-sync"]);
    printed.assert_success();
    for words in ["[ ] ", "Read", "Organization"] {
        assert!(printed.stdout.contains(words), "{}", printed.stdout);
    }
    let environment = "https://contoso.crm4.dynamics.com";
    let calls = run(&[
        "role",
        "--profile",
        "access-sync",
        "--format",
        "calls",
        "--environment",
        environment,
    ]);
    calls.assert_success();
    let post = format!("POST {environment}/api/data/v9.2/roles");
    assert!(calls.stdout.contains(&post), "{}", calls.stdout);
    run(&["role", "--profile", "acces-sync"]).assert_error(
        2,
        &["purpose.profiles[0]", "access-sync"],
        &[],
    );
    run(&["role", "--profile", "access-sync", "--apply"]).assert_error(2, &["--connection"], &[]);

    fixture
        .emulator
        .add_application(APP, APP_SECRET, Some(Role::IntegrationReader))
        .unwrap();
    let mut settings = fixture.settings();
    settings["auth"]["clientId"] = APP.to_string().into();
    let limited = Cli::with_secret(&settings, Some(APP_SECRET));
    limited
        .run(&["role", "--profile", "access-sync", "--apply"])
        .assert_error(4, &["prvCreateRole"], &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_lists_every_profile_of_the_connector() {
    let fixture = Fixture::start().await;
    let cli = Cli::new(&fixture.settings());
    let help = cli.run(&["role", "--help"]);
    let described = cli.run(&["describe", "--format", "json"]);
    let described: Value = serde_json::from_str(&described.stdout).unwrap();
    let purpose = &described["settingsSchema"]["properties"]["purpose"]["properties"];
    let profiles = purpose["profiles"]["items"]["enum"].as_array().unwrap();
    assert_eq!(profiles.len(), PROFILES.len());
    for profile in profiles {
        let profile = profile.as_str().unwrap();
        assert!(help.stdout.contains(profile), "{}", help.stdout);
    }
}
