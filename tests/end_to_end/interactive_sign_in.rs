//! A person signs in: in a real browser, on simulated pages, or on another device.

use dataverse_emulator::seed::generate::Sizes;
use dataverse_emulator::{CLIENT_ID, CLIENT_SECRET, PASSWORD, PUBLIC_CLIENT_ID, TENANT_ID};
use dataverse_tests::{Browser, Cli, Fixture, Person, SECRET_NAME};
use serde_json::{Value, json};

const SYNC: [&str; 5] = ["sync", "--to", "jsonl:out", "--stream", "account"];
const LOGIN: [&str; 4] = ["login", "--no-browser", "--callback", "http://localhost:0"];
const CONSENT: [&str; 4] = [
    "admin-consent",
    "--no-browser",
    "--callback",
    "http://localhost:0",
];
const ADMINISTRATOR: &str = "ada@example.com";
const SELLER: &str = "jonas@example.com";

async fn fixture() -> Fixture {
    Fixture::build(|builder| {
        builder
            .device_code_interval(std::time::Duration::from_secs(1))
            .seed(|store| {
                let sizes = Sizes {
                    accounts: 6,
                    ..Sizes::default()
                };
                dataverse_emulator::seed::generate::run(store, 5, &sizes)?;
                Ok(())
            })
    })
    .await
}

/// Settings of a person's connection, with a public or a confidential application.
fn settings(fixture: &Fixture, confidential: bool) -> Value {
    let mut settings = fixture.settings();
    settings["auth"] = json!({
        "type": "delegated",
        "clientId": PUBLIC_CLIENT_ID.to_string(),
        "refreshToken": "refresh-token",
    });
    if confidential {
        settings["auth"]["clientId"] = CLIENT_ID.to_string().into();
        settings["auth"]["secret"] = SECRET_NAME.into();
    }
    settings
}

/// Fills in the pages for name and password.
async fn sign_in(browser: &Browser, name: &str, password: &str) {
    browser.type_into("#i0116", name).await;
    browser.click("#idSIButton9").await;
    browser.type_into("#i0118", password).await;
    browser.click("#idSIButton9").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_and_an_administrator_consents_in_a_browser() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let fixture = fixture().await;

    // A public application: a wrong password, then the right one and consent.
    let cli = Cli::with_stored_secrets(&settings(&fixture, false), &[]);
    let mut login = cli.start_interactive(&LOGIN);
    browser.open(&login.page()).await;
    sign_in(&browser, SELLER, "wrong-password").await;
    let error = browser.text("#passwordError").await;
    assert!(error.contains("AADSTS50126"), "{error}");
    browser.type_into("#i0118", PASSWORD).await;
    browser.click("#idSIButton9").await;
    assert_eq!(browser.text("#displayName").await, SELLER);
    browser.text("#appName").await;
    browser.click("#idSIButton9").await;
    assert_eq!(browser.text("h1").await, "Done");
    assert_eq!(browser.text("p").await, "You can close this window.");
    login.wait().assert_available();
    assert!(cli.stored_secret("refresh-token").is_some());
    cli.run(&SYNC).assert_success();

    // A confidential application: an administrator consents for all users.
    let secrets = [(SECRET_NAME, CLIENT_SECRET)];
    let cli = Cli::with_stored_secrets(&settings(&fixture, true), &secrets);
    let mut consent = cli.start_interactive(&CONSENT);
    browser.open(&consent.page()).await;
    // The browser remembers the seller, who is not an administrator.
    browser.click("#adminConsentSwitchAccount").await;
    sign_in(&browser, ADMINISTRATOR, PASSWORD).await;
    browser.text("#appName").await;
    browser.click("#idBtn_Back").await;
    assert_eq!(browser.text("h1").await, "Failed");
    consent.wait().assert_error(4, &["consent"], &[]);

    let mut consent = cli.start_interactive(&CONSENT);
    browser.open(&consent.page()).await;
    let account = format!("[data-test-id='{ADMINISTRATOR}']");
    browser.click(&account).await;
    browser.text("#appName").await;
    browser.click("#idSIButton9").await;
    assert_eq!(browser.text("h1").await, "Done");
    let output = consent.wait();
    output.assert_success();
    let message = format!("consent was given in the directory {TENANT_ID}");
    assert!(output.stdout.contains(&message), "{}", output.stdout);

    // No user is asked for consent any more.
    let mut login = cli.start_interactive(&LOGIN);
    browser.open(&login.page()).await;
    browser.click(&format!("[data-test-id='{SELLER}']")).await;
    assert_eq!(browser.text("h1").await, "Done");
    let output = login.wait();
    output.assert_available();
    assert!(output.stdout.contains(SELLER), "{}", output.stdout);
}

/// The person declines, another request arrives first, the time is over, or the user interrupts.
#[tokio::test(flavor = "multi_thread")]
async fn failed_sign_ins_are_reported() {
    let fixture = fixture().await;
    let cli = Cli::with_stored_secrets(&settings(&fixture, false), &[]);

    let mut login = cli.start_interactive(&LOGIN);
    let mut person = Person::open(&login.page()).await;
    person.sign_in(SELLER, PASSWORD).await;
    person.submit("cancel", &[]).await;
    assert!(person.page().contains("Failed"), "{}", person.page());
    login.wait().assert_error(4, &["declined"], &[]);

    // A request with another state is rejected, and the program continues to wait.
    let mut login = cli.start_interactive(&LOGIN);
    let page = login.page();
    let address = login.wait_for_line("Waiting for the browser at ");
    let address = address.trim_end_matches(" …");
    let foreign = Person::open(&format!("{address}/?code=x&state=y")).await;
    assert!(foreign.page().contains("Refused"), "{}", foreign.page());
    let mut person = Person::open(&page).await;
    person.sign_in(SELLER, PASSWORD).await;
    person.submit("accept", &[]).await;
    assert!(person.page().contains("You can close"), "{}", person.page());
    login.wait().assert_available();

    let output = cli.run(&[LOGIN.as_slice(), &["--timeout", "1s"]].concat());
    output.assert_error(7, &["--timeout"], &[]);

    let mut login = cli.start_interactive(&LOGIN);
    login.page();
    login.interrupt();
    login.wait().assert_error(130, &["interrupted"], &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_on_another_device() {
    let fixture = fixture().await;
    let cli = Cli::with_stored_secrets(&settings(&fixture, false), &[]);

    let mut login = cli.start_interactive(&["login", "--device"]);
    let page = login.wait_for_line("Page: ");
    let code = login.wait_for_line("Code: ");
    let mut person = Person::open(&page).await;
    person.submit("device", &[("otc", &code)]).await;
    person.sign_in(SELLER, PASSWORD).await;
    for action in ["continue", "accept"] {
        if person.page().contains(&format!("value=\"{action}\"")) {
            person.submit(action, &[]).await;
        }
    }
    login.wait().assert_available();
    assert!(cli.stored_secret("refresh-token").is_some());
    cli.run(&SYNC).assert_success();

    let mut login = cli.start_interactive(&["login", "--device"]);
    let page = login.wait_for_line("Page: ");
    let code = login.wait_for_line("Code: ");
    let mut person = Person::open(&page).await;
    person.submit("device", &[("otc", &code)]).await;
    person.sign_in(SELLER, PASSWORD).await;
    person.submit("cancel", &[]).await;
    login.wait().assert_error(4, &["declined"], &[]);
}

/// A refresh token is missing, revoked or expired; signing in again replaces it.
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_sign_in_is_reported() {
    let fixture = fixture().await;
    let cli = Cli::with_stored_secrets(&settings(&fixture, false), &[]);
    cli.run(&SYNC).assert_error(3, &["refresh-token"], &[]);
    let signs_in = async || {
        let mut login = cli.start_interactive(&LOGIN);
        let mut person = Person::open(&login.page()).await;
        person.sign_in(SELLER, PASSWORD).await;
        if person.page().contains("value=\"accept\"") {
            person.submit("accept", &[]).await;
        }
        login.wait().assert_available();
    };
    signs_in().await;
    fixture.emulator.revoke_grants(SELLER);
    let over: &[&str] = &["AADSTS50173", "sign in again"];
    cli.run(&SYNC).assert_error(3, over, &[]);
    cli.run(&["check"]).assert_unavailable(&["AADSTS50173"]);
    signs_in().await;
    fixture.emulator.expire_refresh_tokens();
    cli.run(&SYNC)
        .assert_error(3, &["AADSTS700082", "sign in again"], &[]);
    signs_in().await;
    fixture
        .emulator
        .change_person(SELLER, |person| person.disabled = true);
    cli.run(&SYNC).assert_error(3, &["AADSTS50057"], &[]);
}
