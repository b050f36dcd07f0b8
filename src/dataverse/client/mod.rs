//! The client of an environment's Web API: every request goes through it.

mod attempt;
mod batch;
mod classify;
mod negotiation;
mod read;
mod read_many;

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::environment::Environment;
use super::link::Link;
use crate::auth::{Authenticator, Challenged};
use crate::call::{Budget, RateLimiter, RetryPolicy};
use crate::error::Error;
use crate::host::{Header, Host};
use crate::settings::Settings;
use negotiation::Negotiation;

/// The largest response, compressed or inflated, unless the caller accepts less.
const MAX_BODY: usize = 24 << 20;

/// A client of one environment's Web API. Clones share tokens and the rate limiter.
pub struct Client<H> {
    shared: Rc<Shared<H>>,
    policy: RetryPolicy,
    max_body: usize,
    consistency: Consistency,
}

/// How current the metadata is that the service uses for responses (reference 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Consistency {
    /// That of the service's caches, which are about half a minute old.
    Cached,
    /// The current one.
    Strong,
}

impl Consistency {
    fn header(self) -> Option<Header> {
        match self {
            Self::Cached => None,
            Self::Strong => Some(Header::new("Consistency", "Strong")),
        }
    }
}

struct Shared<H> {
    host: Rc<H>,
    settings: Settings,
    negotiation: Negotiation,
    authenticator: Authenticator<H>,
    rate_limiter: Rc<RateLimiter>,
    /// Whether the environment has ever sent a response.
    has_been_reached: Cell<bool>,
    /// Whether the environment supports batches, which is assumed until it rejects one.
    supports_batches: Cell<bool>,
}

impl<H> Clone for Client<H> {
    fn clone(&self) -> Self {
        Self {
            shared: Rc::clone(&self.shared),
            policy: self.policy,
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
        let rate_limiter = Rc::new(RateLimiter::new(settings.limits.max_concurrency));
        let policy = RetryPolicy::of(&settings);
        let shared = Shared {
            host,
            settings,
            negotiation,
            authenticator,
            rate_limiter,
            has_been_reached: Cell::new(false),
            supports_batches: Cell::new(true),
        };
        Self {
            shared: Rc::new(shared),
            policy,
            max_body: MAX_BODY,
            consistency: Consistency::Cached,
        }
    }

    /// A client whose calls wait no longer than this.
    #[must_use]
    pub(crate) fn with_max_wait(mut self, max_wait: Duration) -> Self {
        self.policy.max_wait = self.policy.max_wait.min(max_wait);
        self
    }

    /// A client that accepts no response above this many bytes.
    #[must_use]
    pub(crate) fn with_max_body(mut self, max_body: usize) -> Self {
        self.max_body = self.max_body.min(max_body);
        self
    }

    /// A client whose requests bypass the metadata caches of the service.
    #[must_use]
    pub(crate) fn strongly_consistent(mut self) -> Self {
        self.consistency = Consistency::Strong;
        self
    }

    /// The host.
    pub fn host(&self) -> &Rc<H> {
        &self.shared.host
    }

    /// The settings of the connection.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Where the Web API is; once the environment has accepted a request, at the version that
    /// it supports.
    pub fn environment(&self) -> &Environment {
        self.shared.negotiation.environment()
    }

    fn negotiation(&self) -> &Negotiation {
        &self.shared.negotiation
    }

    /// How many requests at once the rate limiter allows now.
    pub(crate) fn concurrency(&self) -> usize {
        self.shared.rate_limiter.limit()
    }

    /// How many more requests may be sent ahead of need now. A request whose response is needed
    /// is sent in any case: it never waits for another one.
    pub fn spare_concurrency(&self) -> usize {
        self.shared.rate_limiter.room(self.shared.host.elapsed())
    }

    /// The address of a resource below the API root, percent-encoded as
    /// [`query`](super::query) does it.
    ///
    /// # Errors
    /// `Unsupported` when it is longer than the service accepts.
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

    /// How the environment responds to a request without a token.
    ///
    /// # Errors
    /// If there is no response.
    pub(crate) async fn challenge(&self) -> Result<Challenged, Error> {
        let mut budget = Budget::new(self.policy);
        self.shared.authenticator.challenge(&mut budget).await
    }

    /// Signs in, unless there is a valid token already. Returns for how long the token was valid
    /// when it was issued, if that is known.
    ///
    /// # Errors
    /// If there is no token.
    pub(crate) async fn sign_in(&self) -> Result<Option<Duration>, Error> {
        self.shared
            .authenticator
            .token(&mut Budget::new(self.policy))
            .await
            .map(|token| token.lifetime())
    }

    /// Whether the environment supports batches, which is assumed until it rejects one.
    fn supports_batches(&self) -> bool {
        self.shared.supports_batches.get()
    }

    fn set_supports_batches(&self, supports_batches: bool) {
        self.shared.supports_batches.set(supports_batches);
    }

    /// Which encoding of bodies is accepted. On one machine, compression costs more than it saves.
    fn accepted_encoding(&self) -> &'static str {
        if self.shared.settings.environment.is_loopback() {
            "identity"
        } else {
            "gzip"
        }
    }
}

/// The error when the response for a resource is not what was requested.
pub(crate) fn unreadable(link: &Link, reason: &dyn fmt::Display) -> Error {
    classify::unreadable(&format!("cannot read {}", link.resource_name()), reason)
}

#[cfg(test)]
mod tests;
