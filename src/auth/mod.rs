//! Obtaining tokens.
//!
//! The authority is the one that the settings name, else the one that the environment names
//! in its challenge, if it is one of those that the settings allow. A token is requested once,
//! shared by all callers, and renewed before it expires.
//!
//! A *grant* is what a token is issued for: an application's own credential, a person's refresh
//! token, a code from a browser or a device. A *credential* is how the application
//! authenticates. Both add parameters to one *form*, and a *token request* sends it.

mod authority;
mod certificate;
mod challenge;
mod credential;

mod form;
mod grant;
pub(crate) mod interactive;
mod issuer;
mod meanings;
mod ready;
mod rejection;
mod rotation;
mod shared;
mod store;
mod token;
mod token_request;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use url::Url;

pub(crate) use challenge::Challenged;
pub(crate) use token::Token;

use crate::call::{Budget, RetryPolicy};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::settings::{Auth, Settings};
use issuer::Issuer;
use shared::Shared;

/// How long to wait after an early renewal has failed, unless the authority says how long.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// Requests tokens for one environment and keeps the current one.
pub(crate) struct Authenticator<H> {
    issuer: Rc<Issuer<H>>,
    current: RefCell<Current>,
}

#[derive(Default)]
struct Current {
    token: Option<Rc<Token>>,
    /// A renewal in progress: every caller that needs a token waits for this one.
    renewal: Option<Renewal>,
    /// A valid token is not renewed before this time, on the clock's `elapsed` scale.
    not_before: Duration,
}

#[derive(Clone)]
struct Renewal {
    /// The policy of the caller that started it.
    policy: RetryPolicy,
    outcome: Shared<Outcome>,
}

/// What a renewal has given, and what it has spent on failed attempts and on pauses.
#[derive(Clone)]
struct Outcome {
    token: Result<Rc<Token>, Error>,
    spent: Duration,
}

impl<H: Host> Authenticator<H> {
    /// `resource` is an address of the environment that requires a token.
    pub(crate) fn new(host: Rc<H>, settings: &Settings, resource: Url) -> Self {
        Self {
            issuer: Rc::new(Issuer::new(host, settings, resource)),
            current: RefCell::default(),
        }
    }

    /// A token that need not be renewed yet, or one that is still valid while the authority fails
    /// temporarily.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) async fn token(&self, budget: &mut Budget) -> Result<Rc<Token>, Error> {
        let now = self.issuer.host.elapsed();
        let current = self.current.borrow().token.clone();
        match current {
            Some(token) if token.is_fresh(now) => Ok(token),
            Some(token) if token.is_valid(now) => self.renew_early(token, budget).await,
            _ => self.renew(budget).await,
        }
    }

    /// Renews a token that is still valid: in one attempt, because no call needs a new one yet.
    async fn renew_early(&self, token: Rc<Token>, budget: &mut Budget) -> Result<Rc<Token>, Error> {
        if self.issuer.host.elapsed() < self.current.borrow().not_before {
            return Ok(token);
        }
        let one_attempt = RetryPolicy {
            max_wait: Duration::ZERO,
            ..budget.left()
        };
        let outcome = self.renew(&mut Budget::new(one_attempt)).await;
        let now = self.issuer.host.elapsed();
        let error = match outcome {
            Ok(renewed) => {
                if !renewed.is_fresh(now) {
                    // The platform that stores the token has not renewed it yet.
                    self.current.borrow_mut().not_before = now + RENEWAL_PAUSE;
                }
                return Ok(renewed);
            }
            Err(error) => error,
        };
        if !is_temporary(&error) {
            return Err(error);
        }
        if !token.is_valid(now) {
            // It expired while it was being renewed.
            return self.renew(budget).await;
        }
        let pause = error.retry_after.unwrap_or(RENEWAL_PAUSE);
        self.current.borrow_mut().not_before = now + pause;
        Ok(token)
    }

    /// A token other than this one, which the environment has rejected.
    ///
    /// # Errors
    /// If there is no token.
    pub(crate) async fn replace(
        &self,
        rejected: &Rc<Token>,
        budget: &mut Budget,
    ) -> Result<Rc<Token>, Error> {
        // Another caller may have renewed it already.
        let is_current = |token: &Rc<Token>| Rc::ptr_eq(token, rejected);
        if self.current.borrow().token.as_ref().is_some_and(is_current) {
            self.current.borrow_mut().token = None;
        }
        let token = self.token(budget).await?;
        match &self.issuer.settings.auth {
            Auth::AccessToken(name) if token.is_same(rejected) => {
                // The next call reads the secret again.
                self.current.borrow_mut().token = None;
                Err(ready::rejected(name, &self.issuer.settings.environment))
            }
            _ => Ok(token),
        }
    }

    async fn renew(&self, budget: &mut Budget) -> Result<Rc<Token>, Error> {
        loop {
            let policy = budget.left();
            let renewal = self
                .current
                .borrow_mut()
                .renewal
                .get_or_insert_with(|| {
                    let issuer = Rc::clone(&self.issuer);
                    let issue = async move {
                        let mut budget = Budget::new(policy);
                        let token = grant::token(&issuer, &mut budget).await.map(Rc::new);
                        let spent = budget.spent();
                        Outcome { token, spent }
                    };
                    Renewal {
                        policy,
                        outcome: Shared::new(issue),
                    }
                })
                .clone();
            let Outcome { token, spent } = renewal.outcome.clone().await;
            budget.charge(spent);
            self.conclude(&renewal, &token);
            match token {
                // The caller that started it could not wait as long.
                Err(error) if is_temporary(&error) && renewal.policy.max_wait < policy.max_wait => {
                }
                token => return token,
            }
        }
    }

    /// Stores the token for all callers. The first caller that receives it does this.
    fn conclude(&self, renewal: &Renewal, issued: &Result<Rc<Token>, Error>) {
        let mut current = self.current.borrow_mut();
        let is_latest = |latest: &Renewal| latest.outcome.is(&renewal.outcome);
        if current.renewal.as_ref().is_some_and(is_latest) {
            current.renewal = None;
            if let Ok(token) = issued {
                current.token = Some(Rc::clone(token));
            }
        }
    }

    /// How the environment responds to a request without a token.
    ///
    /// # Errors
    /// If there is no response.
    pub(crate) async fn challenge(&self, budget: &mut Budget) -> Result<Challenged, Error> {
        self.issuer.challenge(budget).await
    }
}

/// Whether the same call may succeed later.
fn is_temporary(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Throttled | ErrorKind::Unavailable)
}

#[cfg(test)]
mod tests;
