//! What the Web API says when it refuses (reference 7.6, 2.9).

use std::fmt;
use std::time::Duration;

use super::meaning::{CLAIMS_WANTED, Meaning, of_code, of_status};
use super::privilege::{Depth, PrivilegeName, Words};
use crate::error::{Error, ServiceFault};
use crate::host::Response;
use crate::json::Object;
use crate::retry::Repeat;
use crate::text::{one_line, without_query};

/// Where the service's support finds the call, in the order in which to look (reference 1.1).
const REQUEST_ID_HEADERS: [&str; 3] = ["x-ms-service-request-id", "req_id", "x-ms-request-id"];
/// No message is repeated beyond this many characters.
const LONGEST_MESSAGE: usize = 300;

/// An error code of the service.
///
/// It is written as hexadecimal digits in either case or as a signed decimal number; codes
/// that say nothing (`0x0` and none) are not codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FaultCode(u32);

impl FaultCode {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => match text.parse::<i32>() {
                Ok(signed) => signed.cast_unsigned(),
                Err(_) => text.parse::<u32>().ok()?,
            },
        };
        (number != 0).then_some(Self(number))
    }
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08x}", self.0)
    }
}

/// An error answer of the Web API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: u16,
    pub(super) code: Option<FaultCode>,
    /// The first line of the message, empty when there was none. What follows the first line
    /// is for the service's own developers.
    pub(super) message: String,
    pub(super) request_id: Option<String>,
    /// Where a redirect leads.
    location: Option<String>,
    /// Whether the token was refused for claims that it lacks.
    claims_wanted: bool,
}

impl Fault {
    /// Reads an error answer; `body` is the inflated body, of whatever kind. `scrub` cuts out
    /// what must not be repeated, before anything is cut short.
    pub(super) fn read(response: &Response, body: &[u8], scrub: impl Fn(&str) -> String) -> Self {
        // A gateway answers in HTML, or in nothing.
        let body = Object::parse(body).unwrap_or_default();
        let error = body.object("error").unwrap_or_default();
        let code = error.text("code").or_else(|| error.number("code"));
        let message = error
            .text("message")
            // The older form: {"lang": …, "value": …}.
            .or_else(|| error.object("message")?.text("value"))
            .or_else(|| body.text("error"))
            // Requests that find no route are answered in another form.
            .or_else(|| body.text("Message"))
            .unwrap_or_default();
        let request_id = REQUEST_ID_HEADERS
            .iter()
            .find_map(|name| response.header(name));
        Self {
            status: response.status,
            code: code.as_deref().and_then(FaultCode::parse),
            message: one_line(&scrub(&message), LONGEST_MESSAGE),
            request_id: request_id
                .map(|id| one_line(&scrub(id), 100))
                .filter(|id| !id.is_empty()),
            location: response
                .header("location")
                .map(|location| without_query(&scrub(location))),
            claims_wanted: response
                .headers_named("www-authenticate")
                .any(|challenge| challenge.contains("insufficient_claims")),
        }
    }

    fn meaning(&self) -> Meaning {
        if self.status == 401 && self.claims_wanted {
            return CLAIMS_WANTED;
        }
        self.code
            .and_then(|code| of_code(code.0, self.status))
            .unwrap_or_else(|| of_status(self.status))
    }

    /// Whether the same request is worth repeating.
    pub(super) fn repeat(&self) -> Repeat {
        self.meaning().repeat
    }

    /// The error for a reader: what failed (`cannot read accounts`), what the service said,
    /// what to do.
    pub(super) fn into_error(self, failed: &str, retry_after: Option<Duration>) -> Error {
        let meaning = self.meaning();
        let code = self
            .code
            .map(|code| format!(" ({code})"))
            .unwrap_or_default();
        let missing = PrivilegeName::missing_in(&self.message).filter(|_| self.status == 403);
        let message = match &missing {
            Some(privilege) => {
                // The service's own sentence names the privilege and numbers for its makers.
                let words = Words::of(privilege, None);
                let remedy = words.remedy(Depth::Global);
                format!("{failed}: {words} is missing, privilege/{privilege}{code}; {remedy}")
            }
            None => format!("{failed}: {}{code}; {}", self.said(), meaning.advice),
        };
        let mut error = Error::new(meaning.kind, message).with_fault(ServiceFault {
            status: self.status,
            code: self.code.map(|code| code.to_string()).unwrap_or_default(),
            request_id: self.request_id,
            of_authority: false,
        });
        error.retry_after = retry_after;
        error.recovery = meaning.recovery;
        error.missing = missing.map(Box::new);
        error
    }

    fn said(&self) -> String {
        match (self.message.trim_end_matches('.'), &self.location) {
            ("", Some(location)) => format!("status {}, leading to {location}", self.status),
            ("", None) => format!("status {}", self.status),
            (message, _) => message.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
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
            (400, "0x80044352", CheckpointExpired, "from its beginning"),
            (410, "0x80044352", CheckpointExpired, "from its beginning"),
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
    fn a_policy_that_wants_the_person_again_is_told() {
        let response = Response {
            status: 401,
            headers: vec![header(
                "WWW-Authenticate",
                "Bearer error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"",
            )],
            body: Vec::new(),
        };
        let error =
            Fault::read(&response, b"", str::to_owned).into_error("cannot read accounts", None);
        assert_eq!(error.kind, ErrorKind::Unauthenticated);
        assert!(
            error.message.ends_with("sign in again interactively"),
            "{error}"
        );
    }

    #[test]
    fn a_redirect_is_told_without_what_it_carries() {
        let response = Response {
            status: 302,
            headers: vec![header(
                "Location",
                "https://sts.example/login?ticket=MARKER#x",
            )],
            body: Vec::new(),
        };
        let error =
            Fault::read(&response, b"", str::to_owned).into_error("cannot read accounts", None);
        assert!(
            error
                .message
                .contains("status 302, leading to https://sts.example/login;"),
            "{error}"
        );
    }

    #[test]
    fn what_the_connector_can_do_itself_is_told() {
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
    fn only_what_may_pass_is_repeated() {
        for (status, code, repeat) in [
            (429, "", Repeat::Patiently),
            (429, "0x80072326", Repeat::Patiently),
            (502, "", Repeat::Patiently),
            (503, "", Repeat::Patiently),
            (504, "", Repeat::Patiently),
            (500, "0x80044150", Repeat::Few),
            (500, "0x80044151", Repeat::Few),
            (500, "0x80040216", Repeat::Few),
            (400, "0x80040224", Repeat::Few),
            (500, "", Repeat::Few),
            (409, "0x80071154", Repeat::Few),
            (400, "0x80071151", Repeat::Patiently),
            (302, "", Repeat::Never),
            (400, "", Repeat::Never),
            (401, "", Repeat::Never),
            (403, "0x80040220", Repeat::Never),
            (404, "", Repeat::Never),
            (412, "", Repeat::Never),
            (501, "", Repeat::Never),
        ] {
            assert_eq!(coded(status, code).repeat(), repeat, "{status} {code}");
        }
    }

    proptest! {
        #[test]
        fn no_body_breaks_it(status in 300_u16..600, body in ".{0,200}") {
            let error = fault(status, &body).into_error("cannot read accounts", None);
            prop_assert!(!error.message.contains('\n'));
        }
    }
}
