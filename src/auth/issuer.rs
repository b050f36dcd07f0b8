//! Asking the environment and the authority, patiently.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use url::Url;

use super::authority::Authority;
use super::challenge::Challenged;
use super::grant::{self, Rotation};
use super::ready;
use super::token::Token;
use crate::error::Error;
use crate::host::{Clock, Header, Host, Method, Request, Response, Target};
use crate::retry::{Budget, Patience, Repeat, retry_after};
use crate::settings::{ApiVersion, Auth, Settings};

/// No answer that belongs to signing in is larger.
const MAX_BODY: usize = 1024 * 1024;

/// Asks the authority for tokens of one environment.
pub(super) struct Issuer<H> {
    pub(super) host: Rc<H>,
    pub(super) settings: Settings,
    /// An address of the environment that wants a token.
    resource: Url,
    challenged: RefCell<Option<Challenged>>,
    /// Whether older versions of the Web API have been tried.
    has_looked_back: Cell<bool>,
    /// Whether signing in has ever worked.
    proven: Cell<bool>,
    pub(super) rotation: Rotation,
}

impl<H: Host> Issuer<H> {
    pub(super) fn new(host: Rc<H>, settings: &Settings, resource: Url) -> Self {
        Self {
            host,
            settings: settings.clone(),
            resource,
            challenged: RefCell::default(),
            has_looked_back: Cell::default(),
            proven: Cell::new(false),
            rotation: Rotation::default(),
        }
    }

    /// A new token, in the way that the settings say.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn issue(&self, patience: Patience) -> Result<Token, Error> {
        let token = match &self.settings.auth {
            Auth::Application(application) => {
                grant::as_application(self, application, patience).await
            }
            Auth::Delegated(delegated) => grant::by_refresh(self, delegated, patience).await,
            Auth::AccessToken(name) => ready::token(&*self.host, name),
        }?;
        self.proven.set(true);
        Ok(token)
    }

    /// Who issues the tokens.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub(super) async fn authority(&self, patience: Patience) -> Result<Authority, Error> {
        match Authority::from_settings(&self.settings) {
            Some(authority) => Ok(authority),
            None => Authority::discovered(&self.settings, &self.challenge(patience).await?),
        }
    }

    /// What the environment answers to a request without a token.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(super) async fn challenge(&self, patience: Patience) -> Result<Challenged, Error> {
        if let Some(challenged) = self.challenged.borrow().clone() {
            return Ok(challenged);
        }
        // Some servers look for the version before they look for a token.
        let older: &[ApiVersion] = match self.settings.api_version {
            None if !self.has_looked_back.get() => &ApiVersion::OLDER,
            _ => &[],
        };
        let mut older = older.iter();
        let mut url = self.resource.clone();
        let challenged = loop {
            let to = Recipient {
                what: "the environment",
                url: &url,
            };
            let request = || {
                let headers = vec![Header::new("Accept", "application/json")];
                Ok(self.request(Method::Get, to.url, headers, None))
            };
            let transient = |response: &Response| {
                matches!(response.status, 429 | 500 | 502..=504).then_some(Pause::Drawn)
            };
            let response = self.send(to, patience, request, transient).await?;
            let version = older.next();
            match version.filter(|_| matches!(response.status, 400 | 404 | 501)) {
                Some(version) => {
                    self.has_looked_back.set(true);
                    let path = self.resource.path().rsplit_once("/v");
                    let path = path.map_or("", |(path, _)| path);
                    url.set_path(&format!("{path}/v{version}/"));
                }
                None => break Challenged::read(&response),
            }
        };
        // Only a proper challenge is worth remembering.
        if matches!(challenged, Challenged::Bearer(_)) {
            *self.challenged.borrow_mut() = Some(challenged.clone());
        }
        Ok(challenged)
    }

    pub(super) fn request(
        &self,
        method: Method,
        url: &Url,
        mut headers: Vec<Header>,
        body: Option<Vec<u8>>,
    ) -> Request {
        // Hosts send a body in chunks unless its length is told, and some servers and proxies
        // take no request in chunks.
        headers.extend(
            body.as_ref()
                .map(|body| Header::new("Content-Length", body.len().to_string())),
        );
        Request {
            method,
            target: Target::from(url),
            headers,
            body,
            idle_timeout: self.settings.limits.request_timeout,
            max_body: MAX_BODY,
        }
    }

    /// Makes a request and sends it, again and again until it is answered, or patience ends.
    /// Gives the last answer.
    ///
    /// # Errors
    /// Why a request could not be made, or why there is no answer.
    pub(super) async fn send(
        &self,
        to: Recipient<'_>,
        patience: Patience,
        mut request: impl FnMut() -> Result<Request, Error>,
        transient: impl Fn(&Response) -> Option<Pause>,
    ) -> Result<Response, Error> {
        let mut budget = Budget::new(patience);
        loop {
            let began = self.host.elapsed();
            let outcome = self.host.send(request()?).await;
            let took = self.host.elapsed().saturating_sub(began);
            let (repeat, asked) = match &outcome {
                Ok(response) => match transient(response) {
                    Some(pause) => (Repeat::Patiently, pause.asked(response, &*self.host)),
                    None => (Repeat::Never, None),
                },
                Err(error) if !error.is_transient() => (Repeat::Never, None),
                Err(_) if self.proven.get() => (Repeat::Patiently, None),
                // An address that has never answered is more likely wrong than at rest.
                Err(_) => (Repeat::Few, None),
            };
            match budget.pause_after(took, repeat, asked, &*self.host) {
                Some(pause) => self.host.sleep(pause).await,
                None => {
                    return outcome.map_err(|error| Error::unreachable(to.what, to.url, &error));
                }
            }
        }
    }
}

/// Who is asked; the words are for messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipient<'a> {
    pub(super) what: &'static str,
    pub(super) url: &'a Url,
}

/// How long to wait when the answer itself does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    Drawn,
    Fixed(Duration),
}

impl Pause {
    fn asked(self, response: &Response, clock: &impl Clock) -> Option<Duration> {
        let header = response.header("retry-after");
        header
            .and_then(|value| retry_after(value, clock.unix_time()))
            .or(match self {
                Self::Drawn => None,
                Self::Fixed(pause) => Some(pause),
            })
    }
}
