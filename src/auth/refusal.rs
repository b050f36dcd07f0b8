//! What Microsoft Entra says when it refuses (reference 2.7).

use std::time::Duration;

use url::Url;

use super::authority::Authority;
use super::issuer::Pause;
use super::meanings;
use crate::error::{Error, ErrorKind, ServiceFault};
use crate::host::{Clock, Response};
use crate::json::Object;
use crate::retry::retry_after;
use crate::settings::Settings;
use crate::text::one_line;

/// A loop that Entra has noticed ends only by staying quiet for a while.
const LOOP_PAUSE: Duration = Duration::from_mins(1);
/// No description is repeated beyond this many characters.
const LONGEST_DESCRIPTION: usize = 300;

/// A refusal of the authority: the answer of an endpoint, or what a browser brought back.
#[derive(Debug)]
pub(super) struct Refusal {
    /// None when a browser brought it.
    status: Option<u16>,
    /// The number after `AADSTS`, from the list of codes, else from the text.
    code: Option<u32>,
    /// The error word of OAuth 2.0, empty when there was none.
    word: String,
    /// The first line of the description.
    description: String,
    /// Whether the authority wants claims that only a person can give.
    claims_wanted: bool,
    trace_id: Option<String>,
    retry_after: Option<Duration>,
}

/// Who takes part in a sign-in, as messages name them.
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

    /// As they stand in the address of a page of the authority.
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

impl Refusal {
    /// The refusal, if the answer is one. `scrub` cuts out what must not be repeated, before
    /// anything is cut short.
    pub(super) fn read(
        response: &Response,
        clock: &impl Clock,
        scrub: impl Fn(&str) -> String,
    ) -> Option<Self> {
        if response.status == 200 {
            return None;
        }
        // A proxy answers in HTML, or in nothing.
        let body = Object::parse(&response.body).unwrap_or_default();
        let text = |name| body.text(name).unwrap_or_default();
        let description = text("error_description");
        let codes = body.elements("error_codes").unwrap_or_default();
        let listed = codes.first().and_then(|code| code.parse().ok());
        Some(Self {
            status: Some(response.status),
            code: listed.or_else(|| aadsts(&description)),
            word: one_line(&scrub(&text("error")), 100),
            description: one_line(&scrub(&description), LONGEST_DESCRIPTION),
            claims_wanted: body.has("claims"),
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

    /// The refusal that a browser brought back (reference 2.4, 2.5).
    pub(super) fn brought_back(word: &str, description: &str) -> Self {
        Self {
            status: None,
            code: aadsts(description),
            word: one_line(word, 100),
            description: one_line(description, LONGEST_DESCRIPTION),
            claims_wanted: false,
            trace_id: None,
            retry_after: None,
        }
    }

    /// The error word of OAuth 2.0, empty when there was none.
    pub(super) fn word(&self) -> &str {
        &self.word
    }

    /// How long to pause before asking again, if that can help.
    pub(super) fn pause(&self) -> Option<Pause> {
        match (self.code, self.status) {
            (Some(50196), _) => Some(Pause::Fixed(LOOP_PAUSE)),
            (Some(50087), _) | (_, Some(429 | 500 | 502..=504)) => Some(Pause::Drawn),
            _ if self.word == "temporarily_unavailable" => Some(Pause::Drawn),
            _ => None,
        }
    }

    /// The kind and a sentence that tells what to do.
    pub(super) fn into_error(self, parties: &Parties) -> Error {
        let (kind, advice) = self.meaning();
        let advice = parties.fill_in(&advice);
        let said = match (self.code, self.word.as_str(), self.status) {
            (Some(code), ..) => format!("AADSTS{code}"),
            (None, "", Some(status)) => format!("HTTP status {status}"),
            (None, "", None) => "without a reason".to_owned(),
            (None, word, _) => word.to_owned(),
        };
        let origin = &parties.authority;
        let message = match kind {
            ErrorKind::Throttled | ErrorKind::Unavailable => {
                format!("the sign-in at {origin} is not possible now ({said}): {advice}")
            }
            _ => format!("the sign-in at {origin} was refused ({said}): {advice}"),
        };
        let mut error = Error::new(kind, message);
        error.retry_after = self.retry_after;
        error.fault = self.status.map(|status| ServiceFault {
            status,
            code: self.code.map_or(self.word, |code| format!("AADSTS{code}")),
            request_id: self.trace_id,
            of_authority: true,
        });
        error
    }

    /// The kind, and the table's advice or the authority's own words.
    fn meaning(&self) -> (ErrorKind, String) {
        if let Some((kind, advice)) = self.code.and_then(meanings::of_code) {
            return (kind, advice.to_owned());
        }
        if self.claims_wanted {
            let (kind, advice) = meanings::CLAIMS_WANTED;
            return (kind, advice.to_owned());
        }
        let (kind, advice) = meanings::of_word(&self.word, self.status);
        match (advice, self.description.as_str()) {
            (Some(advice), "") => (kind, advice.to_owned()),
            (Some(advice), description) => {
                let description = description.trim_end_matches('.');
                (kind, format!("{description}; {advice}"))
            }
            (None, "") => (
                kind,
                "it gave no reason; look into the sign-in log of the directory".to_owned(),
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
