//! What Microsoft Entra says when it refuses (reference 2.7).

use std::time::Duration;

use serde::Deserialize;

use super::{Authority, Issuer, Pause};
use crate::error::{Error, ErrorKind, ServiceFault};
use crate::host::{Host, Response, Secret};
use crate::retry::retry_after;
use crate::text::one_line;

/// A loop that Entra has noticed ends only by staying quiet for a while.
const LOOP_PAUSE: Duration = Duration::from_mins(1);

/// An error answer of a token endpoint.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    /// The number after `AADSTS`, from the list of codes, else from the text.
    code: Option<u32>,
    /// The error word of OAuth 2.0, empty when there was none.
    word: String,
    /// The first line of the description, with the secret cut out.
    description: String,
    trace_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Body {
    error: Option<String>,
    error_description: Option<String>,
    error_codes: Option<Vec<u32>>,
    trace_id: Option<String>,
    correlation_id: Option<String>,
}

impl Refusal {
    /// The refusal, if the answer is one.
    pub(super) fn read(response: &Response, secret: &Secret) -> Option<Self> {
        if response.status == 200 {
            return None;
        }
        let body: Body = serde_json::from_slice(&response.body).unwrap_or_default();
        let scrubbed = |text: &str| one_line(&text.replace(secret.reveal(), "…"), 300);
        let description = body.error_description.unwrap_or_default();
        let listed = body.error_codes.and_then(|codes| codes.first().copied());
        Some(Self {
            status: response.status,
            code: listed.or_else(|| aadsts(&description)),
            word: scrubbed(&body.error.unwrap_or_default()),
            description: scrubbed(&description),
            trace_id: body
                .trace_id
                .or(body.correlation_id)
                .or_else(|| response.header("x-ms-request-id").map(str::to_owned))
                .map(|id| scrubbed(&id)),
        })
    }

    /// How long to pause before asking again, if that can help.
    pub(super) fn pause(&self) -> Option<Pause> {
        match (self.code, self.status) {
            (Some(50196), _) => Some(Pause::Fixed(LOOP_PAUSE)),
            (Some(50087), _) | (_, 429 | 500 | 502..=504) => Some(Pause::Drawn),
            _ if self.word == "temporarily_unavailable" => Some(Pause::Drawn),
            _ => None,
        }
    }

    /// The kind and a sentence that tells what to do.
    pub(super) fn into_error<H: Host>(
        self,
        authority: &Authority,
        client_id: &str,
        response: &Response,
        issuer: &Issuer<H>,
    ) -> Error {
        let (kind, advice) = self.meaning();
        let advice = advice
            .replace("{app}", client_id)
            .replace("{tenant}", authority.tenant().as_str())
            .replace("{environment}", issuer.settings.environment.as_str());
        let said = match (self.code, self.word.as_str()) {
            (Some(code), _) => format!("AADSTS{code}"),
            (None, "") => format!("HTTP status {}", self.status),
            (None, word) => word.to_owned(),
        };
        let origin = authority.origin();
        let message = match kind {
            ErrorKind::Throttled | ErrorKind::Unavailable => {
                format!("the sign-in at {origin} is not possible now ({said}): {advice}")
            }
            _ => format!("the sign-in at {origin} was refused ({said}): {advice}"),
        };
        let code = self.code.map_or(self.word, |code| format!("AADSTS{code}"));
        let fault = ServiceFault {
            status: self.status,
            code,
            request_id: self.trace_id,
        };
        let mut error = Error::new(kind, message).with_fault(fault);
        error.retry_after = response
            .header("retry-after")
            .and_then(|value| retry_after(value, issuer.host.unix_time()));
        error
    }

    fn meaning(&self) -> (ErrorKind, String) {
        let known = self.code.and_then(|code| {
            MEANINGS
                .iter()
                .find(|(codes, ..)| codes.contains(&code))
                .map(|(_, kind, advice)| (*kind, (*advice).to_owned()))
        });
        known.unwrap_or_else(|| {
            let kind = self.kind_by_word();
            let advice = match (kind, self.description.as_str()) {
                (ErrorKind::InvalidSettings, "") => "check \"authority\" and \"tenant\"",
                (ErrorKind::Throttled | ErrorKind::Unavailable, "") => "try again later",
                (_, "") => "it gave no reason; look into the sign-in log of the directory",
                (_, description) => description,
            };
            (kind, advice.to_owned())
        })
    }

    fn kind_by_word(&self) -> ErrorKind {
        match (self.word.as_str(), self.status) {
            ("temporarily_unavailable" | "server_error", _) | (_, 500..) => ErrorKind::Unavailable,
            (_, 429) => ErrorKind::Throttled,
            ("consent_required" | "access_denied", _) => ErrorKind::Forbidden,
            ("invalid_request" | "invalid_scope" | "invalid_resource", _) | ("", 300..=404) => {
                ErrorKind::InvalidSettings
            }
            _ => ErrorKind::Unauthenticated,
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

/// What each code means for the reader. `{app}`, `{tenant}` and `{environment}` are filled in.
const MEANINGS: &[(&[u32], ErrorKind, &str)] = &[
    (
        &[7_000_215],
        ErrorKind::Unauthenticated,
        "the client secret of application {app} is wrong; perhaps the secret's ID was stored \
         instead of its value, which the portal shows only once: create a new secret and store \
         its value",
    ),
    (
        &[7_000_222],
        ErrorKind::Unauthenticated,
        "the client secret of application {app} has expired; create a new one and store its value",
    ),
    (
        &[7_000_218],
        ErrorKind::Unauthenticated,
        "application {app} did not present its client secret; store the value again",
    ),
    (
        &[700_027],
        ErrorKind::Unauthenticated,
        "the certificate is not one of application {app}; upload it to the app registration",
    ),
    (
        &[700_024],
        ErrorKind::Unauthenticated,
        "the signed assertion is outside its time; set the clock of this machine right",
    ),
    (
        &[700_016],
        ErrorKind::InvalidSettings,
        "there is no application {app} in tenant {tenant}; check \"clientId\" and \"tenant\"",
    ),
    (
        &[90_002, 50_128, 50_059],
        ErrorKind::InvalidSettings,
        "there is no tenant {tenant}; check \"tenant\", and \"authority\" if the directory is in \
         a national cloud",
    ),
    (
        &[500_011],
        ErrorKind::InvalidSettings,
        "tenant {tenant} knows no environment {environment}; check \"environment\" and \"tenant\"",
    ),
    (
        &[70_011],
        ErrorKind::InvalidSettings,
        "the scope is not valid for {environment}; leave \"auth.scope\" out, or end it with \
         /.default",
    ),
    (
        &[50_194],
        ErrorKind::InvalidSettings,
        "application {app} belongs to a single tenant; set \"tenant\" to it",
    ),
    (
        &[50_011],
        ErrorKind::InvalidSettings,
        "the redirect address is not registered with application {app}; add it to the app \
         registration",
    ),
    (
        &[65_005, 650_052, 650_054, 650_056],
        ErrorKind::Forbidden,
        "application {app} is not set up for Dataverse; an administrator must add the Dataverse \
         permission to the app registration and consent to it",
    ),
    (
        &[65_001],
        ErrorKind::Forbidden,
        "nobody has consented to application {app}; an administrator of tenant {tenant} must \
         grant consent",
    ),
    (
        &[65_004],
        ErrorKind::Forbidden,
        "consent to application {app} was declined; sign in again and accept, or ask an \
         administrator to grant it",
    ),
    (
        &[50_105],
        ErrorKind::Forbidden,
        "the account is not assigned to application {app}; an administrator must assign it under \
         Enterprise applications",
    ),
    (
        &[50_131, 53_000, 53_001, 53_003, 530_035],
        ErrorKind::Forbidden,
        "a Conditional Access policy of tenant {tenant} blocks this sign-in; an administrator \
         must allow it from this network or device",
    ),
    (
        &[50_034, 50_020],
        ErrorKind::Unauthenticated,
        "the account does not exist in tenant {tenant}; use one that does, or invite it",
    ),
    (
        &[50_053, 50_057],
        ErrorKind::Unauthenticated,
        "the account is locked or disabled; an administrator must enable it",
    ),
    (
        &[50_055],
        ErrorKind::Unauthenticated,
        "the password has expired; set a new one",
    ),
    (
        &[50_126],
        ErrorKind::Unauthenticated,
        "the user name or the password is wrong",
    ),
    (
        &[50_074, 50_076, 50_078, 50_079],
        ErrorKind::Unauthenticated,
        "the account must confirm the sign-in by a second factor; sign in interactively",
    ),
    (
        &[50_132, 50_133, 50_173],
        ErrorKind::Unauthenticated,
        "the session was revoked, as after a change of password; sign in again",
    ),
    (
        &[70_008, 700_082, 54_005],
        ErrorKind::Unauthenticated,
        "the authorization has expired or was used before; sign in again",
    ),
    (
        &[50_196],
        ErrorKind::Throttled,
        "the same sign-in came too often; wait some minutes, and look for another program that \
         signs in as application {app} in a loop",
    ),
    (
        &[50_087],
        ErrorKind::Unavailable,
        "the directory had a passing fault; try again later",
    ),
    (
        &[501_481, 50_147, 501_491, 90_014],
        ErrorKind::Internal,
        "the request was not well-formed; this is a defect of the connector",
    ),
];
