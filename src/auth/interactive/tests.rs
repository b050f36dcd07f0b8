use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::host::{Request, SecretError, Secrets};
use crate::simulation::{API_ROOT, Reply, Simulation, address};

const ID: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";
const REDIRECT: &str = "http://localhost:33333";
const PUBLIC: &str = r#""type":"delegated","refreshToken":"jo""#;
const CONFIDENTIAL: &str = r#""type":"delegated","refreshToken":"jo","secret":"app""#;
const APPLICATION: &str = r#""type":"client-secret","secret":"app""#;
const TENANT: &str = r#","tenant":"t.example""#;
const AD_FS: &str = r#","authority":"https://adfs.contoso.com/adfs""#;

/// A host whose authority gives these replies one after the other.
fn host(replies: impl IntoIterator<Item = Reply>) -> Rc<Simulation> {
    let replies = RefCell::new(replies.into_iter().collect::<VecDeque<_>>());
    let host = Simulation::new(move |_| replies.borrow_mut().pop_front().unwrap());
    host.set_secret("app", Ok("MARKER-app"));
    host
}

fn interactive(host: &Rc<Simulation>, auth: &str, more: &str) -> Interactive<Simulation> {
    let document = format!(
        r#"{{"environment":"https://contoso.crm.dynamics.com","auth":{{"clientId":"{ID}",{auth}}}{more}}}"#
    );
    let settings = Settings::parse(&document).unwrap();
    Interactive::new(Rc::clone(host), &settings, Url::parse(API_ROOT).unwrap())
}

fn parameters(url: &str) -> (String, BTreeMap<String, String>) {
    let url = Url::parse(url).unwrap();
    let query = url.query_pairs().into_owned().collect();
    (url[..url::Position::AfterPath].to_owned(), query)
}

fn form(request: &Request) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(request.body.as_ref().unwrap())
        .into_owned()
        .collect()
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

fn tokens() -> Reply {
    Reply::json(&json!({
        "token_type": "Bearer", "expires_in": 3599, "access_token": "MARKER-access",
        "refresh_token": "MARKER-refresh", "scope": "s",
    }))
}

fn rejected(word: &str, description: &str) -> Reply {
    let body = json!({"error": word, "error_description": description});
    Reply::body(400, body.to_string())
}

#[test]
fn the_page_and_the_code_are_requested_as_in_the_reference() {
    for (auth, more, page, endpoint) in [
        (
            PUBLIC,
            TENANT,
            "https://login.microsoftonline.com/t.example/oauth2/v2.0/authorize",
            "https://login.microsoftonline.com/t.example/oauth2/v2.0/token",
        ),
        (
            CONFIDENTIAL,
            AD_FS,
            "https://adfs.contoso.com/adfs/oauth2/authorize",
            "https://adfs.contoso.com/adfs/oauth2/token",
        ),
    ] {
        let host = host([tokens()]);
        let interactive = interactive(&host, auth, more);
        let request = host.block_on(interactive.sign_in(REDIRECT)).unwrap();
        let (path, mut found) = parameters(&request.url);
        assert_eq!(path, page);
        assert_eq!(found.remove("state").as_ref(), Some(&request.state));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&request.verifier));
        assert_eq!(found.remove("code_challenge"), Some(challenge));
        assert_eq!((request.verifier.len(), request.state.len()), (43, 43));
        assert!(!request.url.contains(&request.verifier));
        let (audience, value) = if more == TENANT {
            assert_eq!(found.remove("prompt").as_deref(), Some("select_account"));
            (
                "scope",
                "https://contoso.crm.dynamics.com/user_impersonation offline_access",
            )
        } else {
            ("resource", "https://contoso.crm.dynamics.com/")
        };
        let expected = [
            ("client_id", ID),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("response_mode", "query"),
            ("code_challenge_method", "S256"),
            (audience, value),
        ];
        assert_eq!(found, map(expected));

        let callback = format!(
            "{REDIRECT}/?code=MARKER-code&state={}&session_state=x#",
            request.state
        );
        host.block_on(interactive.complete(REDIRECT, &request, &callback))
            .unwrap();
        assert_eq!(host.get("jo").unwrap().reveal(), "MARKER-refresh");
        let sent = &host.requests()[0];
        assert_eq!(address(sent), endpoint);
        let mut form = form(sent);
        let secret = form.remove("client_secret");
        assert_eq!(
            secret.as_deref(),
            (auth == CONFIDENTIAL).then_some("MARKER-app")
        );
        let expected = [
            ("grant_type", "authorization_code"),
            ("code", "MARKER-code"),
            ("redirect_uri", REDIRECT),
            ("code_verifier", &request.verifier),
            ("client_id", ID),
            (audience, value),
        ];
        assert_eq!(form, map(expected));
        // State and verifier are different for each request.
        let other = host.block_on(interactive.sign_in(REDIRECT)).unwrap();
        assert_ne!(
            (other.state, other.verifier),
            (request.state, request.verifier)
        );
    }
}

#[test]
fn the_directory_is_the_one_that_the_environment_names() {
    for (named, used) in [
        ("aaaabbbb-0000-cccc-1111-dddd2222eeee", None),
        ("common", Some("organizations")),
    ] {
        let challenge = format!(
            "Bearer authorization_uri=https://login.microsoftonline.com/{named}/oauth2/authorize, \
             resource_id=https://evil.example/"
        );
        let host = host([Reply::status(401).with("WWW-Authenticate", challenge)]);
        let request = host
            .block_on(interactive(&host, PUBLIC, "").sign_in(REDIRECT))
            .unwrap();
        let (path, found) = parameters(&request.url);
        let directory = used.unwrap_or(named);
        assert_eq!(
            path,
            format!("https://login.microsoftonline.com/{directory}/oauth2/v2.0/authorize")
        );
        // The environment does not decide what the token is for.
        assert!(found["scope"].starts_with("https://contoso.crm.dynamics.com/"));
    }
}

#[test]
fn callbacks_without_success_are_errors() {
    use ErrorKind::{Forbidden, InvalidSettings, Unauthenticated, Unavailable};
    for (query, kind, words) in [
        ("code=MARKER", Unauthenticated, "its state differs"),
        (
            "code=MARKER&state=other",
            Unauthenticated,
            "its state differs",
        ),
        ("code=MARKER&state=", Unauthenticated, "its state differs"),
        (
            "error=access_denied&state=other",
            Unauthenticated,
            "its state differs",
        ),
        ("", Unauthenticated, "its state differs"),
        ("state={state}", Unauthenticated, "has no code"),
        ("code=&state={state}", Unauthenticated, "has no code"),
        (
            "error=access_denied&error_description=AADSTS65004%3A+User+declined.&state={state}",
            Forbidden,
            "(AADSTS65004): consent to application 00001111",
        ),
        (
            "error=access_denied&error_description=The+user+cancelled.&state={state}",
            Forbidden,
            "The user cancelled; start it again",
        ),
        ("error=access_denied", Forbidden, "(access_denied)"),
        (
            "code=MARKER&error=login_required&state={state}",
            Unauthenticated,
            "sign in again interactively",
        ),
        (
            "error=server_error&state={state}",
            Unavailable,
            "try again later",
        ),
        (
            "error=temporarily_unavailable&state={state}",
            Unavailable,
            "try again later",
        ),
        (
            "error=invalid_request&error_description=AADSTS50011:+Mismatch&state={state}",
            InvalidSettings,
            "redirect address is not registered",
        ),
        (
            "error=unauthorized_client&error_description=Not+you.&state={state}",
            Unauthenticated,
            "Not you",
        ),
        (
            "error=invalid_resource&state={state}",
            InvalidSettings,
            "\"resource\"",
        ),
        (
            "error=unsupported_response_type&state={state}",
            InvalidSettings,
            "no reason",
        ),
        (
            "error=interaction_required&state={state}",
            Unauthenticated,
            "interactively",
        ),
    ] {
        for mark in ['?', '#'] {
            let host = host([]);
            let interactive = interactive(&host, PUBLIC, TENANT);
            let request = host.block_on(interactive.sign_in(REDIRECT)).unwrap();
            let query = query.replace("{state}", &request.state);
            let callback = format!("{REDIRECT}/{mark}{query}");
            let outcome = host.block_on(interactive.complete(REDIRECT, &request, &callback));
            let error = outcome.unwrap_err();
            assert_eq!(error.kind, kind, "{query}: {error}");
            assert!(error.message.contains(words), "{query}: {error}");
            assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
            assert!(host.get("jo").is_err());
        }
    }
}

#[test]
fn a_code_that_is_rejected_or_gives_no_refresh_token_stores_nothing() {
    for (reply, reject_put, words) in [
        (
            rejected("invalid_grant", "AADSTS54005: MARKER-code again"),
            None,
            "used already",
        ),
        (
            rejected("invalid_grant", "AADSTS501481: x"),
            None,
            "start it again",
        ),
        (
            rejected("invalid_client", "AADSTS7000218: x"),
            None,
            "public client flows",
        ),
        (
            rejected("invalid_request", "AADSTS90023: x"),
            None,
            "public client",
        ),
        (
            Reply::json(&json!({"access_token": "MARKER-access"})),
            None,
            "no refresh token was issued",
        ),
        (
            tokens(),
            Some(SecretError::Denied),
            "allow this connection to write the secret",
        ),
    ] {
        let host = host([reply]);
        host.reject_puts(reject_put);
        let interactive = interactive(&host, PUBLIC, TENANT);
        let request = host.block_on(interactive.sign_in(REDIRECT)).unwrap();
        let callback = format!("/?state={}&code=MARKER-code", request.state);
        let outcome = host.block_on(interactive.complete(REDIRECT, &request, &callback));
        let error = outcome.unwrap_err();
        assert!(error.message.contains(words), "{error}");
        assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
        assert!(host.get("jo").is_err());
    }
}

#[test]
fn only_delegated_settings_sign_a_person_in() {
    let host = host([]);
    let interactive = interactive(&host, APPLICATION, TENANT);
    let errors = [
        host.block_on(interactive.sign_in(REDIRECT))
            .map(|_| ())
            .unwrap_err(),
        host.block_on(interactive.begin_device())
            .map(|_| ())
            .unwrap_err(),
        host.block_on(interactive.poll_device("{}"))
            .map(|_| ())
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind, ErrorKind::InvalidSettings);
        assert!(error.message.contains("\"delegated\""), "{error}");
    }
}

#[test]
fn an_administrator_consents_on_the_admin_consent_page() {
    let host = host([]);
    let request = host
        .block_on(interactive(&host, APPLICATION, TENANT).admin_consent("https://p.example/back"))
        .unwrap();
    let (path, found) = parameters(&request.url);
    assert_eq!(
        path,
        "https://login.microsoftonline.com/t.example/v2.0/adminconsent"
    );
    let expected = [
        ("client_id", ID),
        ("scope", "https://contoso.crm.dynamics.com/.default"),
        ("redirect_uri", "https://p.example/back"),
        ("state", &request.state),
    ];
    assert_eq!(found, map(expected));
    assert!(request.verifier.is_empty());

    let complete = |query: &str| {
        let query = query.replace("{state}", &request.state);
        complete_admin_consent(&request, &format!("https://p.example/back?{query}"))
    };
    let consent = |tenant: &str, scope: Option<&str>| Consent {
        tenant: Some(tenant.to_owned()),
        scope: scope.map(str::to_owned),
    };
    // Version 2 of the page, then version 1.
    assert_eq!(
        complete("admin_consent=True&tenant=t-1&scope=a%20b&state={state}").unwrap(),
        consent("t-1", Some("a b"))
    );
    assert_eq!(
        complete("tenant=t-1&state={state}&admin_consent=True").unwrap(),
        consent("t-1", None)
    );
    for (query, kind, words) in [
        (
            "admin_consent=True&error=consent_required&error_description=AADSTS65004%3A+Declined\
             &error_subcode=cancel&state={state}",
            ErrorKind::Forbidden,
            "(AADSTS65004): consent to application 00001111",
        ),
        (
            "admin_consent=True&error=access_denied&error_description=AADSTS90094&state={state}",
            ErrorKind::Forbidden,
            "only an administrator of tenant t.example",
        ),
        (
            "error=permission_denied&error_description=The+admin+canceled+the+request",
            ErrorKind::Forbidden,
            "The admin canceled the request; ",
        ),
        (
            "error=invalid_resource&error_description=AADSTS500011:x&state={state}",
            ErrorKind::InvalidSettings,
            "no environment https://contoso.crm.dynamics.com",
        ),
        (
            "admin_consent=False&state={state}",
            ErrorKind::Forbidden,
            "does not confirm",
        ),
        (
            "tenant=t-1&state={state}",
            ErrorKind::Forbidden,
            "does not confirm",
        ),
        (
            "admin_consent=True&tenant=t-1",
            ErrorKind::Unauthenticated,
            "its state differs",
        ),
        (
            "admin_consent=True&tenant=t-1&state=x",
            ErrorKind::Unauthenticated,
            "its state differs",
        ),
    ] {
        let error = complete(query).unwrap_err();
        assert_eq!(error.kind, kind, "{query}: {error}");
        assert!(error.message.contains(words), "{query}: {error}");
    }
    let at_ad_fs = interactive(&host, APPLICATION, AD_FS);
    let error = host
        .block_on(at_ad_fs.admin_consent(REDIRECT))
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(host.requests().is_empty());
}

fn device_response(more: &Value) -> Reply {
    let mut body = json!({
        "device_code": "MARKER-device", "user_code": "ABCD-1234",
        "verification_uri": "https://microsoft.com/devicelogin", "expires_in": 900, "interval": 5,
        "message": "To sign in, use a web browser.",
    });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    Reply::json(&body)
}

#[test]
fn a_sign_in_on_another_device_is_polled() {
    let host = host([
        device_response(&json!({})),
        rejected("authorization_pending", "AADSTS70016: Pending."),
        rejected("slow_down", ""),
        tokens(),
    ]);
    let interactive = interactive(&host, PUBLIC, TENANT);
    let code = host.block_on(interactive.begin_device()).unwrap();
    assert_eq!(
        (code.user_code.as_str(), code.message.as_str()),
        ("ABCD-1234", "To sign in, use a web browser.")
    );
    assert_eq!(
        (code.interval, code.expires_in),
        (Duration::from_secs(5), Duration::from_mins(15))
    );
    assert!(
        !code.message.contains("MARKER") && !format!("{:?}", code.continuation).contains("MARKER")
    );
    // Another instance could send each poll: the continuation contains the whole state.
    let poll = || host.block_on(interactive.poll_device(code.continuation.reveal()));
    assert_eq!(poll().unwrap(), Progress::Pending(Duration::from_secs(5)));
    assert_eq!(poll().unwrap(), Progress::Pending(Duration::from_secs(10)));
    assert_eq!(poll().unwrap(), Progress::Done);
    assert_eq!(host.get("jo").unwrap().reveal(), "MARKER-refresh");
    let requests = host.requests();
    assert!(address(&requests[0]).ends_with("/t.example/oauth2/v2.0/devicecode"));
    let form = form(&requests[3]);
    assert_eq!(
        form["grant_type"],
        "urn:ietf:params:oauth:grant-type:device_code"
    );
    assert_eq!(
        (form["client_id"].as_str(), form["device_code"].as_str()),
        (ID, "MARKER-device")
    );
    // After 15 minutes the code has expired, and no request is sent.
    host.advance(Duration::from_mins(15));
    let error = poll().unwrap_err();
    assert!(error.message.contains("has expired"), "{error}");
    assert_eq!(host.requests().len(), requests.len());
}

#[test]
fn a_failed_sign_in_on_another_device_is_an_error() {
    for (word, kind, words) in [
        (
            "authorization_declined",
            ErrorKind::Forbidden,
            "was declined",
        ),
        ("access_denied", ErrorKind::Forbidden, "accept"),
        (
            "expired_token",
            ErrorKind::Unauthenticated,
            "start the sign-in again",
        ),
        (
            "bad_verification_code",
            ErrorKind::Unauthenticated,
            "start the sign-in again",
        ),
        ("invalid_grant", ErrorKind::Unauthenticated, "sign in again"),
    ] {
        let host = host([
            device_response(&json!({"interval": null, "message": null, "expires_in": "900"})),
            rejected(word, "It was MARKER-device."),
        ]);
        let interactive = interactive(&host, PUBLIC, TENANT);
        let code = host.block_on(interactive.begin_device()).unwrap();
        assert!(code.message.contains("https://microsoft.com/devicelogin"));
        assert_eq!(code.interval, Duration::from_secs(5));
        let poll = host.block_on(interactive.poll_device(code.continuation.reveal()));
        let error = poll.unwrap_err();
        assert_eq!(error.kind, kind, "{word}: {error}");
        assert!(error.message.contains(words), "{word}: {error}");
        assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
    }
    let host = host([Reply::json(&json!({"device_code": "MARKER"}))]);
    let interactive = interactive(&host, PUBLIC, TENANT);
    for error in [
        host.block_on(interactive.begin_device())
            .map(|_| ())
            .unwrap_err(),
        host.block_on(interactive.poll_device("{\"MARKER\":1}"))
            .map(|_| ())
            .unwrap_err(),
    ] {
        assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
    }
}
