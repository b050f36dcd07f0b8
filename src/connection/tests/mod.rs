mod create_role;
mod organization;
mod privileges;
mod role;

use std::rc::Rc;

use serde_json::json;

use super::*;
use crate::host::{HttpError, Request, SecretError};
use crate::simulation::{Reply, SECRET_NAME, SETTINGS, Simulation, signed_in};

/// A Web API that replies to the requests of a check.
fn healthy(request: &Request) -> Reply {
    let resource = request
        .target
        .path_and_query
        .rsplit('/')
        .next()
        .unwrap_or_default();
    match resource.split('?').next().unwrap_or_default() {
        "WhoAmI" => Reply::json(&json!({
            "BusinessUnitId": organization::UNIT,
            "UserId": organization::USER,
            "OrganizationId": organization::UNIT,
        })),
        "RetrieveVersion()" => Reply::json(&json!({"Version": "9.2.24013.190"})),
        "organizations" => Reply::json(&json!({"value": [{
            "organizationid": "org-1", "name": "contoso", "expirechangetrackingindays": 7,
        }]})),
        _ => Reply::status(404),
    }
}

fn check_with(host: &Rc<Simulation>, settings: &str) -> Report {
    let session = Session::open(Rc::clone(host), settings).unwrap();
    assert!(host.requests().is_empty(), "opening sends no request");
    host.block_on(session.check())
}

fn verdicts(report: &Report) -> Vec<(&str, Verdict)> {
    report
        .findings
        .iter()
        .map(|finding| (&*finding.id, finding.verdict))
        .collect()
}

/// The finding that did not pass.
fn problem(report: &Report) -> &Finding {
    report
        .findings
        .iter()
        .find(|finding| matches!(finding.verdict, Verdict::Failed | Verdict::Warning))
        .unwrap()
}

#[test]
fn a_good_connection_passes_every_test_in_order() {
    let host = signed_in(healthy);
    let report = check_with(&host, SETTINGS);
    assert!(report.available);
    assert_eq!(
        verdicts(&report),
        ["settings", "reach", "sign-in", "membership", "organization"]
            .map(|id| (id, Verdict::Passed))
    );
    assert_eq!(
        report.findings[4].message,
        "The organization is contoso, version 9.2.24013.190; it keeps changes for 7 days."
    );
    assert_eq!(
        host.requests().len(),
        5,
        "challenge, token, and three requests"
    );
}

#[test]
fn a_server_that_is_not_dataverse_is_reported() {
    for (reply, words) in [
        (Reply::status(404), "there is no environment (status 404)"),
        (Reply::status(200), "so it is not Dataverse"),
        (
            Reply::status(302).with("Location", "https://x.example/"),
            "to https://x.example/",
        ),
        (Reply::status(401), "not as Dataverse does"),
        (
            Reply::status(401).with("WWW-Authenticate", "NTLM"),
            "requires NTLM sign-in",
        ),
        (Reply::status(403), "rejected the request"),
        (Reply::status(503), "busy or failing"),
        (Reply::failure(HttpError::Dns), "cannot be resolved"),
        (Reply::failure(HttpError::Connect), "failed or was refused"),
        (
            Reply::failure(HttpError::Tls("unknown issuer".into())),
            "unknown issuer",
        ),
        (Reply::failure(HttpError::Denied), "does not allow"),
    ] {
        let host = Simulation::new(move |_| reply.clone());
        let report = check_with(&host, SETTINGS);
        assert!(!report.available);
        assert_eq!(report.findings.len(), 5);
        assert!(
            report.findings[2..]
                .iter()
                .all(|finding| finding.verdict == Verdict::Skipped)
        );
        let finding = problem(&report);
        assert_eq!(finding.id, "reach");
        assert!(finding.message.contains(words), "{}", finding.message);
        assert!(finding.message.ends_with('.') && finding.remedy.is_some());
        assert!(host.now().as_secs() < 30, "a report takes no longer");
    }
}

#[test]
fn a_missing_secret_is_found_at_sign_in() {
    let host = signed_in(healthy);
    host.set_secret(SECRET_NAME, Err(SecretError::NotFound));
    let report = check_with(&host, SETTINGS);
    let finding = problem(&report);
    assert_eq!(finding.id, "sign-in");
    assert_eq!(finding.message, "There is no secret \"crm-secret\".");
    assert_eq!(
        finding.remedy.as_deref(),
        Some("Store the client secret's value in it.")
    );
}

#[test]
fn a_rejected_application_is_reported_with_the_reason() {
    for (code, id, remedy) in [
        ("0x80072560", "membership", "create an application user"),
        ("0x80042f09", "membership", "assign a security role"),
        ("0x8004a112", "account/disabled", "must enable it"),
        ("0x80040225", "account/disabled", "must enable it"),
    ] {
        let host = signed_in(move |_| Reply::fault(403, code, "It may not."));
        let report = check_with(&host, SETTINGS);
        assert!(!report.available);
        let finding = problem(&report);
        assert_eq!(finding.id, id);
        let text = format!("{} {}", finding.message, finding.remedy.as_deref().unwrap());
        assert!(text.contains(remedy), "{text}");
        assert!(text.contains(code), "{text}");
        let last = report.findings.last().unwrap();
        assert_eq!(
            (&*last.id, last.verdict),
            ("organization", Verdict::Skipped)
        );
    }
}

#[test]
fn the_report_repeats_a_requested_wait() {
    let host = signed_in(|_| {
        Reply::fault(429, "0x80072322", "Too many requests.").with("Retry-After", "400")
    });
    let report = check_with(&host, SETTINGS);
    let remedy = problem(&report).remedy.as_deref().unwrap();
    assert!(
        remedy.ends_with("Wait 400 seconds, as the service requests."),
        "{remedy}"
    );
    assert_eq!(host.now().as_secs(), 0);
}

#[test]
fn properties_of_the_organization_only_warn() {
    for (id, settings, days, version, forbidden, words) in [
        (
            "organization",
            SETTINGS.to_owned(),
            7,
            "9.2.1.1",
            true,
            "Organization: Read is missing, privilege/prvReadOrganization",
        ),
        (
            "organization",
            SETTINGS.to_owned(),
            2,
            "",
            false,
            "version unknown; it keeps changes for 2 days",
        ),
        (
            "organization",
            SETTINGS.to_owned(),
            2,
            "9.2.1.1",
            false,
            "Sync at least once in 2 days",
        ),
        (
            "api-version",
            SETTINGS.replacen('{', "{\"apiVersion\": \"9.0\",", 1),
            7,
            "9.2.1.1",
            false,
            "Set \"apiVersion\" to 9.2",
        ),
    ] {
        let host = signed_in(move |request| {
            let path = &request.target.path_and_query;
            if path.contains("RetrieveVersion") && version.is_empty() {
                Reply::fault(404, "0x8006088a", "Resource not found for the segment.")
            } else if path.contains("RetrieveVersion") {
                Reply::json(&json!({"Version": version}))
            } else if path.contains("organizations") && forbidden {
                Reply::fault(
                    403,
                    "0x80040220",
                    "Principal is missing prvReadOrganization.",
                )
            } else if path.contains("organizations") {
                Reply::json(&json!({"value": [{"expirechangetrackingindays": days}]}))
            } else {
                healthy(request)
            }
        });
        let report = check_with(&host, &settings);
        assert!(report.available);
        let finding = problem(&report);
        assert_eq!((&*finding.id, finding.verdict), (id, Verdict::Warning));
        let text = format!("{} {}", finding.message, finding.remedy.as_deref().unwrap());
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn an_organization_without_some_columns_reports_the_others() {
    for (lacks_all, words) in [(false, "is Old, version"), (true, "are informative")] {
        let host = signed_in(move |request| {
            let path = &request.target.path_and_query;
            if path.ends_with("/organizations") && !lacks_all {
                Reply::json(&json!({"value": [{"name": "Old"}]}))
            } else if path.contains("/organizations") {
                Reply::fault(
                    400,
                    "0x0",
                    "Could not find a property named 'isauditenabled'.",
                )
            } else {
                healthy(request)
            }
        });
        let report = check_with(&host, SETTINGS);
        assert!(report.available);
        let found = report.findings.iter();
        let text: Vec<String> = found
            .filter(|finding| finding.id == "organization")
            .map(|finding| format!("{} {:?}", finding.message, finding.remedy))
            .collect();
        assert!(text[0].contains(words), "{text:?}");
        assert!(!text[0].contains("role"), "{text:?}");
    }
}

#[test]
fn a_token_with_a_short_lifetime_is_a_warning() {
    for (expires_in, short) in [(599, true), (600, false), (3599, false)] {
        let inner = signed_in(healthy);
        let host = Simulation::new(move |request| {
            if request.target.authority == "login.microsoftonline.com" {
                Reply::json(&json!({
                    "token_type": "Bearer", "expires_in": expires_in, "access_token": "MARKER",
                }))
            } else {
                inner.respond(request)
            }
        });
        host.set_secret(SECRET_NAME, Ok("value"));
        let report = check_with(&host, SETTINGS);
        assert!(report.available);
        let warned: Vec<_> = report
            .findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Warning)
            .map(|finding| &*finding.id)
            .collect();
        let expected: &[&str] = if short { &["token-lifetime"] } else { &[] };
        assert_eq!(warned, expected, "{expires_in}");
    }
}
