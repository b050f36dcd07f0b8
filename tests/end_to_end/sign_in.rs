//! Who may not sign in, or not read, is told what an administrator has to do.

use dataverse_emulator::org::{ROOT_BUSINESS_UNIT, Role};
use dataverse_emulator::seed::generate::{self, Sizes};
use dataverse_emulator::{CLIENT_SECRET, TENANT_ID};
use dataverse_host::contract::{ErrorKind, Verdict};
use dataverse_host::secrets::InMemory;
use dataverse_host::{CallError, Outcome, Profile};
use dataverse_tests::{
    Cli, Memory, Place, SECRET_NAME, Stand, all_complete, assert_same, host, requests, sync,
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

/// The settings of the stand, changed.
fn settings(stand: &Stand, change: impl FnOnce(&mut Value)) -> Value {
    let mut settings = stand.settings();
    change(&mut settings);
    settings
}

/// The user of the application in the organization.
async fn user_of(stand: &Stand, app: Uuid) -> String {
    let users = stand.api.rows("systemuser").await;
    let app = format!("\"{app}\"");
    let found = users
        .into_iter()
        .find(|(_, row)| row.get("applicationid") == Some(&app));
    found.unwrap_or_else(|| panic!("{app} has no user")).0
}

/// Nothing that is wrong with a sign-in is asked for twice, or printed with a secret.
#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_kind_its_code_and_its_remedy() {
    let stand = Stand::of(sizes()).await;
    // Registered in the directory, unknown to the organization.
    stand
        .emulator
        .add_application(APP, APP_SECRET, None)
        .unwrap();
    let without_user = settings(&stand, |s| s["auth"]["clientId"] = APP.to_string().into());
    let unknown = Uuid::from_u128(0xdead_0000_0000_4000_8000_0000_0000_0001).to_string();
    let unknown_app = settings(&stand, |s| s["auth"]["clientId"] = unknown.clone().into());
    let nobodys = settings(&stand, |s| s["tenant"] = unknown.clone().into());
    // With a tenant, an environment of no Microsoft cloud must name its authority, too.
    let nobodys = {
        let mut nobodys = nobodys;
        nobodys["authority"] = stand.emulator.authority_url().into();
        nobodys
    };
    let cases: [(&str, &Value, &str, i32, &[&str]); 4] = [
        (
            "wrong secret",
            &stand.settings(),
            "wrong-secret-value",
            3,
            &["secret", "AADSTS7000215"],
        ),
        (
            "unknown tenant",
            &nobodys,
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
        cli.run(&SYNC).refused(code, words, &[secret]);
        let checked = cli.run(&["check"]);
        assert_eq!(checked.code, Some(1), "{name}: {checked:?}");
        assert!(
            checked.stdout.contains("→"),
            "{name} has no remedy: {}",
            checked.stdout
        );
        checked.keeps(&[secret]);
        cli.run(&["discover"]).refused(code, words, &[secret]);
        cli.assert_kept_out(&[secret, "eyJ"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_and_one_without_roles_have_their_own_errors() {
    let stand = Stand::of(sizes()).await;
    stand
        .emulator
        .add_application(APP, APP_SECRET, Some(Role::IntegrationReader))
        .unwrap();
    let settings = settings(&stand, |s| s["auth"]["clientId"] = APP.to_string().into());
    let user = user_of(&stand, APP).await;
    let cli = Cli::with_secret(&settings, Some(APP_SECRET));
    cli.run(&SYNC).succeeded();

    let id = Uuid::try_parse(&user).unwrap();
    stand.emulator.disable_user(id, true).unwrap();
    cli.run(&SYNC)
        .refused(4, &["disabled", "0x8004a112"], &[APP_SECRET]);
    assert_eq!(cli.run(&["check"]).code, Some(1));
    stand.emulator.disable_user(id, false).unwrap();
    cli.run(&SYNC).succeeded();

    let role = Role::IntegrationReader.id(ROOT_BUSINESS_UNIT);
    let membership = format!("systemusers({user})/systemuserroles_association({role})/$ref");
    stand.api.send(Method::DELETE, &membership, None).await;
    cli.run(&SYNC)
        .refused(4, &["role", "0x80042f09"], &[APP_SECRET]);
    let checked = cli.run(&["check"]);
    assert_eq!(checked.code, Some(1));
    assert!(
        checked.stdout.contains("security role"),
        "{}",
        checked.stdout
    );

    stand.emulator.disable_application(APP, true);
    let refused = cli.run(&SYNC);
    assert!(matches!(refused.code, Some(2..=4)), "{refused:?}");
    refused.keeps(&[APP_SECRET]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_privilege_stops_its_table_only() {
    let stand = Stand::of(sizes()).await;
    stand
        .emulator
        .add_application(APP, APP_SECRET, Some(Role::IntegrationReader))
        .unwrap();
    stand
        .emulator
        .revoke(Role::IntegrationReader, "prvReadContact")
        .unwrap();
    let settings = settings(&stand, |s| s["auth"]["clientId"] = APP.to_string().into());
    let secrets = InMemory::new().with(SECRET_NAME, APP_SECRET);
    let profile = Profile::new(settings.to_string(), secrets).unwrap();
    let memory = Memory::new();
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
            &memory.held(stream).rows,
            &stand.api.rows(stream).await,
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
        .refused(9, &["contact", "prvReadContact"], &[APP_SECRET]);
    let alone = ["sync", "--to", "jsonl:alone", "--stream", "contact"];
    cli.run(&alone)
        .refused(4, &["contact", "prvReadContact"], &[APP_SECRET]);
}

/// Rows of the user's own business unit only: change tracking is refused, plain reads are not.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_sees_part_of_a_table_reads_that_part_without_change_tracking() {
    let stand = Stand::of(sizes()).await;
    stand
        .emulator
        .add_application(APP, APP_SECRET, Some(Role::Salesperson))
        .unwrap();
    let settings = settings(&stand, |s| s["auth"]["clientId"] = APP.to_string().into());
    let secrets = InMemory::new().with(SECRET_NAME, APP_SECRET);
    let profile = Profile::new(settings.to_string(), secrets).unwrap();
    let memory = Memory::new();
    let report = sync(&profile, &requests(&["account"], 4), memory.clone()).await;
    all_complete(&report);
    let held = memory.held("account");
    assert_eq!(
        held.warnings[0].0, "change-tracking-unavailable",
        "{:?}",
        held.warnings
    );
    assert!(
        held.warnings[0]
            .1
            .contains("depth of the whole organization"),
        "{:?}",
        held.warnings
    );
    let all = stand.api.rows("account").await;
    assert!(held.rows.keys().all(|key| all.contains_key(key)));
}

/// The authority is found from the environment's challenge; a named tenant and authority are
/// used instead; an authority that fails for a moment is asked again.
#[tokio::test(flavor = "multi_thread")]
async fn the_authority_is_discovered_or_configured() {
    let stand = Stand::of(sizes()).await;
    let mut authority = Place::take().await;
    let failures = std::sync::atomic::AtomicU32::new(2);
    authority.forward(stand.emulator.authority_url(), move |_, mut answer| {
        let failed = failures.fetch_update(
            std::sync::atomic::Ordering::SeqCst,
            std::sync::atomic::Ordering::SeqCst,
            |left| left.checked_sub(1),
        );
        if failed.is_ok() {
            *answer.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        }
        answer
    });
    let named = settings(&stand, |s| {
        s["tenant"] = TENANT_ID.to_string().into();
        s["authority"] = authority.origin().into();
    });
    for settings in [stand.settings(), named] {
        let mut session = host().open(&stand.profile_with(&settings)).await.unwrap();
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
    let asked = authority.seen();
    assert_eq!(asked.len(), 3, "two failures and a success: {asked:?}");
    assert!(
        asked
            .iter()
            .all(|seen| seen.path.contains(&TENANT_ID.to_string()))
    );
    assert!(
        asked
            .iter()
            .all(|seen| seen.header("authorization").is_empty())
    );
}

/// The secret goes to an authority that the settings trust, and not to whomever an environment
/// names.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_not_sent_to_an_authority_that_is_not_trusted() {
    let mut place = Place::take().await;
    let origin = place.origin().to_owned();
    let stand = Stand::with(|builder| builder.also_known_as(&origin)).await;
    place.forward(stand.emulator.base_url(), |_, mut answer| {
        let bad = format!(
            "Bearer authorization_uri=https://login.evil.example/{TENANT_ID}/oauth2/authorize, \
             resource_id=https://x.example/"
        );
        if answer.headers().contains_key("www-authenticate") {
            answer
                .headers_mut()
                .insert("www-authenticate", bad.parse().unwrap());
        }
        answer
    });
    let settings = settings(&stand, |s| s["environment"] = origin.into());
    let mut session = host().open(&stand.profile_with(&settings)).await.unwrap();
    let Err(CallError::Connector(error)) = session.list_streams().await else {
        panic!("signed in at a stranger's");
    };
    assert_eq!(error.kind, ErrorKind::InvalidSettings, "{error}");
    assert!(
        error.message.contains("https://login.evil.example"),
        "{error}"
    );
}

/// One session signs in once, however many streams it reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_signs_in_once() {
    let stand = Stand::with(|builder| {
        builder.seed(|store| {
            generate::run(store, 5, &sizes())?;
            Ok(())
        })
    })
    .await;
    let before = stand.emulator.statistics().tokens_issued;
    let streams = ["account", "contact", "lead", "systemuser", "task"];
    all_complete(&stand.sync(&requests(&streams, 3), Memory::new()).await);
    assert_eq!(stand.emulator.statistics().tokens_issued - before, 1);
}
