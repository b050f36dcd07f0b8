//! Requests to the Web API: signed in, patient, polite.

mod post;

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::environment::Environment;
use super::fault::Fault;
use super::inflate::{InflateError, gunzip};
use super::link::Link;
use super::message::{Answer, Prefer};
use super::negotiation::Negotiation;
use super::throttle::Restraint;
use crate::auth::{Authenticator, Challenged, Token};
use crate::error::{Error, ErrorKind, Recovery};
use crate::host::{Header, Host, HttpError, Method, Request, Response};
use crate::retry::{Budget, Patience, Repeat, retry_after, seconds_up};
use crate::settings::Settings;
use crate::text::without_byte_order_mark;
use crate::uuid::random_uuid;

pub(crate) use post::Twice;

/// The largest answer, compressed or inflated, unless the caller accepts less.
const MAX_BODY: usize = 24 << 20;

/// How the connector names itself to the service.
const USER_AGENT: &str = concat!("dataverse-connector/", env!("CARGO_PKG_VERSION"));

/// A client of one environment's Web API. Clones share tokens and restraint.
pub struct Client<H> {
    shared: Rc<Shared<H>>,
    patience: Patience,
    max_body: usize,
}

struct Shared<H> {
    host: Rc<H>,
    settings: Settings,
    negotiation: Negotiation,
    authenticator: Authenticator<H>,
    restraint: Rc<Restraint>,
    /// Whether the environment has ever answered.
    reached: Cell<bool>,
}

impl<H> Clone for Client<H> {
    fn clone(&self) -> Self {
        Self {
            shared: Rc::clone(&self.shared),
            patience: self.patience,
            max_body: self.max_body,
        }
    }
}

impl<H: Host> Client<H> {
    /// A client that has not yet signed in; nothing is sent.
    pub fn new(host: Rc<H>, settings: Settings) -> Self {
        let negotiation = Negotiation::new(&settings);
        let api_root = negotiation.environment().api_root().clone();
        let authenticator = Authenticator::new(Rc::clone(&host), &settings, api_root);
        let restraint = Rc::new(Restraint::new(settings.limits.max_concurrency));
        let patience = Patience::of(&settings);
        let reached = Cell::new(false);
        let shared = Shared {
            host,
            settings,
            negotiation,
            authenticator,
            restraint,
            reached,
        };
        Self {
            shared: Rc::new(shared),
            patience,
            max_body: MAX_BODY,
        }
    }

    /// The same client, which waits no longer than this in one call.
    #[must_use]
    pub(crate) fn waiting_at_most(mut self, max_wait: Duration) -> Self {
        self.patience.max_wait = self.patience.max_wait.min(max_wait);
        self
    }

    /// The same client, which accepts no answer above this many bytes.
    #[must_use]
    pub(crate) fn accepting_at_most(mut self, max_body: usize) -> Self {
        self.max_body = self.max_body.min(max_body);
        self
    }

    /// The ports.
    pub fn host(&self) -> &Rc<H> {
        &self.shared.host
    }

    /// The settings of the connection.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Where the Web API is; once the environment has answered, at the version that it
    /// speaks.
    pub fn environment(&self) -> &Environment {
        self.shared.negotiation.environment()
    }

    pub(super) fn negotiation(&self) -> &Negotiation {
        &self.shared.negotiation
    }

    /// How many requests at once seem welcome to the service now.
    pub(crate) fn welcome(&self) -> usize {
        self.shared.restraint.limit()
    }

    /// How many more requests may be sent ahead of need now. A request whose answer is needed
    /// goes ahead in any case: it never waits for another one.
    pub fn room(&self) -> usize {
        self.shared.restraint.room(self.shared.host.elapsed())
    }

    /// The address of a resource below the API root, percent-encoded as
    /// [`query`](super::query) does it.
    ///
    /// # Errors
    /// `Unsupported` when it is longer than the service takes.
    pub fn resource(&self, path_and_query: &str) -> Result<Link, Error> {
        Link::resource(self.environment(), path_and_query)
    }

    /// A `nextLink` or `deltaLink` as the service sent it.
    ///
    /// # Errors
    /// `Unavailable` when it leads elsewhere than below the API root.
    pub fn link(&self, absolute: &str) -> Result<Link, Error> {
        Link::received(self.environment(), absolute)
    }

    /// What the environment answers to a request without a token.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(crate) async fn challenge(&self) -> Result<Challenged, Error> {
        self.shared.authenticator.challenge(self.patience).await
    }

    /// Signs in, unless there is a good token already. Tells how long the token was good for
    /// when it came, if that is known.
    ///
    /// # Errors
    /// Why there is no token.
    pub(crate) async fn sign_in(&self) -> Result<Option<Duration>, Error> {
        self.shared
            .authenticator
            .token(self.patience)
            .await
            .map(|token| token.life())
    }

    /// Reads a resource at the version that the link names; else as [`get`](Self::get).
    pub(super) async fn fetch(&self, link: &Link, prefer: &Prefer) -> Result<Answer, Error> {
        let Shared {
            host,
            authenticator,
            restraint,
            ..
        } = &*self.shared;
        let mut budget = Budget::new(self.patience);
        let mut refused = false;
        let mut token = authenticator.token(self.patience).await?;
        loop {
            let quiet = restraint.quiet_for(host.elapsed());
            if !quiet.is_zero() {
                if !budget.wait(quiet) {
                    return Err(throttled(link, quiet));
                }
                host.sleep(quiet).await;
                token = authenticator.token(self.patience).await?;
            }
            let flight = restraint.depart();
            let began = host.elapsed();
            let outcome = host.send(self.request(link, prefer, &token)).await;
            drop(flight);
            let took = host.elapsed().saturating_sub(began);
            let failure = match self.judge(link, outcome, &token) {
                Ok(answer) => {
                    restraint.welcomed(answer.dop_hint);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            if failure.is_unauthenticated() && !refused {
                refused = true;
                token = authenticator.replace(&token, self.patience).await?;
                continue;
            }
            if failure.error.kind == ErrorKind::Throttled {
                restraint.rebuffed(host.elapsed(), failure.error.retry_after);
            }
            let asked = failure.error.retry_after;
            match budget.pause_after(took, failure.repeat, asked, &**host) {
                Some(pause) => host.sleep(pause).await,
                None => return Err(failure.error),
            }
            token = authenticator.token(self.patience).await?;
        }
    }

    /// Reads a resource and parses it.
    ///
    /// # Errors
    /// As for [`get`](Self::get), and `Unavailable` when the body is not what was expected. A
    /// body that is cut off or damaged is asked for again, as after a lost connection.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        link: &Link,
        prefer: &Prefer,
    ) -> Result<T, Error> {
        let host = &*self.shared.host;
        let mut budget = Budget::new(self.patience);
        loop {
            let answer = self.get(link, prefer).await?;
            let error = match serde_json::from_slice(&answer.body) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let repeat = match error.classify() {
                Category::Eof | Category::Syntax => Repeat::Few,
                Category::Data | Category::Io => Repeat::Never,
            };
            match budget.pause_after(Duration::ZERO, repeat, None, host) {
                Some(pause) => host.sleep(pause).await,
                None => return Err(unreadable(link, &error)),
            }
        }
    }

    fn request(&self, link: &Link, prefer: &Prefer, token: &Token) -> Request {
        // The ordinary headers of reference 1.1. No cookie is ever sent back: affinity would
        // tie all requests to one server, and its limits.
        let mut headers = vec![
            Header::new("Authorization", token.to_header()),
            Header::new("Accept", "application/json"),
            Header::new("Accept-Encoding", self.encoding()),
            Header::new("OData-MaxVersion", "4.0"),
            Header::new("OData-Version", "4.0"),
            Header::new("If-None-Match", "null"),
            Header::new("User-Agent", USER_AGENT),
            Header::new("x-ms-client-request-id", random_uuid(&*self.shared.host)),
        ];
        headers.extend(prefer.to_header().map(|value| Header::new("Prefer", value)));
        Request {
            method: Method::Get,
            target: link.target().clone(),
            headers,
            body: None,
            idle_timeout: self.patience.request_timeout,
            max_body: self.max_body,
        }
    }

    /// Which coding of bodies is asked for. Within one machine, packing and unpacking costs
    /// more than it saves.
    fn encoding(&self) -> &'static str {
        if self.shared.settings.environment.is_loopback() {
            "identity"
        } else {
            "gzip"
        }
    }

    /// Tells an answer from a failure, and how often the failure is worth repeating.
    fn judge(
        &self,
        link: &Link,
        outcome: Result<Response, HttpError>,
        token: &Token,
    ) -> Result<Answer, Failure> {
        let mut response = outcome.map_err(|error| self.unanswered(link, &error))?;
        self.shared.reached.set(true);
        let body = std::mem::take(&mut response.body);
        let body = inflated(response.header("content-encoding"), body, self.max_body);
        if (200..300).contains(&response.status) {
            return match body {
                Ok(body) => Ok(Answer::new(&response, body)),
                Err(error) => Err(spoilt(link, error)),
            };
        }
        // An error whose body is spoilt still has its status.
        let body = body.unwrap_or_default();
        let fault = Fault::read(&response, &body, |text| token.scrub(text));
        let asked = response
            .header("retry-after")
            .and_then(|value| retry_after(value, self.shared.host.unix_time()));
        let repeat = fault.repeat();
        Err(Failure {
            repeat,
            error: fault.into_error(&format!("cannot read {}", link.resource_name()), asked),
        })
    }

    fn unanswered(&self, link: &Link, error: &HttpError) -> Failure {
        if let HttpError::TooLarge(limit) = error {
            return spoilt(link, InflateError::TooLarge(*limit));
        }
        let what = format!("{} of the environment", link.resource_name());
        let url = self.environment().api_root();
        let repeat = match error.is_transient() {
            true if self.shared.reached.get() => Repeat::Patiently,
            // An address that has never answered is more likely wrong than at rest.
            true => Repeat::Few,
            false => Repeat::Never,
        };
        Failure {
            repeat,
            error: Error::unreachable(&what, url, error),
        }
    }
}

/// An attempt that gave no answer.
struct Failure {
    error: Error,
    repeat: Repeat,
}

impl Failure {
    fn is_unauthenticated(&self) -> bool {
        self.error
            .fault
            .as_ref()
            .is_some_and(|fault| fault.status == 401)
    }
}

/// The body as it was before it was compressed, without a byte order mark.
fn inflated(coding: Option<&str>, body: Vec<u8>, max_body: usize) -> Result<Vec<u8>, InflateError> {
    let mut body = match coding.unwrap_or_default().trim() {
        coding if coding.is_empty() || coding.eq_ignore_ascii_case("identity") => Ok(body),
        coding if coding.eq_ignore_ascii_case("gzip") => gunzip(&body, max_body),
        // Nothing else was asked for, so it is as good as noise.
        _ => Err(InflateError::Broken),
    }?;
    let mark = body.len() - without_byte_order_mark(&body).len();
    body.drain(..mark);
    Ok(body)
}

fn spoilt(link: &Link, error: InflateError) -> Failure {
    let what = link.resource_name();
    match error {
        InflateError::Broken => Failure {
            repeat: Repeat::Patiently,
            error: Error::new(
                ErrorKind::Unavailable,
                format!("cannot read {what}: {error}; check any proxy between, or try again later"),
            ),
        },
        InflateError::TooLarge(_) => Failure {
            repeat: Repeat::Never,
            error: Error::new(
                ErrorKind::Unsupported,
                format!("cannot read {what}: {error}; ask for smaller pages or fewer columns"),
            )
            .with_recovery(Recovery::SmallerPages),
        },
    }
}

/// The error for an answer that is not what was asked for.
pub(crate) fn unreadable(link: &Link, reason: &dyn fmt::Display) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!(
            "the answer for {} cannot be read ({reason}); check any proxy between, or try again \
             later",
            link.resource_name()
        ),
    )
}

fn throttled(link: &Link, quiet: Duration) -> Error {
    Error::new(
        ErrorKind::Throttled,
        format!(
            "cannot read {} yet: Dataverse asked for {} seconds without requests, longer than \
             this call may wait; try again then",
            link.resource_name(),
            seconds_up(quiet)
        ),
    )
    .with_retry_after(quiet)
}

#[cfg(test)]
mod tests;
