//! Requests to the Web API: signed in, patient, polite.

mod answer;
mod post;

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::batch::{Asked, BATCH};
use super::environment::Environment;
use super::link::{Link, is_raw};
use super::message::{Answer, Prefer};
use super::negotiation::Negotiation;
use super::throttle::Restraint;
use crate::auth::{Authenticator, Challenged, Token};
use crate::error::{Error, ErrorKind};
use crate::host::{Header, Host, Method, Request, Target};
use crate::retry::{Budget, Patience, Repeat, seconds_up};
use crate::settings::Settings;
use crate::uuid::random_uuid;

pub(super) use answer::Failure;
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
    consistency: Consistency,
}

/// How new the metadata is that answers are made from (reference 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Consistency {
    /// As the service's caches have it, which lag about half a minute behind.
    Cached,
    /// As it is.
    Strong,
}

struct Shared<H> {
    host: Rc<H>,
    settings: Settings,
    negotiation: Negotiation,
    authenticator: Authenticator<H>,
    restraint: Rc<Restraint>,
    /// Whether the environment has ever answered.
    reached: Cell<bool>,
    /// Whether the environment takes batches, as far as is known.
    takes_batches: Cell<bool>,
}

impl<H> Clone for Client<H> {
    fn clone(&self) -> Self {
        Self {
            shared: Rc::clone(&self.shared),
            patience: self.patience,
            max_body: self.max_body,
            consistency: self.consistency,
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
        let shared = Shared {
            host,
            settings,
            negotiation,
            authenticator,
            restraint,
            reached: Cell::new(false),
            takes_batches: Cell::new(true),
        };
        Self {
            shared: Rc::new(shared),
            patience,
            max_body: MAX_BODY,
            consistency: Consistency::Cached,
        }
    }

    /// The same client, which waits no longer than this in one call.
    #[must_use]
    pub(crate) fn with_max_wait(mut self, max_wait: Duration) -> Self {
        self.patience.max_wait = self.patience.max_wait.min(max_wait);
        self
    }

    /// The same client, which accepts no answer above this many bytes.
    #[must_use]
    pub(crate) fn with_max_body(mut self, max_body: usize) -> Self {
        self.max_body = self.max_body.min(max_body);
        self
    }

    /// The same client, which reads past the caches that the service has of its metadata.
    #[must_use]
    pub(crate) fn strongly_consistent(mut self) -> Self {
        self.consistency = Consistency::Strong;
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
    pub(crate) fn concurrency(&self) -> usize {
        self.shared.restraint.limit()
    }

    /// How many more requests may be sent ahead of need now. A request whose answer is needed
    /// goes ahead in any case: it never waits for another one.
    pub fn spare_concurrency(&self) -> usize {
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

    /// Whether the environment takes batches, as far as is known.
    pub(super) fn takes_batches(&self) -> bool {
        self.shared.takes_batches.get()
    }

    /// Notes that the environment takes no batches.
    pub(super) fn batch_no_more(&self) {
        self.shared.takes_batches.set(false);
    }

    /// Reads what is asked for at the version that its link names; else as
    /// [`get`](Self::get).
    pub(super) async fn fetch(&self, asked: Asked<'_>, prefer: &Prefer) -> Result<Answer, Error> {
        let link = asked.link;
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
            let outcome = host.send(self.reading(asked, prefer, &token)).await;
            drop(flight);
            let took = host.elapsed().saturating_sub(began);
            let failure = match self.judge(asked, outcome, &token) {
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
            let wanted = failure.error.retry_after;
            match budget.pause_after(took, failure.repeat, wanted, &**host) {
                Some(pause) => host.sleep(pause).await,
                None => return Err(failure.error),
            }
            token = authenticator.token(self.patience).await?;
        }
    }

    /// Reads a resource whose body is JSON.
    ///
    /// # Errors
    /// As for [`get`](Self::get), and `Unavailable` when the body is not JSON. A body that is
    /// cut off or damaged is asked for again, as after a lost connection.
    pub async fn get_json(&self, link: &Link, prefer: &Prefer) -> Result<Vec<u8>, Error> {
        let host = &*self.shared.host;
        let mut budget = Budget::new(self.patience);
        loop {
            let answer = self.get(link, prefer).await?;
            let Err(malformed) = dataverse_rows::check(&answer.body) else {
                return Ok(answer.body);
            };
            match budget.pause_after(Duration::ZERO, Repeat::Few, None, host) {
                Some(pause) => host.sleep(pause).await,
                None => return Err(unreadable(link, &malformed)),
            }
        }
    }

    fn reading(&self, asked: Asked<'_>, prefer: &Prefer, token: &Token) -> Request {
        if asked.batched().is_empty() {
            return self.request(asked.link.target(), prefer.to_header(), token);
        }
        let boundary = format!("batch_{}", random_uuid(&*self.shared.host));
        let mut target = asked.link.target().clone();
        target.path_and_query = format!("{}{BATCH}", asked.link.root());
        // Without this the first part that fails would be the last one (reference 8.2).
        let go_on = "odata.continue-on-error".to_owned();
        let mut request = self.request(&target, Some(go_on), token);
        let content_type = format!("multipart/mixed; boundary=\"{boundary}\"");
        // Each part has headers of its own (reference 7.5).
        let mut headers: Vec<Header> = self.consistency().into_iter().collect();
        headers.extend(prefer.to_header().map(|value| Header::new("Prefer", value)));
        post::carry(&mut request, &content_type, asked.body(&boundary, &headers));
        request
    }

    fn request(&self, target: &Target, prefer: Option<String>, token: &Token) -> Request {
        let accept = if is_raw(&target.path_and_query) {
            "*/*"
        } else {
            "application/json"
        };
        // The ordinary headers of reference 1.1. No cookie is ever sent back: affinity would
        // tie all requests to one server, and its limits.
        let mut headers = vec![
            Header::new("Authorization", token.to_header()),
            Header::new("Accept", accept),
            Header::new("Accept-Encoding", self.encoding()),
            Header::new("OData-MaxVersion", "4.0"),
            Header::new("OData-Version", "4.0"),
            Header::new("If-None-Match", "null"),
            Header::new("User-Agent", USER_AGENT),
            Header::new("x-ms-client-request-id", random_uuid(&*self.shared.host)),
        ];
        headers.extend(self.consistency());
        headers.extend(prefer.map(|value| Header::new("Prefer", value)));
        Request {
            method: Method::Get,
            target: target.clone(),
            headers,
            body: None,
            idle_timeout: self.patience.request_timeout,
            max_body: self.max_body,
        }
    }

    fn consistency(&self) -> Option<Header> {
        (self.consistency == Consistency::Strong).then(|| Header::new("Consistency", "Strong"))
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
