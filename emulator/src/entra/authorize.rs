//! The authorization endpoint: what it is asked, and what it sends back (reference §2.4).

use axum::{body::Body, http::Response};
use uuid::Uuid;

use super::{
    Application, Entra, Person, Platform, adfs,
    answer::{form_post, redirect},
    error::{EntraError, Identifiers},
    issued::{Challenge, Grant},
    place::{Dialect, Place},
    request::Parameters,
    scope::Requested,
    session::SignedIn,
};

/// A request for a code that may be answered to its application.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    pub(super) client_id: Uuid,
    pub(super) platform: Platform,
    pub(super) reply: Reply,
    pub(super) requested: Requested,
    pub(super) prompt: Prompt,
    pub(super) login_hint: Option<String>,
    challenge: Option<Challenge>,
    nonce: Option<String>,
}

/// Where and how an application wants its answer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) redirect_uri: String,
    pub(super) mode: ResponseMode,
    pub(super) state: Option<String>,
}

/// How the answer travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

/// What the person is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    /// What is not known yet.
    Needed,
    /// Nothing: if something is not known, the application is told so.
    None,
    /// The password, although the person may be signed in.
    Login,
    /// Consent, although it may have been given.
    Consent,
    /// Which account.
    SelectAccount,
}

/// Why a request is not answered with a page.
pub(super) enum Refused {
    /// The application is not known, so nobody can be told but the person.
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
    pub(super) fn authorization(
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

    /// The application and the address it is answered at, which has to be one of its own.
    pub(super) fn reply_address(
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
            .ok_or_else(|| EntraError::redirect_uri(redirect_uri, &application))?;
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
    pub(super) fn send_code(
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
        // The browser's session, without what opens it.
        let session = crate::schema::metadata_id(&["session state", session]).to_string();
        reply.send(&[("code", &code), ("session_state", &session)])
    }

    /// Sends the browser back with a refusal.
    pub(super) fn send_error(
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

impl Reply {
    /// Sends these parameters, and the state, where the application wants them.
    pub(super) fn send(&self, parameters: &[(&str, &str)]) -> Response<Body> {
        let mut parameters = parameters.to_vec();
        parameters.extend(self.state.as_deref().map(|state| ("state", state)));
        match self.mode {
            ResponseMode::FormPost => form_post(&self.redirect_uri, &parameters),
            ResponseMode::Query | ResponseMode::Fragment => {
                let text = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(parameters)
                    .finish();
                let mark = match self.mode {
                    ResponseMode::Fragment => '#',
                    _ if self.redirect_uri.contains('?') => '&',
                    _ => '?',
                };
                redirect(&format!("{}{mark}{text}", self.redirect_uri))
            }
        }
    }
}

impl ResponseMode {
    fn parse(name: &str) -> Result<Self, EntraError> {
        match name {
            "query" => Ok(Self::Query),
            "fragment" => Ok(Self::Fragment),
            "form_post" => Ok(Self::FormPost),
            other => Err(EntraError::bad_parameter("response_mode", other)),
        }
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
