mod rotation;
mod sign_in_types;

use std::cell::Cell;

use serde_json::json;

use super::*;
use crate::error::ErrorKind;
use crate::host::{Header, HttpError, SecretError};
use crate::settings::ApiVersion;
use crate::simulation::{
    API_ROOT, Reply, SECRET_NAME, SECRET_VALUE, SETTINGS, Simulation, address,
};

const POLICY: RetryPolicy = RetryPolicy {
    max_wait: Duration::from_mins(5),
    request_timeout: Duration::from_mins(2),
};
const TOKEN_ENDPOINT: &str = "https://login.microsoftonline.com/t.example/oauth2/v2.0/token";

/// A directory that gives this reply. The tenant is known, so nothing else is requested.
fn directory(reply: impl Fn() -> Reply + 'static) -> Rc<Simulation> {
    let host = Simulation::new(move |_| reply());
    host.set_secret(SECRET_NAME, Ok(SECRET_VALUE));
    host
}

fn settings(more: &str) -> Settings {
    let document = SETTINGS.replacen('{', &format!("{{\"tenant\": \"t.example\"{more},"), 1);
    Settings::parse(&document).unwrap()
}

fn authenticator(host: &Rc<Simulation>) -> Authenticator<Simulation> {
    Authenticator::new(
        Rc::clone(host),
        &settings(""),
        Url::parse(API_ROOT).unwrap(),
    )
}

fn sign_in(host: &Rc<Simulation>) -> Result<Rc<Token>, Error> {
    host.block_on(authenticator(host).token(&mut Budget::new(POLICY)))
}

fn token() -> Reply {
    Reply::json(&json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "MARKER"}))
}

/// An error response as Entra writes it.
fn rejection(word: &str, code: u32) -> Reply {
    let description = format!(
        "AADSTS{code}: It says why, and repeats {SECRET_VALUE}, sent as \
         MARKER%7Esecret%26value%3D1.\r\nTrace ID: 1\r\nTimestamp: 2"
    );
    let body = json!({
        "error": word,
        "error_description": description,
        "error_codes": [code],
        "trace_id": "trace-1",
        "correlation_id": "correlation-1",
    });
    Reply::body(
        if word == "invalid_client" { 401 } else { 400 },
        body.to_string(),
    )
}

#[test]
fn the_token_request_is_as_in_the_reference() {
    let host = directory(token);
    // Editors and shells add a line break at the end of a file.
    host.set_secret(SECRET_NAME, Ok(&format!("{SECRET_VALUE}\n")));
    sign_in(&host).unwrap();
    let requests = host.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(address(&requests[0]), TOKEN_ENDPOINT);
    let length = requests[0].body.as_ref().unwrap().len().to_string();
    assert!(
        requests[0]
            .headers
            .contains(&Header::new("Content-Length", length))
    );
    assert_eq!(
        String::from_utf8_lossy(requests[0].body.as_ref().unwrap()),
        "grant_type=client_credentials&client_id=00001111-aaaa-2222-bbbb-3333cccc4444\
         &client_secret=MARKER%7Esecret%26value%3D1\
         &scope=https%3A%2F%2Fcontoso.crm.dynamics.com%2F.default"
    );
}

#[test]
fn each_error_code_has_its_kind_and_advice() {
    use ErrorKind::{
        Forbidden, Internal, InvalidSettings, Throttled, Unauthenticated, Unavailable,
    };
    for (codes, kind, words) in [
        (
            &[7_000_215][..],
            Unauthenticated,
            "secret's ID was stored instead of its value",
        ),
        (&[7_000_222], Unauthenticated, "has expired"),
        (&[7_000_218], Unauthenticated, "allow public client flows"),
        (&[700_025, 90_023], InvalidSettings, "public client"),
        (&[700_027], Unauthenticated, "upload it"),
        (&[700_024], Unauthenticated, "clock"),
        (
            &[700_016],
            InvalidSettings,
            "no application 00001111-aaaa-2222-bbbb-3333cccc4444 in",
        ),
        (
            &[90_002, 50_128, 50_059],
            InvalidSettings,
            "no tenant t.example",
        ),
        (
            &[500_011],
            InvalidSettings,
            "no environment https://contoso.crm.dynamics.com",
        ),
        (&[70_011], InvalidSettings, "scope"),
        (&[50_194], InvalidSettings, "single tenant"),
        (&[50_011], InvalidSettings, "redirect address"),
        (
            &[65_001, 65_004, 65_005, 650_052, 650_054, 650_056],
            Forbidden,
            "consent",
        ),
        (&[50_105], Forbidden, "assign"),
        (
            &[50_131, 53_000, 53_001, 53_003, 530_035],
            Forbidden,
            "Conditional Access",
        ),
        (&[50_034, 50_020], Unauthenticated, "does not exist in"),
        (&[50_053], Unauthenticated, "locked"),
        (&[50_055], Unauthenticated, "has expired; set a new one"),
        (&[50_057], Unauthenticated, "disabled"),
        (&[50_126], Unauthenticated, "wrong"),
        (
            &[50_074, 50_076, 50_078, 50_079],
            Unauthenticated,
            "sign in interactively",
        ),
        (
            &[50_132, 50_133, 50_173, 70_008, 700_082, 54_005],
            Unauthenticated,
            "sign in again",
        ),
        (
            &[501_481, 50_147, 501_491],
            Unauthenticated,
            "start it again",
        ),
        (&[90_014], Internal, "defect"),
        (&[50_196], Throttled, "too often"),
        (&[50_087], Unavailable, "try again"),
        // For unknown codes the directory's own description is used.
        (&[999_999], Unauthenticated, "It says why, and repeats …"),
    ] {
        for code in codes.iter().copied() {
            let host = directory(move || rejection("invalid_client", code));
            let error = sign_in(&host).unwrap_err();
            assert_eq!(error.kind, kind, "{code}: {error}");
            assert!(error.message.contains(words), "{code}: {error}");
            assert!(
                error.message.contains(&format!("(AADSTS{code})")),
                "{error}"
            );
            assert!(!error.message.contains(['{', '}']), "{error}");
            let fault = error.fault.clone().unwrap();
            assert_eq!(fault.code, format!("AADSTS{code}"));
            assert_eq!(fault.request_id.as_deref(), Some("trace-1"));
            assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
            let repeated = matches!(kind, Throttled | Unavailable);
            assert_eq!(host.requests().len() > 1, repeated, "{code}");
        }
    }
}

#[test]
fn without_a_code_the_error_word_or_the_status_decides() {
    let reply = |status, word: &str, description: &str| {
        let body = json!({"error": word, "error_description": description});
        Reply::body(status, body.to_string())
    };
    for (reply, kind, words) in [
        (
            reply(400, "invalid_grant", "AADSTS7000222: Expired."),
            ErrorKind::Unauthenticated,
            "(AADSTS7000222)",
        ),
        (
            reply(400, "unauthorized_client", "Not you."),
            ErrorKind::Unauthenticated,
            "Not you",
        ),
        (
            reply(400, "invalid_scope", "Odd."),
            ErrorKind::InvalidSettings,
            "(invalid_scope)",
        ),
        (
            reply(400, "temporarily_unavailable", ""),
            ErrorKind::Unavailable,
            "try again",
        ),
        (
            Reply::status(404),
            ErrorKind::InvalidSettings,
            "\"authority\"",
        ),
        (
            Reply::status(301),
            ErrorKind::InvalidSettings,
            "\"authority\"",
        ),
        (
            Reply::body(503, "<html>"),
            ErrorKind::Unavailable,
            "HTTP status 503",
        ),
        (Reply::status(429), ErrorKind::Throttled, "HTTP status 429"),
        (
            Reply::body(200, "MARKER"),
            ErrorKind::Unavailable,
            "holds no usable token",
        ),
        (
            Reply::body(200, r#"{"access_token": {"MARKER": 1}}"#),
            ErrorKind::Unavailable,
            "no usable token",
        ),
        (
            Reply::failure(HttpError::Dns),
            ErrorKind::Unavailable,
            "cannot sign in: https",
        ),
    ] {
        let shown = format!("{reply:?}");
        let error = sign_in(&directory(move || reply.clone())).unwrap_err();
        assert_eq!(error.kind, kind, "{shown}: {error}");
        assert!(error.message.contains(words), "{shown}: {error}");
        assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
    }
}

#[test]
fn a_temporary_fault_is_retried() {
    for (first, waited) in [
        (Reply::status(503).with("Retry-After", "7"), 7),
        (rejection("invalid_request", 50_196), 60),
        (
            rejection("invalid_request", 50_196).with("Retry-After", "9"),
            9,
        ),
    ] {
        let first = RefCell::new(Some(first));
        let host = directory(move || first.borrow_mut().take().unwrap_or_else(token));
        sign_in(&host).unwrap();
        assert_eq!(
            host.now(),
            Duration::from_millis(20) + Duration::from_secs(waited)
        );
    }
}

#[test]
fn a_secret_that_cannot_be_read_is_named() {
    for (value, kind, words) in [
        (
            Err(SecretError::NotFound),
            ErrorKind::Unauthenticated,
            "there is no secret \"crm-secret\"",
        ),
        (
            Err(SecretError::Denied),
            ErrorKind::Forbidden,
            "may not read the secret \"crm-secret\"",
        ),
        (
            Err(SecretError::Unavailable("sealed".into())),
            ErrorKind::Unavailable,
            "sealed",
        ),
        (
            Ok(" \n"),
            ErrorKind::Unauthenticated,
            "\"crm-secret\" is empty",
        ),
    ] {
        let host = directory(token);
        host.set_secret(SECRET_NAME, value);
        let error = sign_in(&host).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(words), "{error}");
        assert!(host.requests().is_empty());
    }
}

#[test]
fn the_next_call_repeats_a_failed_sign_in() {
    let healthy = Rc::new(Cell::new(false));
    let host = directory({
        let healthy = Rc::clone(&healthy);
        move || {
            if healthy.get() {
                token()
            } else {
                rejection("invalid_client", 7_000_215)
            }
        }
    });
    let authenticator = authenticator(&host);
    host.block_on(authenticator.token(&mut Budget::new(POLICY)))
        .unwrap_err();
    healthy.set(true);
    host.block_on(authenticator.token(&mut Budget::new(POLICY)))
        .unwrap();
    host.block_on(authenticator.token(&mut Budget::new(POLICY)))
        .unwrap();
    assert_eq!(host.requests().len(), 2);
}

#[test]
fn callers_with_a_rejected_token_share_one_new_token() {
    let host = directory(token);
    let authenticator = authenticator(&host);
    let old = host
        .block_on(authenticator.token(&mut Budget::new(POLICY)))
        .unwrap();
    let first = host
        .block_on(authenticator.replace(&old, &mut Budget::new(POLICY)))
        .unwrap();
    let second = host
        .block_on(authenticator.replace(&old, &mut Budget::new(POLICY)))
        .unwrap();
    assert!(Rc::ptr_eq(&first, &second) && !Rc::ptr_eq(&first, &old));
    assert_eq!(host.requests().len(), 2);
}

#[test]
fn a_renewal_is_retried_longer_than_the_first_sign_in() {
    let reachable = Rc::new(Cell::new(false));
    let host = directory({
        let reachable = Rc::clone(&reachable);
        move || {
            if reachable.get() {
                token()
            } else {
                Reply::failure(HttpError::Connect)
            }
        }
    });
    let authenticator = authenticator(&host);
    let attempts = || {
        let before = host.requests().len();
        let error = host
            .block_on(authenticator.token(&mut Budget::new(POLICY)))
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        host.requests().len() - before
    };
    assert_eq!(attempts(), 4);
    reachable.set(true);
    host.block_on(authenticator.token(&mut Budget::new(POLICY)))
        .unwrap();
    reachable.set(false);
    host.advance(Duration::from_hours(1));
    assert!(attempts() > 10);
}

#[test]
fn a_valid_token_stays_in_use_while_its_early_renewal_fails_temporarily() {
    let replies = Rc::new(Cell::new(0));
    let host = directory({
        let replies = Rc::clone(&replies);
        move || {
            replies.set(replies.get() + 1);
            match replies.get() {
                1 => token(),
                2 => Reply::status(503),
                3 => Reply::status(429).with("retry-after", "60"),
                _ => rejection("invalid_client", 7_000_222),
            }
        }
    });
    let authenticator = authenticator(&host);
    let sign_in = || host.block_on(authenticator.token(&mut Budget::new(POLICY)));
    let first = sign_in().unwrap();
    // It is valid for 3,599 seconds and is renewed from the 3,299th on.
    for (seconds, requests) in [(3_300, 2), (10, 2), (25, 3), (50, 3)] {
        host.advance(Duration::from_secs(seconds));
        assert!(Rc::ptr_eq(&sign_in().unwrap(), &first));
        assert_eq!(replies.get(), requests);
    }
    // A permanent failure is returned at once.
    host.advance(Duration::from_secs(15));
    assert_eq!(sign_in().unwrap_err().kind, ErrorKind::Unauthenticated);
}

#[test]
fn a_caller_that_joins_a_renewal_with_a_shorter_wait_keeps_its_own() {
    let replies = Rc::new(Cell::new(0));
    let host = directory({
        let replies = Rc::clone(&replies);
        move || {
            replies.set(replies.get() + 1);
            match replies.get() {
                2..=4 => Reply::status(503),
                _ => token(),
            }
        }
    });
    let authenticator = Rc::new(authenticator(&host));
    let first = host
        .block_on(authenticator.token(&mut Budget::new(POLICY)))
        .unwrap();
    host.advance(Duration::from_mins(55));
    let begin = || {
        let authenticator = Rc::clone(&authenticator);
        crate::host::Started::new(
            async move { authenticator.token(&mut Budget::new(POLICY)).await },
        )
    };
    let early = host.block_on(begin());
    let replaced = host
        .block_on(authenticator.replace(&first, &mut Budget::new(POLICY)))
        .unwrap();
    assert!(!Rc::ptr_eq(&replaced, &first));
    assert!(Rc::ptr_eq(&host.block_on(early).unwrap(), &first));
    assert_eq!(replies.get(), 5);
}

#[test]
fn an_expired_token_is_not_used() {
    let replies = Rc::new(Cell::new(0));
    let host = directory({
        let replies = Rc::clone(&replies);
        move || {
            replies.set(replies.get() + 1);
            match replies.get() {
                // The renewal fails only when the token has expired meanwhile.
                2 => Reply::status(503).after(Duration::from_secs(100)),
                3 => Reply::status(503),
                _ => token(),
            }
        }
    });
    let authenticator = authenticator(&host);
    let sign_in = || {
        host.block_on(authenticator.token(&mut Budget::new(POLICY)))
            .unwrap()
    };
    let first = sign_in();
    host.advance(Duration::from_secs(3_550));
    assert!(!Rc::ptr_eq(&sign_in(), &first));
    assert_eq!(replies.get(), 4);
}

#[test]
fn an_environment_without_an_authority_is_challenged_again_by_the_next_call() {
    let older = ApiVersion::OLDER.len();
    for (reply, kind, words, once) in [
        (
            Reply::status(401),
            ErrorKind::InvalidSettings,
            "set \"tenant\"",
            0,
        ),
        (
            Reply::status(404),
            ErrorKind::NotFound,
            "check \"environment\"",
            older,
        ),
        (
            Reply::status(501),
            ErrorKind::Unavailable,
            "busy or failing",
            older,
        ),
    ] {
        let host = directory(move || reply.clone());
        let settings = Settings::parse(SETTINGS).unwrap();
        let authenticator =
            Authenticator::new(Rc::clone(&host), &settings, Url::parse(API_ROOT).unwrap());
        for attempts in 1..3 {
            let error = host
                .block_on(authenticator.token(&mut Budget::new(POLICY)))
                .unwrap_err();
            assert_eq!(error.kind, kind);
            assert!(error.message.contains(words), "{error}");
            assert_eq!(host.requests().len(), attempts + once);
        }
    }
}

#[test]
fn a_server_that_checks_the_version_first_is_challenged_at_an_older_one() {
    let host = Simulation::new(|request| {
        match address(request).as_str() {
        TOKEN_ENDPOINT => token(),
        old if old.contains("/v9.0/") => Reply::status(401).with(
            "WWW-Authenticate",
            "Bearer authorization_uri=https://login.microsoftonline.com/t.example/oauth2/authorize, \
             resource_id=https://contoso.crm.dynamics.com/",
        ),
        _ => Reply::status(404),
    }
    });
    host.set_secret(SECRET_NAME, Ok(SECRET_VALUE));
    for (more, is_found) in [("", true), ("\"apiVersion\": \"9.2\",", false)] {
        let document = SETTINGS.replacen('{', &format!("{{{more}"), 1);
        let settings = Settings::parse(&document).unwrap();
        let authenticator =
            Authenticator::new(Rc::clone(&host), &settings, Url::parse(API_ROOT).unwrap());
        assert_eq!(
            host.block_on(authenticator.token(&mut Budget::new(POLICY)))
                .is_ok(),
            is_found
        );
    }
    // 9.2, 9.1, 9.0, the token; then the one version that the settings name.
    assert_eq!(host.requests().len(), 5);
}
