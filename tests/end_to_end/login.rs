//! A person signs in, in a real browser, on plain pages, or on another device.

use dataverse_emulator::seed::generate::Sizes;
use dataverse_emulator::{CLIENT_ID, CLIENT_SECRET, PASSWORD, PUBLIC_CLIENT_ID, TENANT_ID};
use dataverse_tests::{Browser, Cli, Person, SECRET_NAME, Stand};
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

async fn stand() -> Stand {
    Stand::with(|builder| {
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

/// One person through the public application, or through the confidential one.
fn settings(stand: &Stand, confidential: bool) -> Value {
    let mut settings = stand.settings();
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

/// Answers the pages that ask for name and password.
async fn sign_in(browser: &Browser, name: &str, password: &str) {
    browser.type_into("#i0116", name).await;
    browser.click("#idSIButton9").await;
    browser.type_into("#i0118", password).await;
    browser.click("#idSIButton9").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_real_browser() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let stand = stand().await;

    // A public application: wrong password first, then consent.
    let cli = Cli::with_kept_secrets(&settings(&stand, false), &[]);
    let mut login = cli.listen(&LOGIN);
    browser.open(&login.page()).await;
    sign_in(&browser, SELLER, "no-password-of-anybody").await;
    let complaint = browser.text("#passwordError").await;
    assert!(complaint.contains("AADSTS50126"), "{complaint}");
    browser.type_into("#i0118", PASSWORD).await;
    browser.click("#idSIButton9").await;
    assert_eq!(browser.text("#displayName").await, SELLER);
    browser.text("#appName").await;
    browser.click("#idSIButton9").await;
    assert_eq!(browser.text("h1").await, "Done");
    assert_eq!(browser.text("p").await, "You can close this window.");
    login.ended().found_available();
    assert!(cli.kept("refresh-token").is_some());
    cli.run(&SYNC).succeeded();

    // An administrator consents for everybody to a confidential one.
    let secrets = [(SECRET_NAME, CLIENT_SECRET)];
    let cli = Cli::with_kept_secrets(&settings(&stand, true), &secrets);
    let mut consent = cli.listen(&CONSENT);
    browser.open(&consent.page()).await;
    // The browser remembers the seller, who may not.
    browser.click("#adminConsentSwitchAccount").await;
    sign_in(&browser, ADMINISTRATOR, PASSWORD).await;
    browser.text("#appName").await;
    browser.click("#idBtn_Back").await;
    assert_eq!(browser.text("h1").await, "It did not work");
    consent.ended().refused(4, &["consent"], &[]);

    let mut consent = cli.listen(&CONSENT);
    browser.open(&consent.page()).await;
    let account = format!("[data-test-id='{ADMINISTRATOR}']");
    browser.click(&account).await;
    browser.text("#appName").await;
    browser.click("#idSIButton9").await;
    assert_eq!(browser.text("h1").await, "Done");
    let ended = consent.ended();
    ended.succeeded();
    let told = format!("Consent was given in the directory {TENANT_ID}");
    assert!(ended.stdout.starts_with(&told), "{}", ended.stdout);

    // Now nobody is asked for consent.
    let mut login = cli.listen(&LOGIN);
    browser.open(&login.page()).await;
    browser.click(&format!("[data-test-id='{SELLER}']")).await;
    assert_eq!(browser.text("h1").await, "Done");
    let ended = login.ended();
    ended.found_available();
    assert!(ended.stdout.contains(SELLER), "{}", ended.stdout);
}

/// What a person, or somebody else, does instead of signing in.
#[tokio::test(flavor = "multi_thread")]
async fn failed_sign_ins_are_reported() {
    let stand = stand().await;
    let cli = Cli::with_kept_secrets(&settings(&stand, false), &[]);

    let mut login = cli.listen(&LOGIN);
    let mut person = Person::opening(&login.page()).await;
    person.sign_in(SELLER, PASSWORD).await;
    person.press("cancel", &[]).await;
    assert!(
        person.page().contains("It did not work"),
        "{}",
        person.page()
    );
    login.ended().refused(4, &["declined"], &[]);

    // An answer of somebody else's is refused and waited on.
    let mut login = cli.listen(&LOGIN);
    let page = login.page();
    let place = login.told("Waiting for the browser at ");
    let place = place.trim_end_matches(" …");
    let foreign = Person::opening(&format!("{place}/?code=x&state=y")).await;
    assert!(foreign.page().contains("Refused"), "{}", foreign.page());
    let mut person = Person::opening(&page).await;
    person.sign_in(SELLER, PASSWORD).await;
    person.press("accept", &[]).await;
    assert!(person.page().contains("You can close"), "{}", person.page());
    login.ended().found_available();

    let ended = cli.run(&[LOGIN.as_slice(), &["--timeout", "1s"]].concat());
    ended.refused(7, &["--timeout"], &[]);

    let mut login = cli.listen(&LOGIN);
    login.page();
    login.interrupt();
    login.ended().refused(130, &["interrupted"], &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_another_device() {
    let stand = stand().await;
    let cli = Cli::with_kept_secrets(&settings(&stand, false), &[]);

    let mut login = cli.listen(&["login", "--device"]);
    let page = login.told("Page: ");
    let code = login.told("Code: ");
    let mut person = Person::opening(&page).await;
    person.press("device", &[("otc", &code)]).await;
    person.sign_in(SELLER, PASSWORD).await;
    for action in ["continue", "accept"] {
        if person.page().contains(&format!("value=\"{action}\"")) {
            person.press(action, &[]).await;
        }
    }
    login.ended().found_available();
    assert!(cli.kept("refresh-token").is_some());
    cli.run(&SYNC).succeeded();

    let mut login = cli.listen(&["login", "--device"]);
    let page = login.told("Page: ");
    let code = login.told("Code: ");
    let mut person = Person::opening(&page).await;
    person.press("device", &[("otc", &code)]).await;
    person.sign_in(SELLER, PASSWORD).await;
    person.press("cancel", &[]).await;
    login.ended().refused(4, &["declined"], &[]);
}

/// What a refresh token can come to, and that a program which signs in anew mends it.
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_sign_in_is_reported() {
    let stand = stand().await;
    let cli = Cli::with_kept_secrets(&settings(&stand, false), &[]);
    cli.run(&SYNC).refused(3, &["refresh-token"], &[]);
    let signs_in = async || {
        let mut login = cli.listen(&LOGIN);
        let mut person = Person::opening(&login.page()).await;
        person.sign_in(SELLER, PASSWORD).await;
        if person.page().contains("value=\"accept\"") {
            person.press("accept", &[]).await;
        }
        login.ended().found_available();
    };
    signs_in().await;
    stand.emulator.revoke_grants(SELLER);
    let over: &[&str] = &["AADSTS50173", "sign in again"];
    cli.run(&SYNC).refused(3, over, &[]);
    cli.run(&["check"]).found_unavailable(&["AADSTS50173"]);
    signs_in().await;
    stand.emulator.expire_refresh_tokens();
    cli.run(&SYNC)
        .refused(3, &["AADSTS700082", "sign in again"], &[]);
    signs_in().await;
    stand
        .emulator
        .change_person(SELLER, |person| person.disabled = true);
    cli.run(&SYNC).refused(3, &["AADSTS50057"], &[]);
}
