use proptest::prelude::*;

use super::*;
use crate::error::{ErrorKind, Recovery};
use crate::simulation::header;

fn fault(status: u16, body: &str) -> Fault {
    let response = Response {
        status,
        headers: Vec::new(),
        body: Vec::new(),
    };
    Fault::read(&response, body.as_bytes(), str::to_owned)
}

fn coded(status: u16, code: &str) -> Fault {
    fault(
        status,
        &format!(r#"{{"error":{{"code":"{code}","message":"It failed."}}}}"#),
    )
}

#[test]
fn codes_are_read_in_every_spelling() {
    for (text, expected) in [
        ("0x8006088a", Some("0x8006088a")),
        ("0X8006088A", Some("0x8006088a")),
        ("-2147015902", Some("0x80072322")),
        ("2147951394", Some("0x80072322")),
        ("0x0", None),
        ("0", None),
        ("", None),
        ("0x", None),
        ("0x123456789", None),
        ("BadRequest", None),
    ] {
        let code = coded(400, text).code.map(|code| code.to_string());
        assert_eq!(code.as_deref(), expected, "{text}");
    }
    let number = fault(429, r#"{"error":{"code":-2147015902,"message":""}}"#);
    assert_eq!(number.code, Some(FaultCode(0x8007_2322)));
}

#[test]
fn messages_are_one_line_whatever_the_body() {
    for (body, expected) in [
        (
            r#"{"error":{"code":"","message":"First.\r\n   at System.Web"}}"#,
            "First.",
        ),
        (
            r#"{"error":{"message":{"lang":"en","value":"Old."}}}"#,
            "Old.",
        ),
        (
            r#"{"Message":"No HTTP resource was found."}"#,
            "No HTTP resource was found.",
        ),
        (r#"{"error":"Plain."}"#, "Plain."),
        (r#"{"error":null}"#, ""),
        (r#"{"error":{"code":{},"message":7}}"#, ""),
        ("<html><body>Bad Gateway</body></html>", ""),
        ("[]", ""),
        ("", ""),
    ] {
        assert_eq!(fault(400, body).message, expected, "{body}");
    }
    let long = fault(400, &format!(r#"{{"Message":"{}"}}"#, "ä".repeat(1000)));
    assert_eq!(long.message.chars().count(), LONGEST_MESSAGE + 1);
}

#[test]
fn request_ids_are_looked_for_in_order() {
    let read = |names: &[&'static str]| {
        let headers = names.iter().map(|name| header(name, *name)).collect();
        Fault::read(
            &Response {
                status: 400,
                headers,
                body: Vec::new(),
            },
            b"",
            str::to_owned,
        )
        .request_id
    };
    assert_eq!(
        read(&["x-ms-request-id", "REQ_ID"]).as_deref(),
        Some("REQ_ID")
    );
    let first = "x-ms-service-request-id";
    assert_eq!(
        read(&["x-ms-request-id", "REQ_ID", first]).as_deref(),
        Some(first)
    );
    assert_eq!(read(&[]), None);
}

#[test]
fn each_code_has_its_kind_and_remedy() {
    use ErrorKind::{
        CheckpointExpired, Conflict, Forbidden, InvalidData, NotFound, Throttled, Unavailable,
        Unsupported,
    };
    for (status, code, kind, words) in [
        (403, "0x80072560", Forbidden, "create an application user"),
        (403, "0x8004A112", Forbidden, "enable it"),
        (403, "0x80040225", Forbidden, "enable it"),
        (403, "0x80042f09", Forbidden, "assign"),
        (403, "0x80040220", Forbidden, "security role"),
        (403, "0x80048306", Forbidden, "share it"),
        (403, "0x80040231", Forbidden, "owner"),
        (403, "0x8004a110", Forbidden, "prvActOnBehalfOfAnotherUser"),
        (403, "0x80048405", Forbidden, "security role"),
        (403, "0x8004F504", Forbidden, "column"),
        (404, "0x80040217", NotFound, "deleted"),
        (404, "0x80060891", NotFound, "deleted"),
        (404, "0x8006088a", NotFound, "exists"),
        (404, "0x80060888", NotFound, "exists"),
        (400, "0x80060888", Unsupported, "defect"),
        (400, "0x8006088a", Unsupported, "defect"),
        (400, "0x80041103", NotFound, "column"),
        (412, "0x80040237", Conflict, "exists"),
        (400, "0x80047013", Conflict, "another name"),
        (503, "0x80071151", Conflict, "customization"),
        (400, "0x80044366", InvalidData, "prefix"),
        (400, "0x80044355", InvalidData, "correct"),
        (400, "0x80040265", InvalidData, "plug-in"),
        (500, "0x80044151", Unavailable, "try again"),
        (400, "0x80044339", Unavailable, "same row"),
        (400, "0x80040255", Unavailable, "same row"),
        (400, "0x80044352", CheckpointExpired, "in full"),
        (410, "0x80044352", CheckpointExpired, "in full"),
        (429, "0x80072321", Throttled, "wait"),
        (503, "0x80072326", Throttled, "wait"),
        (429, "", Throttled, "wait"),
        (400, "0x0", Unsupported, "defect"),
        (403, "0x12345678", Forbidden, "security role"),
        (404, "", NotFound, "environment"),
        (502, "", Unavailable, "try again"),
        (302, "", ErrorKind::InvalidSettings, "environment"),
    ] {
        let fault = coded(status, code);
        let error = fault.into_error("cannot read accounts", None);
        assert_eq!(error.kind, kind, "{status} {code}: {error}");
        assert!(error.message.contains(words), "{status} {code}: {error}");
        assert!(
            error.message.starts_with("cannot read accounts: It failed"),
            "{error}"
        );
    }
}

#[test]
fn a_missing_privilege_is_named_as_in_the_role_editor() {
    let text = "Principal user (Id=5d4b…, type=8, roleCount=1, privilegeCount=9, \
                accessMode=4), is missing prvReadAccount privilege (Id=886b…) on OTC=1 for \
                entity 'account'. context.Caller=5d4b…";
    let body = format!(r#"{{"error":{{"code":"0x80040220","message":"{text}"}}}}"#);
    let error = fault(403, &body).into_error("cannot read accounts", None);
    assert_eq!(error.kind, ErrorKind::Forbidden);
    let (failure, advice) = error.parts();
    assert_eq!(
        failure,
        "cannot read accounts: Account: Read is missing, privilege/prvReadAccount \
         (0x80040220)"
    );
    assert!(
        advice
            .unwrap()
            .contains("tab Core Records and set \"Read\" of Account"),
        "{error}"
    );
}

#[test]
fn a_policy_that_requires_a_person_is_an_error_that_says_so() {
    let response = Response {
        status: 401,
        headers: vec![header(
            "WWW-Authenticate",
            "Bearer error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"",
        )],
        body: Vec::new(),
    };
    let error = Fault::read(&response, b"", str::to_owned).into_error("cannot read accounts", None);
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert!(
        error.message.ends_with("sign in again interactively"),
        "{error}"
    );
}

#[test]
fn a_redirect_is_reported_without_its_query() {
    let response = Response {
        status: 302,
        headers: vec![header(
            "Location",
            "https://sts.example/login?ticket=MARKER#x",
        )],
        body: Vec::new(),
    };
    let error = Fault::read(&response, b"", str::to_owned).into_error("cannot read accounts", None);
    assert!(
        error
            .message
            .contains("status 302, a redirect to https://sts.example/login;"),
        "{error}"
    );
}

#[test]
fn recoverable_errors_name_their_recovery() {
    let recovery = |status, code| {
        coded(status, code)
            .into_error("cannot read accounts", None)
            .recovery
    };
    assert_eq!(recovery(400, "0x80044352"), Some(Recovery::Resync));
    assert_eq!(recovery(500, "-2147204783"), Some(Recovery::SmallerPages));
    assert_eq!(recovery(404, "0x80040217"), None);
}

#[test]
fn only_temporary_failures_are_retried() {
    for (status, code, retry) in [
        (429, "", Retry::WithinBudget),
        (429, "0x80072326", Retry::WithinBudget),
        (502, "", Retry::WithinBudget),
        (503, "", Retry::WithinBudget),
        (504, "", Retry::WithinBudget),
        (500, "0x80044150", Retry::Limited),
        (500, "0x80044151", Retry::Limited),
        (500, "0x80040216", Retry::Limited),
        (400, "0x80040224", Retry::Limited),
        (400, "0x80044339", Retry::Limited),
        (400, "0x80040255", Retry::Limited),
        (500, "", Retry::Limited),
        (409, "0x80071154", Retry::Limited),
        (400, "0x80071151", Retry::WithinBudget),
        (302, "", Retry::Never),
        (400, "", Retry::Never),
        (401, "", Retry::Never),
        (403, "0x80040220", Retry::Never),
        (404, "", Retry::Never),
        (412, "", Retry::Never),
        (501, "", Retry::Never),
    ] {
        assert_eq!(coded(status, code).retry(), retry, "{status} {code}");
    }
}

proptest! {
    #[test]
    fn no_body_causes_a_panic(status in 300_u16..600, body in ".{0,200}") {
        let error = fault(status, &body).into_error("cannot read accounts", None);
        prop_assert!(!error.message.contains('\n'));
    }
}
