//! Every type of sign-in, with success and with each error.

use std::collections::BTreeMap;

use super::*;
use crate::host::{Clock as _, Request};

const ID: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";
const PEM: &str = include_str!("../certificate/testdata/from-pkcs12.pem");
const ENTRA: &str = "https://login.microsoftonline.com/t.example/oauth2/v2.0/token";
const AD_FS: &str = "https://adfs.contoso.com/adfs/oauth2/token";

/// A type of sign-in: the settings, the secrets in the store, and the expected form.
struct SignInType {
    auth: &'static str,
    secrets: &'static [(&'static str, &'static str)],
    grant: &'static str,
    /// The parameters that authenticate, and their values; `None` for an assertion, which is
    /// different each time.
    proof: &'static [(&'static str, Option<&'static str>)],
    person: bool,
}

static SIGN_IN_TYPES: [SignInType; 6] = [
    SignInType {
        auth: r#""type":"client-secret","secret":"one""#,
        secrets: &[("one", "MARKER-secret")],
        grant: "client_credentials",
        proof: &[("client_secret", Some("MARKER-secret"))],
        person: false,
    },
    SignInType {
        auth: r#""type":"certificate","certificate":"one""#,
        secrets: &[("one", PEM)],
        grant: "client_credentials",
        proof: &[("client_assertion", None)],
        person: false,
    },
    SignInType {
        auth: r#""type":"certificate","certificate":"one","algorithm":"RS256""#,
        secrets: &[("one", PEM)],
        grant: "client_credentials",
        proof: &[("client_assertion", None)],
        person: false,
    },
    SignInType {
        auth: r#""type":"workload-identity","assertion":"one""#,
        secrets: &[("one", "MARKER.assertion.jwt")],
        grant: "client_credentials",
        proof: &[("client_assertion", Some("MARKER.assertion.jwt"))],
        person: false,
    },
    SignInType {
        auth: r#""type":"delegated","refreshToken":"one""#,
        secrets: &[("one", "MARKER-refresh")],
        grant: "refresh_token",
        proof: &[("refresh_token", Some("MARKER-refresh"))],
        person: true,
    },
    SignInType {
        auth: r#""type":"delegated","refreshToken":"one","secret":"two""#,
        secrets: &[("one", "MARKER-refresh"), ("two", "MARKER-secret")],
        grant: "refresh_token",
        proof: &[
            ("refresh_token", Some("MARKER-refresh")),
            ("client_secret", Some("MARKER-secret")),
        ],
        person: true,
    },
];

fn form(request: &Request) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(request.body.as_ref().unwrap())
        .into_owned()
        .collect()
}

fn host(sign_in_type: &SignInType, reply: impl Fn(&Request) -> Reply + 'static) -> Rc<Simulation> {
    let host = Simulation::new(reply);
    for (name, value) in sign_in_type.secrets {
        host.set_secret(name, Ok(value));
    }
    host
}

fn attempt(
    sign_in_type: &SignInType,
    more: &str,
    host: &Rc<Simulation>,
) -> Result<Rc<Token>, Error> {
    let document = format!(
        r#"{{"environment":"https://contoso.crm.dynamics.com"{more},
            "auth":{{"clientId":"{ID}",{}}}}}"#,
        sign_in_type.auth
    );
    let settings = Settings::parse(&document).unwrap();
    let authenticator =
        Authenticator::new(Rc::clone(host), &settings, Url::parse(API_ROOT).unwrap());
    host.block_on(authenticator.token(&mut Budget::new(POLICY)))
}

const IN_ENTRA: &str = r#","tenant":"t.example""#;
const AT_AD_FS: &str = r#","authority":"https://adfs.contoso.com/adfs/""#;

#[test]
fn each_type_gets_a_token_with_its_own_credential() {
    for sign_in_type in &SIGN_IN_TYPES {
        for (more, endpoint) in [(IN_ENTRA, ENTRA), (AT_AD_FS, AD_FS)] {
            let host = host(sign_in_type, |_| token());
            attempt(sign_in_type, more, &host).unwrap();
            let requests = host.requests();
            assert_eq!(requests.len(), 1, "{}", sign_in_type.auth);
            assert_eq!(address(&requests[0]), endpoint);
            let mut form = form(&requests[0]);
            assert_eq!(
                form.remove("grant_type").as_deref(),
                Some(sign_in_type.grant)
            );
            assert_eq!(form.remove("client_id").as_deref(), Some(ID));
            for (name, value) in sign_in_type.proof {
                let found = form.remove(*name).unwrap();
                assert!(value.is_none_or(|value| value == found), "{name}: {found}");
                if *name == "client_assertion" {
                    assert_eq!(found.split('.').count(), 3);
                    assert_eq!(
                        form.remove("client_assertion_type").as_deref(),
                        Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
                    );
                }
            }
            let expected = match (endpoint == ENTRA, sign_in_type.person) {
                (true, false) => ("scope", "https://contoso.crm.dynamics.com/.default"),
                (true, true) => (
                    "scope",
                    "https://contoso.crm.dynamics.com/user_impersonation offline_access",
                ),
                (false, _) => ("resource", "https://contoso.crm.dynamics.com/"),
            };
            // There is no other parameter: neither a second credential nor a second audience.
            let expected = [(expected.0.to_owned(), expected.1.to_owned())];
            assert_eq!(form, BTreeMap::from(expected), "{}", sign_in_type.auth);
        }
    }
}

#[test]
fn each_type_reports_each_error_and_repeats_no_secret() {
    for sign_in_type in &SIGN_IN_TYPES {
        for more in [IN_ENTRA, AT_AD_FS] {
            for (word, code, kind) in [
                ("invalid_client", 7_000_215, ErrorKind::Unauthenticated),
                ("invalid_client", 700_027, ErrorKind::Unauthenticated),
                ("unauthorized_client", 700_016, ErrorKind::InvalidSettings),
                ("invalid_grant", 700_082, ErrorKind::Unauthenticated),
                ("invalid_grant", 65_001, ErrorKind::Forbidden),
                ("interaction_required", 50_076, ErrorKind::Unauthenticated),
                ("invalid_grant", 53_003, ErrorKind::Forbidden),
                ("invalid_resource", 500_011, ErrorKind::InvalidSettings),
                ("interaction_required", 0, ErrorKind::Unauthenticated),
                ("consent_required", 0, ErrorKind::Forbidden),
            ] {
                // The worst authority repeats all that it was found.
                let host = host(sign_in_type, move |request| {
                    let description = format!("AADSTS{code}: You sent {:?}", form(request));
                    let body = json!({
                        "error": word, "error_description": description, "error_codes": [code],
                        "trace_id": description,
                    });
                    Reply::body(400, body.to_string())
                });
                let error = attempt(sign_in_type, more, &host).unwrap_err();
                assert_eq!(error.kind, kind, "{}: {error}", sign_in_type.auth);
                assert_eq!(host.requests().len(), 1);
                let shown = format!("{error:?}");
                assert!(!shown.contains("MARKER"), "{shown}");
                let sent = form(&host.requests()[0]);
                if let Some(assertion) = sent.get("client_assertion") {
                    assert!(!shown.contains(assertion), "{shown}");
                }
            }
        }
    }
}

#[test]
fn each_type_names_the_secret_that_cannot_be_read() {
    for sign_in_type in &SIGN_IN_TYPES {
        for (name, _) in sign_in_type.secrets {
            for (failure, kind) in [
                (SecretError::NotFound, ErrorKind::Unauthenticated),
                (SecretError::Denied, ErrorKind::Forbidden),
                (
                    SecretError::Unavailable("sealed".into()),
                    ErrorKind::Unavailable,
                ),
            ] {
                let host = host(sign_in_type, |_| token());
                host.set_secret(name, Err(failure));
                let error = attempt(sign_in_type, IN_ENTRA, &host).unwrap_err();
                assert_eq!(error.kind, kind, "{}: {error}", sign_in_type.auth);
                assert!(error.message.contains(&format!("\"{name}\"")), "{error}");
                assert!(host.requests().is_empty());
            }
        }
    }
}

#[test]
fn each_request_has_a_new_assertion() {
    for sign_in_type in &SIGN_IN_TYPES[1..4] {
        let store: Rc<RefCell<Option<Rc<Simulation>>>> = Rc::default();
        let host = host(sign_in_type, {
            let store = Rc::clone(&store);
            move |_| match store.borrow_mut().take() {
                // While the authority fails, the platform writes a new assertion.
                Some(host) => {
                    if sign_in_type.proof[0].1.is_some() {
                        host.set_secret("one", Ok("MARKER.another.jwt"));
                    }
                    Reply::status(503)
                }
                None => token(),
            }
        });
        *store.borrow_mut() = Some(Rc::clone(&host));
        attempt(sign_in_type, IN_ENTRA, &host).unwrap();
        let sent: Vec<String> = host
            .requests()
            .iter()
            .map(|request| form(request)["client_assertion"].clone())
            .collect();
        assert_ne!(sent[0], sent[1], "{}", sign_in_type.auth);
    }
}

#[test]
fn a_policy_that_requires_claims_requires_the_person() {
    let sign_in_type = &SIGN_IN_TYPES[4];
    let host = host(sign_in_type, |_| {
        let body = json!({
            "error": "interaction_required", "error_description": "Odd.",
            "claims": "{\"access_token\":{\"capolids\":{\"essential\":true}}}",
        });
        Reply::body(400, body.to_string())
    });
    let error = attempt(sign_in_type, IN_ENTRA, &host).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert!(
        error.message.ends_with("sign in again interactively"),
        "{error}"
    );
}

#[test]
fn the_resource_of_the_settings_is_the_audience() {
    for (sign_in_type, more, expected) in [
        (
            &SIGN_IN_TYPES[0],
            r#","tenant":"t.example","resource":"https://crm.contoso.com/""#,
            ("scope", "https://crm.contoso.com/.default"),
        ),
        (
            &SIGN_IN_TYPES[0],
            r#","authority":"https://adfs.contoso.com/adfs","resource":"https://crm.contoso.com/""#,
            ("resource", "https://crm.contoso.com/"),
        ),
    ] {
        let host = host(sign_in_type, |_| token());
        attempt(sign_in_type, more, &host).unwrap();
        assert_eq!(form(&host.requests()[0])[expected.0], expected.1);
    }
}

/// A JWT that expires at that time, in seconds since 1970.
fn jwt(name: &str, expires_at: u64) -> String {
    use base64::Engine as _;
    let part = |json: serde_json::Value| {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json.to_string())
    };
    format!(
        "{}.{}.{name}",
        part(json!({"alg": "RS256"})),
        part(json!({"exp": expires_at, "aud": "x"}))
    )
}

#[test]
fn a_ready_token_is_used_until_it_expires_or_is_rejected() {
    let host = Simulation::new(|_| Reply::status(404));
    let document = r#"{"environment":"https://contoso.crm.dynamics.com",
        "auth":{"type":"access-token","token":"ready"}}"#;
    let authenticator = Authenticator::new(
        Rc::clone(&host),
        &Settings::parse(document).unwrap(),
        Url::parse(API_ROOT).unwrap(),
    );
    let sign_in = || host.block_on(authenticator.token(&mut Budget::new(POLICY)));
    let error = sign_in().unwrap_err();
    assert!(
        error.message.contains("there is no secret \"ready\""),
        "{error}"
    );
    host.set_secret("ready", Ok("two words"));
    assert!(
        sign_in()
            .unwrap_err()
            .message
            .contains("holds no access token")
    );

    let now = || host.unix_time().as_secs();
    host.set_secret("ready", Ok(&jwt("MARKER-1", now() + 3_600)));
    let first = sign_in().unwrap();
    host.set_secret("ready", Ok(&jwt("MARKER-2", now() + 7_200)));
    host.advance(Duration::from_mins(50));
    assert!(Rc::ptr_eq(&sign_in().unwrap(), &first));
    // Shortly before it expires the secret is read again.
    host.advance(Duration::from_mins(6));
    let second = sign_in().unwrap();
    assert!(!second.is_same(&first));
    // After a rejection the secret is read again; without another token there is an error.
    let error = host
        .block_on(authenticator.replace(&second, &mut Budget::new(POLICY)))
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert!(
        error
            .message
            .contains("rejected the access token in the secret \"ready\""),
        "{error}"
    );
    host.set_secret("ready", Ok(&jwt("MARKER-3", now() + 3_600)));
    let third = host
        .block_on(authenticator.replace(&second, &mut Budget::new(POLICY)))
        .unwrap();
    assert!(!third.is_same(&second));
    host.advance(Duration::from_hours(1));
    let error = sign_in().unwrap_err();
    assert!(error.message.contains("has expired"), "{error}");
    assert!(!format!("{error:?}").contains("MARKER"));
    // A token that is not a JWT has no known expiry, and is read again every few minutes.
    host.set_secret("ready", Ok("MARKER-opaque"));
    let opaque = sign_in().unwrap();
    host.set_secret("ready", Ok("MARKER-other"));
    assert!(sign_in().unwrap().is_same(&opaque));
    host.advance(Duration::from_mins(6));
    assert!(!sign_in().unwrap().is_same(&opaque));
    assert!(host.requests().is_empty());
}
