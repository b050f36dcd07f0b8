//! How the Web API is called: what an attempt carries, and when it is repeated.

use std::cell::Cell;
use std::rc::Rc;

use super::{Client, classify};
use crate::auth::Token;
use crate::call::{self, Budget, Call, Load, RateLimiter, Retry, Verdict};
use crate::dataverse::link::is_raw;
use crate::dataverse::multipart;
use crate::dataverse::request::{Body, Item, Request};
use crate::dataverse::response::{Outcome, Response};
use crate::error::{Commit, Error, ErrorKind};
use crate::host::{self, Header, Host, HttpError, Method, Target};
use crate::uuid::random_uuid;

/// How the connector names itself to the service.
pub(super) const USER_AGENT: &str = concat!("dataverse-connector/", env!("CARGO_PKG_VERSION"));

/// The resource for batches.
pub(super) const BATCH: &str = "$batch";

/// One call of the Web API.
pub(super) struct WebApiCall<'c, H> {
    client: &'c Client<H>,
    request: &'c Request<'c>,
    /// The request as the only one of a batch, if its address is too long for a request of its
    /// own (reference 4.12).
    wrapped: Option<[Item<'c>; 1]>,
    /// Whether an earlier attempt may have changed something.
    may_have_changed: Cell<bool>,
}

impl<'c, H: Host> WebApiCall<'c, H> {
    pub(super) fn new(client: &'c Client<H>, request: &'c Request<'c>) -> Self {
        let is_long = request.link.is_long();
        Self {
            client,
            request,
            wrapped: is_long.then(|| [Item::One(request.clone())]),
            may_have_changed: Cell::new(false),
        }
    }

    /// Makes the call within the budget of a larger one.
    ///
    /// # Errors
    /// As for [`Client::send`].
    pub(super) async fn send(&self, budget: &mut Budget) -> Result<Response, Error> {
        let result = call::send(&**self.client.host(), budget, self).await;
        result.map_err(|mut error| {
            self.remember(&mut error);
            error
        })
    }

    /// What fails now has changed nothing; an earlier attempt may have.
    fn remember(&self, error: &mut Error) {
        if error.commit == Commit::NotStarted && self.may_have_changed.get() {
            error.commit = Commit::Unknown;
        }
    }

    /// The same for each request of a batch that changes something.
    fn remember_each(&self, outcomes: &mut [Outcome]) {
        let Body::Batch(items) = &self.request.body else {
            return;
        };
        for (item, outcome) in items.iter().zip(outcomes) {
            if let Some(failure) = outcome.failure_mut().filter(|_| !item.only_reads()) {
                self.remember(&mut failure.error);
            }
        }
    }

    fn compose(&self, token: &Token) -> host::Request {
        let client = self.client;
        let request = self.request;
        let consistency = client.consistency.header();
        let (items, headers) = match (&self.wrapped, &request.body) {
            (Some(wrapped), _) => (&wrapped[..], &[][..]),
            (None, Body::Batch(items)) => (*items, &*request.headers),
            (None, Body::None | Body::Content { .. }) => (&[][..], &*request.headers),
        };
        let mut target = request.link.target().clone();
        let (method, content) = if items.is_empty() {
            let content = match &request.body {
                Body::Content {
                    content_type,
                    bytes,
                } => Some(((*content_type).to_owned(), bytes.to_vec())),
                Body::None | Body::Batch(_) => None,
            };
            (request.method, content)
        } else {
            let root = request.link.root();
            let boundary = format!("batch_{}", random_uuid(&*client.shared.host));
            let content_type = format!("multipart/mixed; boundary=\"{boundary}\"");
            // Each request of a batch has headers of its own (reference 7.5).
            let each: Vec<Header> = consistency.iter().cloned().collect();
            let body = multipart::write(&boundary, root, items, &each);
            target.path_and_query = format!("{root}{BATCH}");
            (Method::Post, Some((content_type, body)))
        };
        let mut headers: Vec<Header> = self
            .ordinary_headers(method, &target, token)
            .into_iter()
            .filter(|ordinary| {
                let replaces = |it: &Header| it.name.eq_ignore_ascii_case(&ordinary.name);
                !headers.iter().any(replaces)
            })
            .chain(consistency)
            .chain(headers.iter().cloned())
            .collect();
        if self.wrapped.is_some() {
            headers.push(Header::new("Prefer", "odata.continue-on-error"));
        }
        let body = content.map(|(content_type, body)| {
            headers.push(Header::new("Content-Type", content_type));
            // Hosts send a body in chunks unless its length is known.
            headers.push(Header::new("Content-Length", body.len().to_string()));
            body
        });
        host::Request {
            method,
            target,
            headers,
            body,
            idle_timeout: client.policy.request_timeout,
            max_body: client.max_body,
        }
    }

    /// The ordinary headers of reference 1.1. No cookie is ever sent back: affinity would tie
    /// all requests to one server, and its limits.
    fn ordinary_headers(&self, method: Method, target: &Target, token: &Token) -> Vec<Header> {
        let accept = if is_raw(&target.path_and_query) {
            "*/*"
        } else {
            "application/json"
        };
        let mut headers = vec![
            Header::new("Authorization", token.to_header()),
            Header::new("Accept", accept),
            Header::new("Accept-Encoding", self.client.accepted_encoding()),
            Header::new("OData-MaxVersion", "4.0"),
            Header::new("OData-Version", "4.0"),
        ];
        if method == Method::Get {
            headers.push(Header::new("If-None-Match", "null"));
        }
        headers.push(Header::new("User-Agent", USER_AGENT));
        let id = random_uuid(&*self.client.shared.host);
        headers.push(Header::new("x-ms-client-request-id", id));
        headers
    }
}

impl<H: Host> Call for WebApiCall<'_, H> {
    type Credential = Rc<Token>;
    type Output = Response;
    type Error = Error;

    async fn credential(&self, budget: &mut Budget) -> Result<Rc<Token>, Error> {
        self.client.shared.authenticator.token(budget).await
    }

    async fn renew(&self, rejected: &Rc<Token>, budget: &mut Budget) -> Result<(), Error> {
        let authenticator = &self.client.shared.authenticator;
        authenticator.replace(rejected, budget).await?;
        Ok(())
    }

    fn rate_limiter(&self) -> Option<&Rc<RateLimiter>> {
        Some(&self.client.shared.rate_limiter)
    }

    fn request(&self, token: &Rc<Token>) -> host::Request {
        self.compose(token)
    }

    fn classify(
        &self,
        outcome: Result<host::Response, HttpError>,
        token: &Rc<Token>,
    ) -> Verdict<Response, Error> {
        let classifier = classify::Classifier {
            host: &*self.client.shared.host,
            environment: self.client.environment(),
            has_been_reached: self.client.shared.has_been_reached.get(),
            max_body: self.client.max_body,
            token,
        };
        if outcome.is_ok() {
            self.client.shared.has_been_reached.set(true);
        }
        let failure = match classifier.classify(self.request, self.wrapped.is_some(), outcome) {
            Ok(mut response) => {
                self.remember_each(&mut response.outcomes);
                let recommended = response.dop_hint;
                return Verdict {
                    load: Load::Accepted { recommended },
                    ..Verdict::done(Ok(response))
                };
            }
            Err(failure) => failure,
        };
        let (error, mut retry) = (*failure.error, failure.retry);
        if error.commit != Commit::NotStarted {
            self.may_have_changed.set(true);
            if !self.request.is_idempotent() {
                retry = Retry::Never;
            }
        }
        Verdict {
            retry,
            retry_after: error.retry_after,
            load: if error.kind == ErrorKind::Throttled {
                Load::Throttled
            } else {
                Load::Unknown
            },
            result: Err(error),
        }
    }

    fn failure(&self) -> String {
        self.request.failure()
    }
}
