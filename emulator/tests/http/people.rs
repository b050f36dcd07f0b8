//! People signing in: pages, codes, refresh tokens, devices, consent (reference §2.4 to §2.6).

use std::{collections::HashMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dataverse_emulator::{
    CLIENT_ID, CLIENT_SECRET, Emulator, OTHER_TENANT_DOMAIN, PASSWORD, PUBLIC_CLIENT_ID, TENANT_ID,
    org,
};
use hyper::Method;
use ring::digest;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::{
    browser::Browser,
    support::{Response, Service},
};

const ADA: &str = "ada@example.com";
const JONAS: &str = "jonas@example.com";
const REDIRECT: &str = "http://localhost:33333";
const VERIFIER: &str = "a-verifier-of-the-right-length-0123456789.~_-";

/// The address of an authorization endpoint, with some parameters changed, or removed by an
/// empty value.
fn authorize(service: &Service, tenant: &str, changes: &[(&str, &str)]) -> String {
    let hash = digest::digest(&digest::SHA256, VERIFIER.as_bytes());
    let mut query: Vec<(&str, String)> = vec![
        ("client_id", PUBLIC_CLIENT_ID.to_string()),
        ("response_type", "code".into()),
        ("redirect_uri", REDIRECT.into()),
        ("scope", scope(service)),
        ("state", "a state & more".into()),
        ("code_challenge", URL_SAFE_NO_PAD.encode(hash)),
        ("code_challenge_method", "S256".into()),
    ];
    for (name, value) in changes {
        query.retain(|(known, _)| known != name);
        if !value.is_empty() {
            query.push((name, (*value).to_owned()));
        }
    }
    let query = Serializer::new(String::new()).extend_pairs(query).finish();
    let authority = service.emulator.authority_url();
    format!("{authority}/{tenant}/oauth2/v2.0/authorize?{query}")
}

fn scope(service: &Service) -> String {
    format!(
        "{}/user_impersonation offline_access openid",
        service.emulator.base_url()
    )
}

/// Posts a form to an endpoint of the authority.
async fn post(service: &Service, path: &str, fields: &[(&str, &str)]) -> Response {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    let address = format!("{}/{path}", service.emulator.authority_url());
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", ""),
    ];
    let response = service.try_send(Method::POST, &address, &headers, &body);
    response.await.unwrap()
}

async fn redeem(service: &Service, code: &str, changes: &[(&str, &str)]) -> Response {
    let client = PUBLIC_CLIENT_ID.to_string();
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("client_id", client.as_str()),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        if !value.is_empty() {
            fields.push((name, value));
        }
    }
    post(service, &format!("{TENANT_ID}/oauth2/v2.0/token"), &fields).await
}

async fn refresh(service: &Service, token: &str) -> Response {
    let client = PUBLIC_CLIENT_ID.to_string();
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", client.as_str()),
        ("refresh_token", token),
    ];
    post(service, &format!("{TENANT_ID}/oauth2/v2.0/token"), &fields).await
}

fn refused(response: &Response) -> (u64, String) {
    let json = response.json();
    let error = json["error"].as_str().unwrap_or_default().to_owned();
    (json["error_codes"][0].as_u64().unwrap_or(0), error)
}

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_default().to_owned()
}

/// A code for the public client, with consent given on the way.
async fn code(service: &Service, who: &str) -> String {
    let address = authorize(service, &TENANT_ID.to_string(), &[]);
    let mut browser = Browser::open(service, &address).await;
    browser.sign_in(who, PASSWORD).await;
    if browser.page().status == 200 {
        browser.press("accept", &[]).await;
    }
    browser.sent_back()["code"].clone()
}

#[tokio::test]
async fn a_person_signs_in_and_works_under_their_name() {
    let service = Service::start().await;
    let address = authorize(&service, "organizations", &[("nonce", "n-1")]);
    let mut browser = Browser::open(&service, &address).await;
    browser
        .press("name", &[("loginfmt", "nobody@example.com")])
        .await;
    assert!(browser.text().contains("AADSTS50034"));
    browser.press("name", &[("loginfmt", JONAS)]).await;
    browser.press("password", &[("passwd", "wrong")]).await;
    assert!(browser.text().contains("AADSTS50126"));
    browser.press("password", &[("passwd", PASSWORD)]).await;
    assert!(browser.text().contains("Permissions requested"));
    browser.press("accept", &[]).await;
    let back = browser.sent_back();
    assert_eq!(back["state"], "a state & more");

    for (changes, expected) in [
        (vec![("code_verifier", "")], 501_481),
        (
            vec![("code_verifier", &VERIFIER.replace('a', "b")[..])],
            501_481,
        ),
        (vec![("redirect_uri", "http://localhost:33334")], 50_011),
        (vec![("client_secret", CLIENT_SECRET)], 700_025),
        (vec![("client_id", &CLIENT_ID.to_string()[..])], 70_000),
    ] {
        let response = redeem(&service, &back["code"], &changes).await;
        assert_eq!(
            refused(&response).0,
            expected,
            "{changes:?} {}",
            response.text
        );
    }
    let tokens = redeem(&service, &back["code"], &[]).await.json();
    let expected = format!("{}/user_impersonation", service.emulator.base_url());
    assert_eq!(text(&tokens, "scope"), expected);
    let claims = text(&tokens, "id_token");
    let claims = URL_SAFE_NO_PAD
        .decode(claims.split('.').nth(1).unwrap())
        .unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["preferred_username"], JONAS);
    assert_eq!(claims["nonce"], "n-1");
    let again = redeem(&service, &back["code"], &[]).await;
    assert_eq!(refused(&again), (54_005, "invalid_grant".into()));

    let bearer = format!("Bearer {}", text(&tokens, "access_token"));
    let headers = [
        ("authorization", bearer.as_str()),
        ("prefer", "return=representation"),
    ];
    let body = json!({"name": "Made by Jonas"}).to_string();
    let row = service
        .send(Method::POST, "accounts", &headers, &body)
        .await;
    assert_eq!(row.status, 201, "{}", row.text);
    let jonas = org::SELLERS[0].to_string();
    assert_eq!(row.json()["_createdby_value"], jonas);
    assert_eq!(row.json()["_ownerid_value"], jonas);
}

#[tokio::test]
async fn a_refresh_token_is_replaced_when_used() {
    let emulator = Emulator::builder().refresh_token_grace(Duration::from_mins(1));
    let service = Service::with(emulator.start().await.unwrap()).await;
    let first = redeem(&service, &code(&service, ADA).await, &[]).await;
    let first = text(&first.json(), "refresh_token");
    let second = text(&refresh(&service, &first).await.json(), "refresh_token");
    assert!(!second.is_empty() && second != first);
    // The old token is valid within the grace period only.
    assert_eq!(refresh(&service, &first).await.status, 200);
    service.emulator.clock().advance(60);
    assert_eq!(
        refused(&refresh(&service, &first).await),
        (70_000, "invalid_grant".into())
    );
    let third = text(&refresh(&service, &second).await.json(), "refresh_token");

    let emulator = &service.emulator;
    let expect = async |expected: u64| {
        let response = refresh(&service, &third).await;
        assert_eq!(refused(&response), (expected, "invalid_grant".into()));
        response.json()["suberror"].clone()
    };
    emulator.change_person(ADA, |person| person.disabled = true);
    expect(50_057).await;
    emulator.change_person(ADA, |person| {
        person.disabled = false;
        person.verification_code = Some("123456".into());
    });
    assert_eq!(expect(50_076).await, "basic_action");
    emulator.change_person(ADA, |person| {
        person.verification_code = None;
        person.blocked = true;
    });
    assert_eq!(expect(53_003).await, "message_only");
    emulator.change_person(ADA, |person| person.blocked = false);
    emulator.withdraw_consent(PUBLIC_CLIENT_ID);
    assert_eq!(expect(65_001).await, "consent_required");
    emulator.consent(PUBLIC_CLIENT_ID, Some(ADA)).unwrap();
    emulator.revoke_grants(ADA);
    expect(50_173).await;

    let other = redeem(&service, &code(&service, ADA).await, &[]).await;
    let other = text(&other.json(), "refresh_token");
    service.emulator.clock().advance(90 * 86_400);
    assert_eq!(refused(&refresh(&service, &other).await).0, 700_082);
    assert_eq!(refused(&refresh(&service, "1.nonsense").await).0, 9_002_313);
}

#[tokio::test]
async fn a_device_code_is_redeemed_after_sign_in() {
    let service = Service::start().await;
    let client = PUBLIC_CLIENT_ID.to_string();
    let path = format!("{TENANT_ID}/oauth2/v2.0");
    let scope = scope(&service);
    let start = async || {
        let fields = [("client_id", client.as_str()), ("scope", scope.as_str())];
        let response = post(&service, &format!("{path}/devicecode"), &fields).await;
        assert_eq!(response.status, 200, "{}", response.text);
        response.json()
    };
    let poll = async |device: &Value| {
        let code = text(device, "device_code");
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", client.as_str()),
            ("device_code", code.as_str()),
        ];
        post(&service, &format!("{path}/token"), &fields).await
    };
    let device = start().await;
    assert_eq!(
        (&device["interval"], &device["expires_in"]),
        (&json!(5), &json!(900))
    );
    assert_eq!(refused(&poll(&device).await).1, "authorization_pending");
    assert_eq!(refused(&poll(&device).await).1, "slow_down");

    let mut browser = Browser::open(&service, &text(&device, "verification_uri")).await;
    browser.press("device", &[("otc", "WRONGCODE")]).await;
    assert!(browser.text().contains("AADSTS70018"));
    let user_code = text(&device, "user_code").to_lowercase();
    browser.press("device", &[("otc", &user_code)]).await;
    browser.sign_in(JONAS, PASSWORD).await;
    browser.press("continue", &[]).await;
    browser.press("accept", &[]).await;
    assert!(browser.text().contains("You have signed in"));
    service.emulator.clock().advance(10);
    assert_eq!(poll(&device).await.status, 200);
    assert_eq!(refused(&poll(&device).await).1, "bad_verification_code");

    let declined = start().await;
    browser.go(&text(&declined, "verification_uri")).await;
    browser
        .press("device", &[("otc", &text(&declined, "user_code"))])
        .await;
    browser.press("cancel", &[]).await;
    assert_eq!(refused(&poll(&declined).await).1, "authorization_declined");
    let late = start().await;
    service.emulator.clock().advance(900);
    assert_eq!(refused(&poll(&late).await).1, "expired_token");
}

#[tokio::test]
async fn sign_in_errors_are_returned_to_the_application() {
    let service = Service::start().await;
    let tenant = TENANT_ID.to_string();
    let web = CLIENT_ID.to_string();
    let unknown = uuid::Uuid::from_u128(1).to_string();
    let foreign = "https://other.example/user_impersonation";
    // Shown on the page: the application or its redirect URI is unknown.
    for (tenant, changes, code) in [
        (
            &tenant[..],
            vec![("client_id", &unknown[..])],
            "AADSTS700016",
        ),
        (
            &tenant,
            vec![("redirect_uri", "https://evil.example")],
            "AADSTS50011",
        ),
        (
            &tenant,
            vec![("redirect_uri", "http://localhost/other")],
            "AADSTS50011",
        ),
        ("organizations", vec![("client_id", &web)], "AADSTS50194"),
        ("nowhere.example", vec![], "AADSTS90002"),
        (
            OTHER_TENANT_DOMAIN,
            vec![("client_id", &web)],
            "AADSTS700016",
        ),
    ] {
        let browser = Browser::open(&service, &authorize(&service, tenant, &changes)).await;
        assert_eq!(browser.page().status, 400, "{changes:?}");
        assert!(
            browser.text().contains(code),
            "{changes:?} {}",
            browser.text()
        );
    }
    for (changes, error) in [
        (
            vec![("response_type", "token")],
            "unsupported_response_type",
        ),
        (vec![("scope", foreign)], "invalid_resource"),
        (vec![("scope", "")], "invalid_request"),
        (vec![("code_challenge", "short")], "invalid_request"),
        (vec![("prompt", "none")], "login_required"),
        (
            vec![("prompt", "none"), ("response_mode", "fragment")],
            "login_required",
        ),
    ] {
        let browser = Browser::open(&service, &authorize(&service, &tenant, &changes)).await;
        let back = browser.sent_back();
        assert_eq!(back["error"], error, "{changes:?} {back:?}");
        assert_eq!(back["state"], "a state & more");
        let fragment = changes.contains(&("response_mode", "fragment"));
        assert_eq!(browser.page().header("location").contains('#'), fragment);
    }
    let mut browser = Browser::open(&service, &authorize(&service, &tenant, &[])).await;
    browser.sign_in(JONAS, PASSWORD).await;
    browser.press("cancel", &[]).await;
    let back: HashMap<_, _> = browser.sent_back();
    assert_eq!(back["error"], "access_denied");
    assert!(back["error_description"].starts_with("AADSTS65004"));

    // The browser remembers Jonas, who has not consented.
    browser
        .go(&authorize(&service, &tenant, &[("prompt", "none")]))
        .await;
    assert_eq!(browser.sent_back()["error"], "interaction_required");
    service.emulator.consent(PUBLIC_CLIENT_ID, None).unwrap();
    browser
        .go(&authorize(&service, &tenant, &[("prompt", "none")]))
        .await;
    assert!(browser.sent_back().contains_key("code"));
    browser
        .go(&authorize(&service, &tenant, &[("prompt", "consent")]))
        .await;
    assert!(browser.text().contains("Permissions requested"));
    browser
        .go(&authorize(
            &service,
            &tenant,
            &[("prompt", "select_account")],
        ))
        .await;
    assert!(browser.text().contains("Pick an account"));
    browser.press("another", &[]).await;
    let form_post = [("prompt", "login"), ("response_mode", "form_post")];
    browser.go(&authorize(&service, &tenant, &form_post)).await;
    browser.sign_in(ADA, PASSWORD).await;
    assert!(browser.text().contains(&format!("action=\"{REDIRECT}\"")));
    assert!(browser.text().contains("name=\"code\""));

    let visitor = format!("visitor@{OTHER_TENANT_DOMAIN}");
    browser
        .go(&authorize(&service, &tenant, &[("prompt", "login")]))
        .await;
    browser.sign_in(&visitor, PASSWORD).await;
    assert!(browser.text().contains("AADSTS50020"));
}

#[tokio::test]
async fn policies_block_sign_in_on_the_page() {
    let service = Service::start().await;
    let tenant = TENANT_ID.to_string();
    let address = authorize(&service, &tenant, &[("login_hint", JONAS)]);
    let emulator = &service.emulator;
    let signed_in = async |address: &str| {
        let mut browser = Browser::open(&service, address).await;
        browser.press("password", &[("passwd", PASSWORD)]).await;
        browser
    };
    emulator.change_person(JONAS, |person| person.disabled = true);
    assert!(signed_in(&address).await.text().contains("AADSTS50057"));
    emulator.change_person(JONAS, |person| {
        person.disabled = false;
        person.blocked = true;
    });
    assert!(signed_in(&address).await.text().contains("AADSTS53003"));
    emulator.change_person(JONAS, |person| {
        person.blocked = false;
        person.verification_code = Some("123456".into());
    });
    let mut browser = signed_in(&address).await;
    browser.press("second-factor", &[("otc", "000000")]).await;
    assert!(browser.text().contains("AADSTS500121"));
    browser.press("second-factor", &[("otc", "123456")]).await;
    assert!(browser.text().contains("Permissions requested"));
    emulator.consent_takes_administrator(true);
    browser.press("accept", &[]).await;
    assert!(browser.text().contains("AADSTS90094"));

    // A form belongs to its browser and can be submitted once.
    let stolen = browser.text().to_owned();
    let field = |name: &str| {
        let (_, rest) = stolen
            .split_once(&format!("name=\"{name}\" value=\""))
            .unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let (flow, canary) = (field("flowToken"), field("canary"));
    let fields = [
        ("flowToken", flow.as_str()),
        ("canary", canary.as_str()),
        ("action", "another"),
    ];
    let response = post(&service, "common/login", &fields).await;
    assert!(response.text.contains("AADSTS165000"));
}

#[tokio::test]
async fn an_administrator_consents_for_the_tenant() {
    let service = Service::start().await;
    let address = |version: &str| {
        let query = Serializer::new(String::new())
            .append_pair("client_id", &CLIENT_ID.to_string())
            .append_pair("redirect_uri", REDIRECT)
            .append_pair(
                "scope",
                &format!("{}/.default", service.emulator.base_url()),
            )
            .append_pair("state", "<script>")
            .finish();
        let authority = service.emulator.authority_url();
        format!("{authority}/{TENANT_ID}/{version}adminconsent?{query}")
    };
    let mut browser = Browser::open(&service, &address("v2.0/")).await;
    browser.sign_in(JONAS, PASSWORD).await;
    assert!(browser.text().contains("Need admin approval"));
    browser.press("another", &[]).await;
    browser.sign_in(ADA, PASSWORD).await;
    assert!(browser.text().contains("Review for your organization"));
    browser.press("accept", &[]).await;
    let back = browser.sent_back();
    assert_eq!(back["admin_consent"], "True");
    assert_eq!(back["tenant"], TENANT_ID.to_string());
    assert_eq!(back["state"], "<script>");
    assert!(!back.contains_key("error"));

    for (version, error) in [("v2.0/", "consent_required"), ("", "permission_denied")] {
        let mut browser = Browser::open(&service, &address(version)).await;
        browser.press("cancel", &[]).await;
        let back = browser.sent_back();
        assert_eq!(back["error"], error);
        assert_eq!(
            back.contains_key("admin_consent"),
            error == "consent_required"
        );
    }
    // All people can now sign in without a consent page.
    let changes = [("client_id", &CLIENT_ID.to_string()[..])];
    let wanted = authorize(&service, &TENANT_ID.to_string(), &changes);
    let mut browser = Browser::open(&service, &wanted).await;
    browser.sign_in(JONAS, PASSWORD).await;
    let code = browser.sent_back()["code"].clone();
    let client = CLIENT_ID.to_string();
    let id = ("client_id", client.as_str());
    let without = redeem(&service, &code, &[id]).await;
    assert_eq!(refused(&without), (7_000_218, "invalid_client".into()));
    let with = redeem(&service, &code, &[id, ("client_secret", CLIENT_SECRET)]).await;
    assert_eq!(with.status, 200, "{}", with.text);
}
