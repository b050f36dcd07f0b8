//! How a token is come by.
//!
//! The authority is the one that the settings name, else the one that the environment names
//! in its challenge, if it is one of those that the settings allow. A token is asked for once,
//! shared by all callers, and renewed before it expires.

mod authority;
mod challenge;
mod client_credentials;
mod entra;
mod shared;
mod token;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use url::Url;

use authority::Authority;
pub(crate) use challenge::Challenged;
pub(crate) use token::Token;

use crate::error::{Error, ErrorKind};
use crate::host::{Clock, Header, Host, HttpError, Method, Request, Response, Target};
use crate::retry::{Budget, Patience, Repeat, retry_after};
use crate::settings::Settings;
use shared::Shared;

/// No answer that belongs to signing in is larger.
const MAX_BODY: usize = 1024 * 1024;
/// How long the authority is left alone after an early renewal has failed, unless it says so
/// itself.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// Asks for tokens for one environment and keeps the current one.
pub(crate) struct Authenticator<H> {
    issuer: Rc<Issuer<H>>,
    current: RefCell<Current>,
}

#[derive(Default)]
struct Current {
    token: Option<Rc<Token>>,
    /// A renewal under way: whoever needs a token waits for this one.
    renewal: Option<Renewal>,
    /// No earlier than this is a token renewed that is still valid, on the clock's `elapsed`
    /// scale.
    not_before: Duration,
}

#[derive(Clone)]
struct Renewal {
    /// That of the caller who began it.
    patience: Patience,
    outcome: Shared<Result<Rc<Token>, Error>>,
}

impl<H: Host> Authenticator<H> {
    /// `resource` is an address of the environment that wants a token.
    pub(crate) fn new(host: Rc<H>, settings: &Settings, resource: Url) -> Self {
        let issuer = Issuer {
            host,
            settings: settings.clone(),
            resource,
            challenged: RefCell::default(),
            proven: Cell::new(false),
        };
        Self {
            issuer: Rc::new(issuer),
            current: RefCell::default(),
        }
    }

    /// A token that is good for some time yet, or at least for now while the authority has a
    /// passing fault.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn token(&self, patience: Patience) -> Result<Rc<Token>, Error> {
        let now = self.issuer.host.elapsed();
        let current = self.current.borrow().token.clone();
        match current {
            Some(token) if token.is_fresh(now) => Ok(token),
            Some(token) if token.is_valid(now) => self.renew_early(token, patience).await,
            _ => self.renew(patience).await,
        }
    }

    /// Renews a token that is still valid: in one attempt, because nobody needs a new one yet.
    async fn renew_early(&self, token: Rc<Token>, patience: Patience) -> Result<Rc<Token>, Error> {
        if self.issuer.host.elapsed() < self.current.borrow().not_before {
            return Ok(token);
        }
        let one_attempt = Patience {
            max_wait: Duration::ZERO,
            ..patience
        };
        let error = match self.renew(one_attempt).await {
            Ok(renewed) => return Ok(renewed),
            Err(error) => error,
        };
        let now = self.issuer.host.elapsed();
        if !is_passing(&error) {
            return Err(error);
        }
        if !token.is_valid(now) {
            // It expired while it was to be renewed.
            return self.renew(patience).await;
        }
        let pause = error.retry_after.unwrap_or(RENEWAL_PAUSE);
        self.current.borrow_mut().not_before = now + pause;
        Ok(token)
    }

    /// A token other than this one, which the environment has refused.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn replace(
        &self,
        refused: &Rc<Token>,
        patience: Patience,
    ) -> Result<Rc<Token>, Error> {
        // Another caller may have been refused, and have renewed it, before.
        let is_current = |token: &Rc<Token>| Rc::ptr_eq(token, refused);
        if self.current.borrow().token.as_ref().is_some_and(is_current) {
            self.current.borrow_mut().token = None;
        }
        self.token(patience).await
    }

    async fn renew(&self, patience: Patience) -> Result<Rc<Token>, Error> {
        loop {
            let renewal = self
                .current
                .borrow_mut()
                .renewal
                .get_or_insert_with(|| {
                    let issuer = Rc::clone(&self.issuer);
                    let issue = async move { issuer.issue(patience).await.map(Rc::new) };
                    Renewal {
                        patience,
                        outcome: Shared::new(issue),
                    }
                })
                .clone();
            let outcome = renewal.outcome.clone().await;
            self.conclude(&renewal, &outcome);
            match outcome {
                // It was begun by somebody who could not wait as long.
                Err(error)
                    if is_passing(&error) && renewal.patience.max_wait < patience.max_wait => {}
                outcome => return outcome,
            }
        }
    }

    /// Keeps the token for all. The first of the callers that waited for it does so.
    fn conclude(&self, renewal: &Renewal, outcome: &Result<Rc<Token>, Error>) {
        let mut current = self.current.borrow_mut();
        let is_latest = |latest: &Renewal| latest.outcome.is(&renewal.outcome);
        if current.renewal.as_ref().is_some_and(is_latest) {
            current.renewal = None;
            if let Ok(token) = outcome {
                current.token = Some(Rc::clone(token));
            }
        }
    }

    /// What the environment answers to a request without a token.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(crate) async fn challenge(&self, patience: Patience) -> Result<Challenged, Error> {
        self.issuer.challenge(patience).await
    }
}

/// Whether the same attempt may succeed later.
fn is_passing(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Throttled | ErrorKind::Unavailable)
}

/// Asks the authority for a token.
struct Issuer<H> {
    host: Rc<H>,
    settings: Settings,
    resource: Url,
    challenged: RefCell<Option<Challenged>>,
    /// Whether signing in has ever worked.
    proven: Cell<bool>,
}

impl<H: Host> Issuer<H> {
    async fn issue(&self, patience: Patience) -> Result<Token, Error> {
        let authority = match Authority::from_settings(&self.settings) {
            Some(authority) => authority,
            None => Authority::discovered(&self.settings, &self.challenge(patience).await?)?,
        };
        let token = client_credentials::issue(self, &authority, patience).await?;
        self.proven.set(true);
        Ok(token)
    }

    async fn challenge(&self, patience: Patience) -> Result<Challenged, Error> {
        if let Some(challenged) = self.challenged.borrow().clone() {
            return Ok(challenged);
        }
        let request = || {
            let headers = vec![Header::new("Accept", "application/json")];
            self.request(Method::Get, &self.resource, headers, None)
        };
        let response = self
            .send(request, patience, |response| {
                matches!(response.status, 429 | 500 | 502..=504).then_some(Pause::Drawn)
            })
            .await
            .map_err(|error| Error::unreachable("the environment", &self.resource, &error))?;
        let challenged = Challenged::read(&response);
        // Only a proper challenge is worth remembering.
        if matches!(challenged, Challenged::Bearer(_)) {
            *self.challenged.borrow_mut() = Some(challenged.clone());
        }
        Ok(challenged)
    }

    fn request(
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

    /// Sends a request again until it is answered, or patience ends. Gives the last answer.
    async fn send(
        &self,
        request: impl Fn() -> Request,
        patience: Patience,
        transient: impl Fn(&Response) -> Option<Pause>,
    ) -> Result<Response, HttpError> {
        let mut budget = Budget::new(patience);
        loop {
            let began = self.host.elapsed();
            let outcome = self.host.send(request()).await;
            let took = self.host.elapsed().saturating_sub(began);
            let (repeat, asked) = match &outcome {
                Ok(response) => match transient(response) {
                    Some(pause) => (Repeat::Patiently, pause.asked(response, &*self.host)),
                    None => return outcome,
                },
                Err(error) if !error.is_transient() => return outcome,
                Err(_) if self.proven.get() => (Repeat::Patiently, None),
                // An address that has never answered is more likely wrong than at rest.
                Err(_) => (Repeat::Few, None),
            };
            match budget.pause_after(took, repeat, asked, &*self.host) {
                Some(pause) => self.host.sleep(pause).await,
                None => return outcome,
            }
        }
    }
}

/// How long to wait when the answer itself does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
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

#[cfg(test)]
mod tests;
