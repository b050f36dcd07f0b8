//! Every way of signing in that needs no person: it works, and each thing that can be wrong with
//! it is told with the right exit code and what to do.

use dataverse_emulator::entra::{Application, Certificate, FederatedCredential, KeySet};
use dataverse_emulator::org::Role;
use dataverse_emulator::seed::generate::Sizes;
use dataverse_emulator::{CLIENT_ID, TENANT_ID};
use dataverse_tests::{Cli, Identity, Stand};
use serde_json::{Value, json};
use uuid::Uuid;

const APP: Uuid = Uuid::from_u128(0x7777_0000_0000_4000_8000_0000_0000_0002);
const SYNC: [&str; 5] = ["sync", "--to", "jsonl:out", "--stream", "account"];
const ISSUER: &str = "https://token.actions.example";
const SUBJECT: &str = "repo:contoso/integration:ref:refs/heads/main";

async fn stand() -> Stand {
    Stand::of(Sizes {
        accounts: 6,
        ..Sizes::default()
    })
    .await
}

fn settings(stand: &Stand, auth: Value) -> Value {
    let mut settings = stand.settings();
    settings["auth"] = auth;
    settings
}

/// The connection works, and `sync` does.
#[track_caller]
fn works(name: &str, cli: &Cli) {
    println!("{name}");
    cli.run(&["check"]).found_available();
    cli.run(&SYNC).succeeded();
}

/// The connection does not work, which `check` and `sync` say alike.
#[track_caller]
fn refused(name: &str, cli: &Cli, code: i32, words: &[&str]) {
    println!("{name}");
    cli.run(&SYNC).refused(code, words, &[]);
    cli.run(&["check"]).found_unavailable(words);
}

fn application() -> Application {
    Application::new(APP, TENANT_ID, "Integration")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate() {
    let stand = stand().await;
    let (ours, theirs) = (Identity::usual(), Identity::new());
    let mut application = application();
    application.certificates = vec![Certificate::parse(&ours.certificate_pem).unwrap()];
    stand
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
        settings(&stand, auth)
    };
    for algorithm in ["PS256", "RS256"] {
        let cli = Cli::with_kept_secrets(&of(algorithm), &[("certificate", &ours.pem())]);
        works(algorithm, &cli);
    }
    let mixed = format!("{}{}", ours.key_pem, theirs.certificate_pem);
    let cases: [(&str, &str, i32, &[&str]); 5] = [
        (
            "another's",
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
        ("two halves", &mixed, 3, &["belongs to none"]),
        ("no PEM", "MIIK", 3, &["openssl pkcs12"]),
    ];
    for (name, pem, code, words) in cases {
        let cli = Cli::with_kept_secrets(&of("PS256"), &[("certificate", pem)]);
        refused(name, &cli, code, words);
    }
    let cli = Cli::with_kept_secrets(&of("PS256"), &[]);
    refused("nothing", &cli, 3, &["certificate"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_identity() {
    let stand = stand().await;
    let provider = Identity::usual();
    let mut application = application();
    application.federated_credentials = vec![FederatedCredential {
        issuer: ISSUER.to_owned(),
        subject: SUBJECT.to_owned(),
        audience: FederatedCredential::AUDIENCE.to_owned(),
        keys: KeySet::parse(&provider.key_set()).unwrap(),
    }];
    stand
        .emulator
        .register(application, Some(Role::SystemAdministrator))
        .unwrap();
    let auth = json!({
        "type": "workload-identity",
        "clientId": APP.to_string(),
        "assertion": "assertion",
    });
    let settings = settings(&stand, auth);
    let with = |assertion: &str| Cli::with_kept_secrets(&settings, &[("assertion", assertion)]);
    let audience = FederatedCredential::AUDIENCE;

    let cli = with(&provider.assertion(ISSUER, SUBJECT, audience, 600));
    works("trusted", &cli);
    // A new one is taken up with the next token.
    cli.run(&SYNC).succeeded();

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
            "over",
            provider.assertion(ISSUER, SUBJECT, audience, -600),
            "AADSTS700024",
        ),
    ];
    for (name, assertion, word) in cases {
        refused(name, &with(&assertion), 3, &[word]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ready_access_token() {
    let stand = stand().await;
    let auth = json!({"type": "access-token", "token": "token"});
    let settings = settings(&stand, auth);
    let cli = Cli::with_kept_secrets(&settings, &[("token", stand.api.token())]);
    works("ready", &cli);
    stand.emulator.expire_tokens();
    refused("expired", &cli, 3, &["token"]);
    let cli = Cli::with_kept_secrets(&settings, &[("token", "not-a-token-of-anybody")]);
    refused("of nobody", &cli, 3, &["token"]);
}

/// The same connection, as tools for Dynamics 365 write it down.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_string() {
    let stand = stand().await;
    let cli = Cli::with_kept_secrets(&stand.settings(), &[]);
    let connection = |text: &str| {
        let file = format!(
            "settings = \"{text}\"\n[secrets]\nfrom = \"file\"\npath = \"kept/secrets.json\"\n"
        );
        std::fs::write(cli.file("connection.toml"), file).unwrap();
    };
    let url = stand.emulator.base_url();
    connection(&format!(
        "AuthType=ClientSecret;Url={url};ClientId={CLIENT_ID};ClientSecret=secret:client-secret"
    ));
    cli.run(&["check"]).found_unavailable(&["client-secret"]);
    let secret = dataverse_emulator::CLIENT_SECRET;
    let other = Cli::with_kept_secrets(&stand.settings(), &[("client-secret", secret)]);
    std::fs::copy(cli.file("connection.toml"), other.file("connection.toml")).unwrap();
    works("connection string", &other);

    connection(&format!(
        "AuthType=ClientSecret;Url={url};ClientId={CLIENT_ID};ClientSecret=hunter2~pasted"
    ));
    let ended = cli.run(&SYNC);
    ended.refused(2, &["ClientSecret"], &["hunter2"]);
    std::fs::remove_file(cli.file("connection.toml")).unwrap();
}
