//! Failed sign-ins and missing privileges: the errors say what an administrator must do.

use dataverse_emulator::org::{ROOT_BUSINESS_UNIT, Role};
use dataverse_emulator::seed::generate::{self, Sizes};
use dataverse_emulator::{CLIENT_SECRET, TENANT_ID};
use dataverse_host::contract::{ErrorKind, Verdict};
use dataverse_host::secrets::InMemory;
use dataverse_host::{CallError, Outcome, Profile};
use dataverse_tests::{
    Cli, Fixture, MemorySink, SECRET_NAME, TestServer, assert_complete, assert_same, host,
    requests, sync,
};
use http::Method;
use serde_json::Value;
use uuid::Uuid;

const SYNC: [&str; 5] = ["sync", "--to", "jsonl:out", "--stream", "account"];
const APP: Uuid = Uuid::from_u128(0x7777_0000_0000_4000_8000_0000_0000_0001);
const APP_SECRET: &str = "the-secret-of-another-app";

fn sizes() -> Sizes {
    Sizes {
        accounts: 6,
        contacts: 6,
        leads: 6,
        ..Sizes::default()
    }
}

/// Settings of the fixture, changed.
fn settings(fixture: &Fixture, change: impl FnOnce(&mut Value)) -> Value {
    let mut settings = fixture.settings();
    change(&mut settings);
    settings
}

/// The user that stands for the application in the organization.
async fn user_of(fixture: &Fixture, app: Uuid) -> String {
    let users = fixture.api.rows("systemuser").await;
    let app = format!("\"{app}\"");
    let found = users
        .into_iter()
        .find(|(_, row)| row.get("applicationid") == Some(&app));
    found.unwrap_or_else(|| panic!("{app} has no user")).0
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_sign_ins_have_an_exit_code_and_a_remedy() {
    let fixture = Fixture::with_rows(sizes()).await;
    // Registered in Entra, but not a user of the organization.
    fixture
        .emulator
        .add_application(APP, APP_SECRET, None)
        .unwrap();
    let without_user = settings(&fixture, |s| s["auth"]["clientId"] = APP.to_string().into());
    let unknown = Uuid::from_u128(0xdead_0000_0000_4000_8000_0000_0000_0001).to_string();
    let unknown_app = settings(&fixture, |s| s["auth"]["clientId"] = unknown.clone().into());
    let unknown_tenant = settings(&fixture, |s| s["tenant"] = unknown.clone().into());
    // Outside of Microsoft's clouds, settings with a tenant must name the authority too.
    let unknown_tenant = {
        let mut unknown_tenant = unknown_tenant;
        unknown_tenant["authority"] = fixture.emulator.authority_url().into();
        unknown_tenant
    };
    let cases: [(&str, &Value, &str, i32, &[&str]); 4] = [
        (
            "wrong secret",
            &fixture.settings(),
            "wrong-secret-value",
            3,
            &["secret", "AADSTS7000215"],
        ),
        (
            "unknown tenant",
            &unknown_tenant,
            CLIENT_SECRET,
            2,
            &[&unknown, "tenant", "AADSTS90002"],
        ),
        (
            "unknown app",
            &unknown_app,
            CLIENT_SECRET,
            2,
            &[&unknown, "AADSTS700016"],
        ),
        (
            "no application user",
            &without_user,
            APP_SECRET,
            4,
            &["application user", "0x80072560"],
        ),
    ];
    for (name, settings, secret, code, words) in cases {
        println!("{name}");
        let cli = Cli::with_secret(settings, Some(secret));
        cli.run(&SYNC).assert_error(code, words, &[secret]);
        let checked = cli.run(&["check"]);
        assert_eq!(checked.code, Some(1), "{name}: {checked:?}");
        assert!(
            checked.stdout.contains("→"),
            "{name}: the remedy is missing: {}",
            checked.stdout
        );
        checked.assert_no_secrets(&[secret]);
        cli.run(&["discover"]).assert_error(code, words, &[secret]);
        cli.assert_not_in_files(&[secret, "eyJ"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_users_and_users_without_roles_have_distinct_errors() {
    let fixture = Fixture::with_rows(sizes()).await;
    fixture
        .emulator
        .add_application(APP, APP_SECRET, Some(Role::IntegrationReader))
        .unwrap();
    let settings = settings(&fixture, |s| s["auth"]["clientId"] = APP.to_string().into());
    let user = user_of(&fixture, APP).await;
    let cli = Cli::with_secret(&settings, Some(APP_SECRET));
    cli.run(&SYNC).assert_success();

    let id = Uuid::try_parse(&user).unwrap();
    fixture.emulator.disable_user(id, true).unwrap();
    cli.run(&SYNC)
        .assert_error(4, &["disabled", "0x8004a112"], &[APP_SECRET]);
    assert_eq!(cli.run(&["check"]).code, Some(1));
    fixture.emulator.disable_user(id, false).unwrap();
    cli.run(&SYNC).assert_success();

    let role = Role::IntegrationReader.id(ROOT_BUSINESS_UNIT);
    let membership = format!("systemusers({user})/systemuserroles_association({role})/$ref");
    fixture.api.send(Method::DELETE, &membership, None).await;
    cli.run(&SYNC)
        .assert_error(4, &["role", "0x80042f09"], &[APP_SECRET]);
    let checked = cli.run(&["check"]);
    assert_eq!(checked.code, Some(1));
    assert!(
        checked.stdout.contains("security role"),
        "{}",
        checked.stdout
    );

    fixture.emulator.disable_application(APP, true);
    let output = cli.run(&SYNC);
    assert!(matches!(output.code, Some(2..=4)), "{output:?}");
    output.assert_no_secrets(&[APP_SECRET]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_privilege_stops_its_table_only() {
    let fixture = Fixture::with_rows(sizes()).await;
    fixture
        .emulator
        .add_application(APP, APP_SECRET, Some(Role::IntegrationReader))
        .unwrap();
    fixture
        .emulator
        .revoke(Role::IntegrationReader, "prvReadContact")
        .unwrap();
    let settings = settings(&fixture, |s| s["auth"]["clientId"] = APP.to_string().into());
    let secrets = InMemory::new().with(SECRET_NAME, APP_SECRET);
    let profile = Profile::new(settings.to_string(), secrets).unwrap();
    let memory = MemorySink::new();
    let streams = ["account", "contact", "lead"];
    let report = sync(&profile, &requests(&streams, 4), memory.clone()).await;
    let [accounts, contacts, leads] = report.streams.as_slice() else {
        panic!("{report:?}");
    };
    assert_eq!(
        (&accounts.outcome, &leads.outcome),
        (&Outcome::Complete, &Outcome::Complete)
    );
    let Outcome::Failed(error) = &contacts.outcome else {
        panic!("{contacts:?}");
    };
    assert_eq!(error.kind, ErrorKind::Forbidden, "{error}");
    assert!(error.message.contains("prvReadContact"), "{error}");
    assert_eq!(error.fault.as_ref().unwrap().status, 403);
    for stream in ["account", "lead"] {
        assert_same(
            stream,
            &memory.stream(stream).rows,
            &fixture.api.rows(stream).await,
        );
    }
    let cli = Cli::with_secret(&settings, Some(APP_SECRET));
    let all = [
        "sync",
        "--to",
        "jsonl:all",
        "--stream",
        "account",
        "--stream",
        "contact",
    ];
    cli.run(&all)
        .assert_error(9, &["contact", "prvReadContact"], &[APP_SECRET]);
    let alone = ["sync", "--to", "jsonl:alone", "--stream", "contact"];
    cli.run(&alone)
        .assert_error(4, &["contact", "prvReadContact"], &[APP_SECRET]);
}

/// The account may read rows of its own business unit: the service rejects change tracking, but not
/// other reads.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_organization_depth_reads_its_rows_without_change_tracking() {
    let fixture = Fixture::with_rows(sizes()).await;
    fixture
        .emulator
        .add_application(APP, APP_SECRET, Some(Role::Salesperson))
        .unwrap();
    let settings = settings(&fixture, |s| s["auth"]["clientId"] = APP.to_string().into());
    let secrets = InMemory::new().with(SECRET_NAME, APP_SECRET);
    let profile = Profile::new(settings.to_string(), secrets).unwrap();
    let memory = MemorySink::new();
    let report = sync(&profile, &requests(&["account"], 4), memory.clone()).await;
    assert_complete(&report);
    let stored = memory.stream("account");
    assert_eq!(
        stored.warnings[0].0, "change-tracking-unavailable",
        "{:?}",
        stored.warnings
    );
    assert!(
        stored.warnings[0]
            .1
            .contains("depth of the whole organization"),
        "{:?}",
        stored.warnings
    );
    let all = fixture.api.rows("account").await;
    assert!(stored.rows.keys().all(|key| all.contains_key(key)));
}

/// The authority is read from the environment's challenge, unless the settings name tenant and
/// authority. Temporary failures of the authority are retried.
#[tokio::test(flavor = "multi_thread")]
async fn the_authority_is_discovered_or_configured() {
    let fixture = Fixture::with_rows(sizes()).await;
    let mut authority = TestServer::bind().await;
    let failures = std::sync::atomic::AtomicU32::new(2);
    authority.forward(fixture.emulator.authority_url(), move |_, mut response| {
        let failed = failures.fetch_update(
            std::sync::atomic::Ordering::SeqCst,
            std::sync::atomic::Ordering::SeqCst,
            |left| left.checked_sub(1),
        );
        if failed.is_ok() {
            *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    });
    let named = settings(&fixture, |s| {
        s["tenant"] = TENANT_ID.to_string().into();
        s["authority"] = authority.origin().into();
    });
    for settings in [fixture.settings(), named] {
        let mut session = host().open(&fixture.profile_with(&settings)).await.unwrap();
        let report = session.check().await.unwrap();
        assert!(report.available, "{report:?}");
        assert!(
            report
                .findings
                .iter()
                .all(|finding| finding.verdict == Verdict::Passed)
        );
        let ids: Vec<_> = report
            .findings
            .iter()
            .map(|finding| finding.id.as_str())
            .collect();
        assert_eq!(
            ids,
            ["settings", "reach", "sign-in", "membership", "organization"]
        );
    }
    let token_requests = authority.requests();
    assert_eq!(
        token_requests.len(),
        3,
        "two failures and a success: {token_requests:?}"
    );
    assert!(
        token_requests
            .iter()
            .all(|received| received.path.contains(&TENANT_ID.to_string()))
    );
    assert!(
        token_requests
            .iter()
            .all(|received| received.header("authorization").is_empty())
    );
}

/// An environment cannot direct the secret to an authority that the settings do not name.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_not_sent_to_an_untrusted_authority() {
    let mut server = TestServer::bind().await;
    let origin = server.origin().to_owned();
    let fixture = Fixture::build(|builder| builder.also_known_as(&origin)).await;
    server.forward(fixture.emulator.base_url(), |_, mut response| {
        let bad = format!(
            "Bearer authorization_uri=https://login.evil.example/{TENANT_ID}/oauth2/authorize, \
             resource_id=https://x.example/"
        );
        if response.headers().contains_key("www-authenticate") {
            response
                .headers_mut()
                .insert("www-authenticate", bad.parse().unwrap());
        }
        response
    });
    let settings = settings(&fixture, |s| s["environment"] = origin.into());
    let mut session = host().open(&fixture.profile_with(&settings)).await.unwrap();
    let Err(CallError::Connector(error)) = session.list_streams().await else {
        panic!("signed in at an untrusted authority");
    };
    assert_eq!(error.kind, ErrorKind::InvalidSettings, "{error}");
    assert!(
        error.message.contains("https://login.evil.example"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_signs_in_once() {
    let fixture = Fixture::build(|builder| {
        builder.seed(|store| {
            generate::run(store, 5, &sizes())?;
            Ok(())
        })
    })
    .await;
    let before = fixture.emulator.statistics().tokens_issued;
    let streams = ["account", "contact", "lead", "systemuser", "task"];
    assert_complete(
        &fixture
            .sync(&requests(&streams, 3), MemorySink::new())
            .await,
    );
    assert_eq!(fixture.emulator.statistics().tokens_issued - before, 1);
}
