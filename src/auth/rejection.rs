//! Error responses of Microsoft Entra (reference 2.7).

use std::time::Duration;

use url::Url;

use super::authority::Authority;
use super::meanings;
use crate::call::{Retry, retry_after};
use crate::error::{Error, ErrorKind, ServiceFault};
use crate::host::{Clock, Response};
use crate::json::Object;
use crate::settings::Settings;
use crate::text::one_line;

/// The code for a sign-in that is repeated in a loop.
const SIGN_IN_LOOP: u32 = 50_196;
/// The code for a temporary fault of the directory.
const TEMPORARY_FAULT: u32 = 50_087;
/// A loop that Entra has noticed ends only after a while without requests.
const LOOP_PAUSE: Duration = Duration::from_mins(1);
/// The longest part of a description that a message repeats, in characters.
const LONGEST_DESCRIPTION: usize = 300;

/// A rejection by the authority: the response of an endpoint, or the callback of a browser.
#[derive(Debug)]
pub(super) struct Rejection {
    /// None for the callback of a browser.
    status: Option<u16>,
    /// The number after `AADSTS`, from the list of codes, else from the text.
    code: Option<u32>,
    /// The error code of OAuth 2.0, empty if there is none.
    oauth_error: String,
    /// The first line of the description.
    description: String,
    /// Whether the authority requires claims that only a person can give.
    requires_claims: bool,
    trace_id: Option<String>,
    retry_after: Option<Duration>,
}

/// The parties of a sign-in, for messages.
#[derive(Debug)]
pub(super) struct Parties {
    /// The authority's origin.
    authority: String,
    tenant: String,
    application: String,
    environment: String,
}

impl Parties {
    pub(super) fn of(authority: &Authority, settings: &Settings) -> Self {
        Self {
            authority: authority.origin(),
            tenant: authority.tenant().to_owned(),
            application: settings.auth.client_id().unwrap_or_default().to_owned(),
            environment: settings.environment.to_string(),
        }
    }

    /// Reads the parties from the address of one of the authority's pages.
    pub(super) fn of_page(page: &Url) -> Self {
        let parameter = |name: &str| {
            let (_, value) = page.query_pairs().find(|(key, _)| key == name)?;
            Some(one_line(&value, 200))
        };
        let tenant = page.path_segments().and_then(|mut path| path.next());
        let scope = parameter("scope").unwrap_or_default();
        Self {
            authority: page.origin().ascii_serialization(),
            tenant: tenant.unwrap_or_default().to_owned(),
            application: parameter("client_id").unwrap_or_default(),
            environment: scope.trim_end_matches("/.default").to_owned(),
        }
    }

    fn fill_in(&self, advice: &str) -> String {
        advice
            .replace("{app}", &self.application)
            .replace("{tenant}", &self.tenant)
            .replace("{environment}", &self.environment)
    }
}

impl Rejection {
    /// The rejection, if the response is one. `scrub` removes what must not be repeated, before
    /// anything is shortened.
    pub(super) fn read(
        response: &Response,
        clock: &impl Clock,
        scrub: impl Fn(&str) -> String,
    ) -> Option<Self> {
        if response.status == 200 {
            return None;
        }
        // The response of a proxy is HTML, or empty.
        let body = Object::parse(&response.body).unwrap_or_default();
        let text = |name| body.text(name).unwrap_or_default();
        let description = text("error_description");
        let codes = body.elements("error_codes").unwrap_or_default();
        let listed = codes.first().and_then(|code| code.parse().ok());
        Some(Self {
            status: Some(response.status),
            code: listed.or_else(|| aadsts(&description)),
            oauth_error: one_line(&scrub(&text("error")), 100),
            description: one_line(&scrub(&description), LONGEST_DESCRIPTION),
            requires_claims: body.has("claims"),
            trace_id: body
                .text("trace_id")
                .or_else(|| body.text("correlation_id"))
                .or_else(|| response.header("x-ms-request-id").map(str::to_owned))
                .map(|id| one_line(&scrub(&id), 100)),
            retry_after: response
                .header("retry-after")
                .and_then(|value| retry_after(value, clock.unix_time())),
        })
    }

    /// The rejection in the callback of a browser (reference 2.4, 2.5).
    pub(super) fn in_callback(oauth_error: &str, description: &str) -> Self {
        Self {
            status: None,
            code: aadsts(description),
            oauth_error: one_line(oauth_error, 100),
            description: one_line(description, LONGEST_DESCRIPTION),
            requires_claims: false,
            trace_id: None,
            retry_after: None,
        }
    }

    /// The error code of OAuth 2.0, empty if there is none.
    pub(super) fn oauth_error(&self) -> &str {
        &self.oauth_error
    }

    /// Whether the request is retried.
    pub(super) fn retry(&self) -> Retry {
        let is_temporary = matches!(self.code, Some(SIGN_IN_LOOP | TEMPORARY_FAULT))
            || matches!(self.status, Some(429 | 500 | 502..=504))
            || self.oauth_error == "temporarily_unavailable";
        if is_temporary {
            Retry::WithinBudget
        } else {
            Retry::Never
        }
    }

    /// How long to pause before the next attempt.
    pub(super) fn pause(&self) -> Option<Duration> {
        let of_code = (self.code == Some(SIGN_IN_LOOP)).then_some(LOOP_PAUSE);
        self.retry_after.or(of_code)
    }

    /// The kind and a sentence that says what to do.
    pub(super) fn into_error(self, parties: &Parties) -> Error {
        let (kind, advice) = self.meaning();
        let advice = parties.fill_in(&advice);
        let reason = match (self.code, self.oauth_error.as_str(), self.status) {
            (Some(code), ..) => format!("AADSTS{code}"),
            (None, "", Some(status)) => format!("HTTP status {status}"),
            (None, "", None) => "no reason given".to_owned(),
            (None, oauth_error, _) => oauth_error.to_owned(),
        };
        let origin = &parties.authority;
        let message = match kind {
            ErrorKind::Throttled | ErrorKind::Unavailable => {
                format!("cannot sign in at {origin} now ({reason}): {advice}")
            }
            _ => format!("cannot sign in at {origin} ({reason}): {advice}"),
        };
        let mut error = Error::new(kind, message);
        error.retry_after = self.retry_after;
        error.fault = self.status.map(|status| ServiceFault {
            status,
            code: self
                .code
                .map_or(self.oauth_error, |code| format!("AADSTS{code}")),
            request_id: self.trace_id,
            of_authority: true,
        });
        error
    }

    /// The kind, and the advice of the table or the authority's own description.
    fn meaning(&self) -> (ErrorKind, String) {
        if let Some((kind, advice)) = self.code.and_then(meanings::of_code) {
            return (kind, advice.to_owned());
        }
        if self.requires_claims {
            let (kind, advice) = meanings::CLAIMS_REQUIRED;
            return (kind, advice.to_owned());
        }
        let (kind, advice) = meanings::of_oauth_error(&self.oauth_error, self.status);
        match (advice, self.description.as_str()) {
            (Some(advice), "") => (kind, advice.to_owned()),
            (Some(advice), description) => {
                let description = description.trim_end_matches('.');
                (kind, format!("{description}; {advice}"))
            }
            (None, "") => (
                kind,
                "no reason given; see the sign-in log of the directory".to_owned(),
            ),
            (None, description) => (kind, description.to_owned()),
        }
    }
}

/// The number in `AADSTS7000215: …`.
fn aadsts(description: &str) -> Option<u32> {
    let digits = description.strip_prefix("AADSTS")?;
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}
