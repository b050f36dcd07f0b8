//! The authorization endpoint: requests and replies (reference §2.4).

use axum::{body::Body, http::Response};
use uuid::Uuid;

use super::{
    reply::{Reply, ResponseMode},
    signed_in::SignedIn,
};
use crate::entra::{
    Application, Entra, Person, Platform, adfs,
    error::{EntraError, Identifiers},
    issued::{Grant, challenge::Challenge},
    place::{Dialect, Place},
    request::Parameters,
    scope::Requested,
};

/// A valid request for a code.
#[derive(Debug, Clone)]
pub(in crate::entra) struct Authorization {
    pub(in crate::entra) client_id: Uuid,
    pub(in crate::entra) platform: Platform,
    pub(in crate::entra) reply: Reply,
    pub(in crate::entra) requested: Requested,
    pub(in crate::entra) prompt: Prompt,
    pub(in crate::entra) login_hint: Option<String>,
    challenge: Option<Challenge>,
    nonce: Option<String>,
}

/// The `prompt` parameter: what to ask the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::entra) enum Prompt {
    /// Only what is not known yet.
    Needed,
    /// Nothing: if something is not known, the application gets an error.
    None,
    /// The password, although the person may be signed in.
    Login,
    /// Consent, although it may have been given.
    Consent,
    /// Which account.
    SelectAccount,
}

/// Why a request gets an error instead of a page.
pub(in crate::entra) enum Refused {
    /// The application is unknown, so only the page can show the error.
    OnPage(EntraError),
    ToApplication(Box<Reply>, EntraError),
}

impl From<EntraError> for Refused {
    fn from(error: EntraError) -> Self {
        Self::OnPage(error)
    }
}

impl Entra {
    /// Reads a request of the authorization endpoint.
    pub(in crate::entra) fn authorization(
        &self,
        place: &Place<'_>,
        query: &Parameters,
    ) -> Result<Authorization, Refused> {
        let (application, redirect_uri, platform) = self.reply_address(place, query)?;
        let reply = Reply {
            redirect_uri,
            mode: ResponseMode::Query,
            state: query.get("state").map(str::to_owned),
        };
        match self.rest_of_authorization(place, query, &application, platform, reply.clone()) {
            Ok(authorization) => Ok(authorization),
            Err(error) => {
                let mode = query.get("response_mode").map(ResponseMode::parse);
                let mode = mode.and_then(Result::ok).unwrap_or(reply.mode);
                Err(Refused::ToApplication(
                    Box::new(Reply { mode, ..reply }),
                    error,
                ))
            }
        }
    }

    /// The application and its redirect URI, which must be registered.
    pub(in crate::entra) fn reply_address(
        &self,
        place: &Place<'_>,
        query: &Parameters,
    ) -> Result<(Application, String, Platform), EntraError> {
        let client_id = query.require("client_id")?;
        let application = self.read(|directory| {
            directory
                .application_for_people(client_id, place.tenant)
                .cloned()
        })?;
        let redirect_uri = query
            .get("redirect_uri")
            .ok_or_else(EntraError::no_redirect_uri)?;
        let platform = application
            .platform_of(redirect_uri)
            .ok_or_else(|| EntraError::redirect_uri(redirect_uri, application.client_id))?;
        Ok((application, redirect_uri.to_owned(), platform))
    }

    fn rest_of_authorization(
        &self,
        place: &Place<'_>,
        query: &Parameters,
        application: &Application,
        platform: Platform,
        mut reply: Reply,
    ) -> Result<Authorization, EntraError> {
        match query.require("response_type")? {
            "code" => {}
            other => return Err(EntraError::unsupported_response_type(other)),
        }
        if let Some(mode) = query.get("response_mode") {
            reply.mode = ResponseMode::parse(mode)?;
        }
        let requested = match place.dialect {
            Dialect::V2 => Requested::parse(query.require("scope")?)?,
            Dialect::V1 | Dialect::AdFs => Requested::resource(query.require("resource")?),
        };
        let tenant = place
            .tenant
            .unwrap_or_else(|| self.read(|directory| directory.home));
        self.read(|directory| directory.require_resource(&requested.audience, tenant))?;
        let method = query.get("code_challenge_method");
        let challenge = query
            .get("code_challenge")
            .map(|challenge| Challenge::parse(challenge, method))
            .transpose()?;
        Ok(Authorization {
            client_id: application.client_id,
            platform,
            reply,
            requested,
            prompt: Prompt::parse(query.get("prompt"))?,
            login_hint: query.get("login_hint").map(str::to_owned),
            challenge,
            nonce: query.get("nonce").map(str::to_owned),
        })
    }

    /// Sends the browser back with a code.
    pub(in crate::entra) fn send_code(
        &self,
        authorization: &Authorization,
        person: &Person,
        signed_in: &SignedIn,
        session: &str,
    ) -> Response<Body> {
        let grant = Grant {
            client_id: authorization.client_id,
            person: person.id,
            generation: signed_in.generation,
            signed_in: signed_in.at,
            second_factor: signed_in.second_factor,
            platform: authorization.platform,
            requested: authorization.requested.clone(),
            nonce: authorization.nonce.clone(),
        };
        let reply = &authorization.reply;
        let challenge = authorization.challenge.clone();
        let now = self.clock.now();
        let code = self.issued(|issued| issued.code(grant, &reply.redirect_uri, challenge, now));
        // A name for the session that does not reveal its cookie.
        let session = crate::schema::metadata_id(&["session state", session]).to_string();
        reply.send(&[("code", &code), ("session_state", &session)])
    }

    /// Sends the browser back with an error.
    pub(in crate::entra) fn send_error(
        &self,
        place: &Place<'_>,
        reply: &Reply,
        error: &EntraError,
    ) -> Response<Body> {
        if place.dialect == Dialect::AdFs {
            let (name, message) = adfs::wording(error);
            return reply.send(&[("error", name), ("error_description", &message)]);
        }
        let description = error.description(&Identifiers::new(self.clock.now()));
        let address = format!("{}/error?code={}", place.base, error.code());
        reply.send(&[
            ("error", error.error()),
            ("error_description", &description),
            ("error_uri", &address),
        ])
    }
}

impl Prompt {
    fn parse(name: Option<&str>) -> Result<Self, EntraError> {
        match name {
            None => Ok(Self::Needed),
            Some("none") => Ok(Self::None),
            Some("login") => Ok(Self::Login),
            Some("consent") => Ok(Self::Consent),
            Some("select_account") => Ok(Self::SelectAccount),
            Some(other) => Err(EntraError::bad_parameter("prompt", other)),
        }
    }
}
