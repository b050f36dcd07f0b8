//! Error responses of the Web API (reference 7.6, 2.9).

mod code;
mod meaning;

use std::time::Duration;

use self::code::FaultCode;
use self::meaning::{CLAIMS_REQUIRED, Meaning, of_code, of_status};
use super::privilege::{Depth, PrivilegeName, RoleEditorEntry};
use crate::call::Retry;
use crate::error::{Error, ServiceFault};
use crate::host::Response;
use crate::json::Object;
use crate::text::{one_line, without_query};

/// Headers with the ID by which the service's support finds the request, in order of preference
/// (reference 1.1).
const REQUEST_ID_HEADERS: [&str; 3] = ["x-ms-service-request-id", "req_id", "x-ms-request-id"];
/// The longest part of a message that an error repeats, in characters.
const LONGEST_MESSAGE: usize = 300;

/// An error response of the Web API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: u16,
    pub(super) code: Option<FaultCode>,
    /// The first line of the message, empty if there is none. The other lines are for the service's
    /// own developers.
    pub(super) message: String,
    pub(super) request_id: Option<String>,
    /// Where a redirect leads.
    location: Option<String>,
    /// Whether the token was rejected for missing claims.
    requires_claims: bool,
}

impl Fault {
    /// Reads an error response; `body` is the inflated body, of any kind. `scrub` removes what
    /// must not be repeated, before anything is shortened.
    pub(super) fn read(response: &Response, body: &[u8], scrub: impl Fn(&str) -> String) -> Self {
        // The response of a gateway is HTML, or empty.
        let body = Object::parse(body).unwrap_or_default();
        let error = body.object("error").unwrap_or_default();
        let code = error.text("code").or_else(|| error.number("code"));
        let message = error
            .text("message")
            // The older form: {"lang": …, "value": …}.
            .or_else(|| error.object("message")?.text("value"))
            .or_else(|| body.text("error"))
            // Errors of requests that find no route have another form.
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
            requires_claims: response
                .headers_named("www-authenticate")
                .any(|challenge| challenge.contains("insufficient_claims")),
        }
    }

    fn meaning(&self) -> Meaning {
        if self.status == 401 && self.requires_claims {
            return CLAIMS_REQUIRED;
        }
        self.code
            .and_then(|code| of_code(code.0, self.status))
            .unwrap_or_else(|| of_status(self.status))
    }

    /// Whether the request is retried.
    pub(super) fn retry(&self) -> Retry {
        self.meaning().retry
    }

    /// The error: what failed (`cannot read accounts`), what the service said, what to do.
    pub(super) fn into_error(self, failed: &str, retry_after: Option<Duration>) -> Error {
        let meaning = self.meaning();
        let code = self
            .code
            .map(|code| format!(" ({code})"))
            .unwrap_or_default();
        let missing = PrivilegeName::missing_in(&self.message).filter(|_| self.status == 403);
        let message = match &missing {
            Some(privilege) => {
                // The service's own sentence names the privilege by internal names.
                let words = RoleEditorEntry::of(privilege, None);
                let remedy = words.remedy(Depth::Global);
                format!("{failed}: {words} is missing, privilege/{privilege}{code}; {remedy}")
            }
            None => format!("{failed}: {}{code}; {}", self.reason(), meaning.advice),
        };
        let mut error = Error::new(meaning.kind, message).with_fault(ServiceFault {
            status: self.status,
            code: self.code.map(|code| code.to_string()).unwrap_or_default(),
            request_id: self.request_id,
            of_authority: false,
        });
        error.retry_after = retry_after;
        error.recovery = meaning.recovery;
        error.missing_privilege = missing.map(|privilege| privilege.as_str().into());
        error
    }

    fn reason(&self) -> String {
        match (self.message.trim_end_matches('.'), &self.location) {
            ("", Some(location)) => format!("status {}, a redirect to {location}", self.status),
            ("", None) => format!("status {}", self.status),
            (message, _) => message.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
