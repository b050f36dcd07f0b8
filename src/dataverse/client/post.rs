//! Requests that change something.

use serde_json::Value;

use super::answer::{self, inflated};
use super::{Client, throttled};
use crate::auth::Token;
use crate::dataverse::{Guid, Link};
use crate::error::{Commit, Error, ErrorKind};
use crate::host::{Header, Host, HttpError, Method, Request, Response};
use crate::retry::{Budget, Repeat};

/// Whether doing something twice is the same as doing it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twice {
    /// It is.
    IsOnce,
    /// It is not: what may have happened is not done again.
    IsTwice,
}

/// An attempt that failed.
struct Failure {
    error: Error,
    repeat: Repeat,
    /// The token was refused, so that nothing happened.
    is_unauthenticated: bool,
}

impl<H: Host> Client<H> {
    /// Sends a body to a resource; `doing` says what for, such as `create the role`. Gives the
    /// key of the row that was created, where the service tells it (reference §7.1).
    ///
    /// # Errors
    /// What the service said, with what may have happened.
    pub(crate) async fn post(
        &self,
        link: &Link,
        doing: &str,
        body: &Value,
        twice: Twice,
    ) -> Result<Option<Guid>, Error> {
        self.post_text(link, doing, &body.to_string(), twice, None)
            .await
    }

    /// The same for a body that is JSON text, with one more header.
    ///
    /// # Errors
    /// As for [`post`](Self::post).
    pub(crate) async fn post_text(
        &self,
        link: &Link,
        doing: &str,
        body: &str,
        twice: Twice,
        header: Option<Header>,
    ) -> Result<Option<Guid>, Error> {
        let host = &*self.shared.host;
        let restraint = &self.shared.restraint;
        let authenticator = &self.shared.authenticator;
        let mut budget = Budget::new(self.patience);
        let mut refused = false;
        loop {
            let quiet = restraint.quiet_for(host.elapsed());
            if !quiet.is_zero() {
                if !budget.wait(quiet) {
                    return Err(throttled(link, quiet));
                }
                host.sleep(quiet).await;
            }
            let token = authenticator.token(self.patience).await?;
            let flight = restraint.depart();
            let began = host.elapsed();
            let outcome = {
                let mut request = self.request(link.target(), None, &token);
                request.headers.extend(header.clone());
                carry(&mut request, "application/json", body.into());
                host.send(request).await
            };
            drop(flight);
            let took = host.elapsed().saturating_sub(began);
            let failure = match self.judge_post(link, doing, outcome, &token) {
                Ok(key) => return Ok(key),
                Err(failure) => failure,
            };
            if failure.is_unauthenticated && !refused {
                refused = true;
                authenticator.replace(&token, self.patience).await?;
                continue;
            }
            if failure.error.kind == ErrorKind::Throttled {
                restraint.rebuffed(host.elapsed(), failure.error.retry_after);
            }
            let is_safe = twice == Twice::IsOnce || failure.error.commit == Commit::NotStarted;
            let repeat = if is_safe {
                failure.repeat
            } else {
                Repeat::Never
            };
            match budget.pause_after(took, repeat, failure.error.retry_after, host) {
                Some(pause) => host.sleep(pause).await,
                None => return Err(failure.error),
            }
        }
    }

    fn judge_post(
        &self,
        link: &Link,
        doing: &str,
        outcome: Result<Response, HttpError>,
        token: &Token,
    ) -> Result<Option<Guid>, Failure> {
        let mut response = outcome.map_err(|error| self.lost(doing, &error))?;
        self.shared.reached.set(true);
        if (200..300).contains(&response.status) {
            return Ok(response
                .header("OData-EntityId")
                .and_then(Guid::in_entity_id));
        }
        let body = std::mem::take(&mut response.body);
        let body = inflated(response.header("content-encoding"), body, self.max_body);
        let failed = format!("cannot {doing} ({})", link.resource_name());
        let answer::Failure { mut error, repeat } =
            self.refusal(&failed, &response, &body.unwrap_or_default(), token);
        let status = response.status;
        // What was turned away before it began has changed nothing.
        let is_turned_away = matches!(error.kind, ErrorKind::Throttled | ErrorKind::Conflict);
        if matches!(status, 408 | 500..) && !is_turned_away {
            error.commit = Commit::Unknown;
        }
        Err(Failure {
            error,
            repeat,
            is_unauthenticated: status == 401,
        })
    }

    /// What a request without an answer may have done.
    fn lost(&self, doing: &str, error: &HttpError) -> Failure {
        let url = self.environment().api_root();
        let what = format!("cannot {doing}: the environment");
        let mut failure = Failure {
            repeat: if error.is_transient() {
                Repeat::Few
            } else {
                Repeat::Never
            },
            error: Error::unreachable(&what, url, error),
            is_unauthenticated: false,
        };
        failure.error.commit = match error {
            HttpError::Denied | HttpError::Dns | HttpError::Connect | HttpError::Tls(_) => {
                Commit::NotStarted
            }
            HttpError::Timeout
            | HttpError::Lost
            | HttpError::TooLarge(_)
            | HttpError::Protocol(_) => Commit::Unknown,
        };
        failure
    }
}

/// Makes a request one that sends a body.
pub(super) fn carry(request: &mut Request, content_type: &str, body: Vec<u8>) {
    request.method = Method::Post;
    request
        .headers
        .push(Header::new("Content-Type", content_type));
    // Hosts send a body in chunks unless its length is told.
    request
        .headers
        .push(Header::new("Content-Length", body.len().to_string()));
    request.body = Some(body);
}
