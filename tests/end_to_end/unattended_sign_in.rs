//! Sign-ins without a person: each flow works, and each error has an exit code and a remedy.

use dataverse_emulator::entra::{Application, Certificate, FederatedCredential, KeySet};
use dataverse_emulator::org::Role;
use dataverse_emulator::seed::generate::Sizes;
use dataverse_emulator::{CLIENT_ID, TENANT_ID};
use dataverse_tests::{Cli, Fixture, Identity};
use serde_json::{Value, json};
use uuid::Uuid;

const APP: Uuid = Uuid::from_u128(0x7777_0000_0000_4000_8000_0000_0000_0002);
const SYNC: [&str; 5] = ["sync", "--to", "jsonl:out", "--stream", "account"];
const ISSUER: &str = "https://token.actions.example";
const SUBJECT: &str = "repo:contoso/integration:ref:refs/heads/main";

async fn fixture() -> Fixture {
    Fixture::with_rows(Sizes {
        accounts: 6,
        ..Sizes::default()
    })
    .await
}

fn settings(fixture: &Fixture, auth: Value) -> Value {
    let mut settings = fixture.settings();
    settings["auth"] = auth;
    settings
}

/// `check` and `sync` succeed.
#[track_caller]
fn assert_works(name: &str, cli: &Cli) {
    println!("{name}");
    cli.run(&["check"]).assert_available();
    cli.run(&SYNC).assert_success();
}

/// `check` and `sync` report the same error.
#[track_caller]
fn assert_fails(name: &str, cli: &Cli, code: i32, words: &[&str]) {
    println!("{name}");
    cli.run(&SYNC).assert_error(code, words, &[]);
    cli.run(&["check"]).assert_unavailable(words);
}

fn application() -> Application {
    Application::new(APP, TENANT_ID, "Integration")
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_with_a_certificate() {
    let fixture = fixture().await;
    let (ours, theirs) = (Identity::shared(), Identity::new());
    let mut application = application();
    application.certificates = vec![Certificate::parse(&ours.certificate_pem).unwrap()];
    fixture
        .emulator
        .register(application, Some(Role::SystemAdministrator))
        .unwrap();
    let of = |algorithm: &str| {
        let auth = json!({
            "type": "certificate",
            "clientId": APP.to_string(),
            "certificate": "certificate",
            "algorithm": algorithm,
        });
        settings(&fixture, auth)
    };
    for algorithm in ["PS256", "RS256"] {
        let cli = Cli::with_stored_secrets(&of(algorithm), &[("certificate", &ours.pem())]);
        assert_works(algorithm, &cli);
    }
    let mixed = format!("{}{}", ours.key_pem, theirs.certificate_pem);
    let cases: [(&str, &str, i32, &[&str]); 5] = [
        (
            "the key of another certificate",
            &theirs.pem(),
            3,
            &["certificate", "AADSTS700027"],
        ),
        (
            "no key",
            &ours.certificate_pem,
            3,
            &["certificate", "private key"],
        ),
        ("no certificate", &ours.key_pem, 3, &["certificate"]),
        (
            "key and certificate do not match",
            &mixed,
            3,
            &["belongs to none"],
        ),
        ("not PEM", "MIIK", 3, &["openssl pkcs12"]),
    ];
    for (name, pem, code, words) in cases {
        let cli = Cli::with_stored_secrets(&of("PS256"), &[("certificate", pem)]);
        assert_fails(name, &cli, code, words);
    }
    let cli = Cli::with_stored_secrets(&of("PS256"), &[]);
    assert_fails("missing", &cli, 3, &["certificate"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_with_a_workload_identity() {
    let fixture = fixture().await;
    let provider = Identity::shared();
    let mut application = application();
    application.federated_credentials = vec![FederatedCredential {
        issuer: ISSUER.to_owned(),
        subject: SUBJECT.to_owned(),
        audience: FederatedCredential::AUDIENCE.to_owned(),
        keys: KeySet::parse(&provider.key_set()).unwrap(),
    }];
    fixture
        .emulator
        .register(application, Some(Role::SystemAdministrator))
        .unwrap();
    let auth = json!({
        "type": "workload-identity",
        "clientId": APP.to_string(),
        "assertion": "assertion",
    });
    let settings = settings(&fixture, auth);
    let with = |assertion: &str| Cli::with_stored_secrets(&settings, &[("assertion", assertion)]);
    let audience = FederatedCredential::AUDIENCE;

    let cli = with(&provider.assertion(ISSUER, SUBJECT, audience, 600));
    assert_works("trusted", &cli);
    // The assertion is read again for the next token.
    cli.run(&SYNC).assert_success();

    let stranger = Identity::new();
    let cases = [
        (
            "foreign issuer",
            provider.assertion("https://x.example", SUBJECT, audience, 600),
            "issuer",
        ),
        (
            "foreign subject",
            provider.assertion(ISSUER, "repo:x/y", audience, 600),
            "subject",
        ),
        (
            "foreign audience",
            provider.assertion(ISSUER, SUBJECT, "api://x", 600),
            "audience",
        ),
        (
            "foreign key",
            stranger.assertion(ISSUER, SUBJECT, audience, 600),
            "AADSTS",
        ),
        (
            "expired",
            provider.assertion(ISSUER, SUBJECT, audience, -600),
            "AADSTS700024",
        ),
    ];
    for (name, assertion, word) in cases {
        assert_fails(name, &with(&assertion), 3, &[word]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_with_an_access_token() {
    let fixture = fixture().await;
    let auth = json!({"type": "access-token", "token": "token"});
    let settings = settings(&fixture, auth);
    let cli = Cli::with_stored_secrets(&settings, &[("token", fixture.api.token())]);
    assert_works("ready", &cli);
    fixture.emulator.expire_tokens();
    assert_fails("expired", &cli, 3, &["token"]);
    let cli = Cli::with_stored_secrets(&settings, &[("token", "not-a-token")]);
    assert_fails("invalid", &cli, 3, &["token"]);
}

/// The connection string of tools for Dynamics 365.
#[tokio::test(flavor = "multi_thread")]
async fn signing_in_with_a_connection_string() {
    let fixture = fixture().await;
    let cli = Cli::with_stored_secrets(&fixture.settings(), &[]);
    let connection = |text: &str| {
        let file = format!(
            "settings = \"{text}\"\n[secrets]\nfrom = \"file\"\npath = \"secrets/secrets.json\"\n"
        );
        std::fs::write(cli.file("connection.toml"), file).unwrap();
    };
    let url = fixture.emulator.base_url();
    connection(&format!(
        "AuthType=ClientSecret;Url={url};ClientId={CLIENT_ID};ClientSecret=secret:client-secret"
    ));
    cli.run(&["check"]).assert_unavailable(&["client-secret"]);
    let secret = dataverse_emulator::CLIENT_SECRET;
    let other = Cli::with_stored_secrets(&fixture.settings(), &[("client-secret", secret)]);
    std::fs::copy(cli.file("connection.toml"), other.file("connection.toml")).unwrap();
    assert_works("connection string", &other);

    connection(&format!(
        "AuthType=ClientSecret;Url={url};ClientId={CLIENT_ID};ClientSecret=hunter2~pasted"
    ));
    let output = cli.run(&SYNC);
    output.assert_error(2, &["ClientSecret"], &["hunter2"]);
    std::fs::remove_file(cli.file("connection.toml")).unwrap();
}
