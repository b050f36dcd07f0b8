//! How a token is come by.
//!
//! The authority is the one that the settings name, else the one that the environment names
//! in its challenge, if it is one of those that the settings allow. A token is asked for once,
//! shared by all callers, and renewed before it expires.
//!
//! A *grant* is what a token is given for: an application's own word, a person's refresh
//! token, a code from a browser or a device. A *credential* is how the application proves
//! that it is the one that asks. Both add parameters to one *form*, and *exchange* sends it.

mod authority;
mod certificate;
mod challenge;
mod credential;
mod exchange;
mod form;
mod grant;
pub(crate) mod interactive;
mod issuer;
mod meanings;
mod ready;
mod refusal;
mod shared;
mod store;
mod token;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use url::Url;

pub(crate) use challenge::Challenged;
pub(crate) use token::Token;

use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::retry::Patience;
use crate::settings::{Auth, Settings};
use issuer::Issuer;
use shared::Shared;

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
        Self {
            issuer: Rc::new(Issuer::new(host, settings, resource)),
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
        let outcome = self.renew(one_attempt).await;
        let now = self.issuer.host.elapsed();
        let error = match outcome {
            Ok(renewed) => {
                if !renewed.is_fresh(now) {
                    // Whoever keeps the token ready has not renewed it yet.
                    self.current.borrow_mut().not_before = now + RENEWAL_PAUSE;
                }
                return Ok(renewed);
            }
            Err(error) => error,
        };
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
        let token = self.token(patience).await?;
        match &self.issuer.settings.auth {
            Auth::AccessToken(name) if token.is_same(refused) => {
                // The next call looks for another one.
                self.current.borrow_mut().token = None;
                Err(ready::refused(name, &self.issuer.settings.environment))
            }
            _ => Ok(token),
        }
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

#[cfg(test)]
mod tests;
