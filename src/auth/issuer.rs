//! Finding the authority of one environment, and requesting tokens from it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use url::Url;

use super::authority::Authority;
use super::challenge::Challenged;
use super::rotation::Rotation;
use crate::call::{self, Budget, Call, Retry, Verdict, retry_after, unreachable};
use crate::error::Error;
use crate::host::{Header, Host, HttpError, Method, Request, Response, Target};

use crate::settings::{ApiVersion, Settings};

/// The largest accepted response while signing in, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// Requests tokens for one environment from the authority.
pub(super) struct Issuer<H> {
    pub(super) host: Rc<H>,
    pub(super) settings: Settings,
    /// An address of the environment that requires a token.
    resource: Url,
    challenged: RefCell<Option<Challenged>>,
    /// Whether older versions of the Web API have been tried.
    has_tried_older: Cell<bool>,
    /// Whether signing in has ever succeeded.
    pub(super) has_signed_in: Cell<bool>,
    pub(super) rotation: Rotation,
}

impl<H: Host> Issuer<H> {
    pub(super) fn new(host: Rc<H>, settings: &Settings, resource: Url) -> Self {
        Self {
            host,
            settings: settings.clone(),
            resource,
            challenged: RefCell::default(),
            has_tried_older: Cell::default(),
            has_signed_in: Cell::new(false),
            rotation: Rotation::default(),
        }
    }

    /// The authority that issues the tokens.
    ///
    /// # Errors
    /// If the authority is unknown.
    pub(super) async fn authority(&self, budget: &mut Budget) -> Result<Authority, Error> {
        match Authority::from_settings(&self.settings) {
            Some(authority) => Ok(authority),
            None => Authority::discovered(&self.settings, &self.challenge(budget).await?),
        }
    }

    /// How the environment responds to a request without a token.
    ///
    /// # Errors
    /// If there is no response.
    pub(super) async fn challenge(&self, budget: &mut Budget) -> Result<Challenged, Error> {
        if let Some(challenged) = self.challenged.borrow().clone() {
            return Ok(challenged);
        }
        // Some servers check the version before they check for a token.
        let older: &[ApiVersion] = match self.settings.api_version {
            None if !self.has_tried_older.get() => &ApiVersion::OLDER,
            _ => &[],
        };
        let mut older = older.iter();
        let mut url = self.resource.clone();
        let challenged = loop {
            let call = ChallengeCall {
                issuer: self,
                url: &url,
            };
            let mut own = budget.part();
            let response = call::send(&*self.host, &mut own, &call).await;
            budget.charge(own.spent());
            let response = response?;
            let version = older.next();
            match version.filter(|_| matches!(response.status, 400 | 404 | 501)) {
                Some(version) => {
                    self.has_tried_older.set(true);
                    let path = self.resource.path().rsplit_once("/v");
                    let path = path.map_or("", |(path, _)| path);
                    url.set_path(&format!("{path}/v{version}/"));
                }
                None => break Challenged::read(&response),
            }
        };
        // Only a complete challenge is kept.
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
        // Hosts send a body in chunks unless its length is known, and some servers and proxies
        // reject chunked requests.
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

    /// Whether a request without a response is retried.
    pub(super) fn retry_without_response(&self, error: &HttpError) -> Retry {
        match error.is_transient() {
            true if self.has_signed_in.get() => Retry::WithinBudget,
            // An address that has never been reached is more likely wrong than temporarily
            // unavailable.
            true => Retry::Limited,
            false => Retry::Never,
        }
    }
}

/// A request without a token to the environment. Every response is a result, except temporary
/// failures.
struct ChallengeCall<'c, H> {
    issuer: &'c Issuer<H>,
    url: &'c Url,
}

impl<H: Host> Call for ChallengeCall<'_, H> {
    type Credential = ();
    type Output = Response;
    type Error = Error;

    async fn credential(&self, _: &mut Budget) -> Result<(), Error> {
        Ok(())
    }

    fn request(&self, (): &()) -> Request {
        let headers = vec![Header::new("Accept", "application/json")];
        self.issuer.request(Method::Get, self.url, headers, None)
    }

    fn classify(&self, outcome: Result<Response, HttpError>, (): &()) -> Verdict<Response, Error> {
        match outcome {
            Ok(response) => {
                let is_temporary = matches!(response.status, 429 | 500 | 502..=504);
                Verdict {
                    retry: if is_temporary {
                        Retry::WithinBudget
                    } else {
                        Retry::Never
                    },
                    retry_after: response
                        .header("retry-after")
                        .and_then(|value| retry_after(value, self.issuer.host.unix_time())),
                    ..Verdict::done(Ok(response))
                }
            }
            Err(error) => Verdict {
                retry: self.issuer.retry_without_response(&error),
                ..Verdict::done(Err(unreachable(&self.failure(), self.url, &error)))
            },
        }
    }

    fn failure(&self) -> String {
        "cannot connect to the environment".to_owned()
    }
}
