//! What responses of the Web API mean: whether a call succeeded, what may have been changed if
//! not, and whether another attempt may succeed.

mod outcomes;

use std::fmt;

use crate::auth::Token;
use crate::call::{Retry, retry_after, unreachable};
use crate::dataverse::environment::Environment;
use crate::dataverse::fault::Fault;
use crate::dataverse::inflate::{InflateError, gunzip};
use crate::dataverse::multipart::{self, Part};
use crate::dataverse::request::{Body, Expected, Request};
use crate::dataverse::response::{Failure, Response};
use crate::error::{Commit, Error, ErrorKind, Recovery, ServiceFault};
use crate::host::{self, Clock, HttpError};
use crate::text::without_byte_order_mark;

/// The body of a response without content: it has no rows.
const NO_ROWS: &[u8] = br#"{"value":[]}"#;

/// Reads the responses to one request.
pub(super) struct Classifier<'c, C> {
    pub(super) host: &'c C,
    pub(super) environment: &'c Environment,
    /// Whether the environment has ever sent a response.
    pub(super) has_been_reached: bool,
    pub(super) max_body: usize,
    pub(super) token: &'c Token,
}

impl<C: Clock> Classifier<'_, C> {
    /// Classifies an outcome as a response or a failure. `is_wrapped` says that the request was the
    /// only one of a batch.
    pub(super) fn classify(
        &self,
        request: &Request<'_>,
        is_wrapped: bool,
        outcome: Result<host::Response, HttpError>,
    ) -> Result<Response, Failure> {
        let mut response = outcome.map_err(|error| self.without_response(request, &error))?;
        let body = std::mem::take(&mut response.body);
        let body = inflated(response.header("content-encoding"), body, self.max_body);
        let body = body.map(|body| without_mark(request, body));
        let is_batch = is_wrapped || matches!(request.body, Body::Batch(_));
        // The status does not matter: a batch that stopped at a request may have the status of that
        // request (reference 8.2).
        let content_type = response.header("content-type").filter(|_| is_batch);
        let boundary = content_type
            .and_then(multipart::boundary)
            .map(str::to_owned);
        let Some(boundary) = boundary else {
            return match body {
                _ if is_batch && is_success(response.status) => {
                    Err(without_outcomes(request, response.status))
                }
                Ok(body) if is_batch => Err(self.rejected(request, &response, &body)),
                Ok(body) => self.classify_body(request, response, body),
                Err(error) if is_success(response.status) => {
                    Err(damaged(request, error, commit(request)))
                }
                // An error response whose body is damaged still has its status.
                Err(_) => Err(self.rejected(request, &response, b"")),
            };
        };
        let unread = |error| damaged(request, error, commit_unread(request));
        let body = body.map_err(unread)?;
        let parts = multipart::read(&body, &boundary);
        match &request.body {
            Body::Batch(items) => {
                let outcomes =
                    parts.and_then(|parts| outcomes::outcomes(self, items, parts, &body));
                let Some(outcomes) = outcomes else {
                    return Err(without_outcomes(request, response.status));
                };
                let mut response = Response::new(response);
                response.outcomes = outcomes;
                Ok(response)
            }
            Body::None | Body::Content { .. } => {
                let part = parts.and_then(|parts| parts.into_iter().next());
                let Some(Part::Response(part)) = part else {
                    return Err(unread(InflateError::Damaged));
                };
                let mut body = body;
                body.truncate(part.body.end);
                body.drain(..part.body.start.min(part.body.end));
                let mut inner = host::Response {
                    status: part.status,
                    headers: part.headers,
                    body: Vec::new(),
                };
                // Headers that concern the connection are those of the batch.
                inner.headers.extend(response.headers);
                self.classify_body(request, inner, body)
            }
        }
    }

    /// Classifies a response that is not a batch; its body is passed separately.
    pub(super) fn classify_body(
        &self,
        request: &Request<'_>,
        mut response: host::Response,
        body: Vec<u8>,
    ) -> Result<Response, Failure> {
        if !is_success(response.status) {
            return Err(self.rejected(request, &response, &body));
        }
        response.body = if response.status == 204 && request.only_reads() && !request.link.is_raw()
        {
            NO_ROWS.to_vec()
        } else {
            body
        };
        if request.expected == Expected::Json
            && let Err(malformed) = dataverse_rows::check(&response.body)
        {
            let error = Error {
                commit: commit(request),
                ..unreadable(&request.failure(), &malformed)
            };
            return Err(Failure::new(error, Retry::Limited));
        }
        Ok(Response::new(response))
    }

    /// What an error response means.
    fn rejected(&self, request: &Request<'_>, response: &host::Response, body: &[u8]) -> Failure {
        let fault = Fault::read(response, body, |text| self.token.scrub(text));
        let status = response.status;
        let wait = response
            .header("retry-after")
            .and_then(|value| retry_after(value, self.host.unix_time()));
        let retry = if status == 401 {
            Retry::WithNewCredential
        } else {
            fault.retry()
        };
        let mut error = fault.into_error(&request.failure(), wait);
        // A batch may be rejected only after some of its requests have been carried out.
        let is_batch = matches!(request.body, Body::Batch(_));
        let is_uncertain =
            matches!(status, 408 | 500..) || (is_batch && matches!(status, 400 | 409 | 412));
        // A request that was rejected before it started has changed nothing.
        let is_rejected_early =
            error.kind == ErrorKind::Throttled || (error.kind == ErrorKind::Conflict && !is_batch);
        if !request.only_reads() && is_uncertain && !is_rejected_early {
            error.commit = Commit::Unknown;
        }
        Failure::new(error, retry)
    }

    fn without_response(&self, request: &Request<'_>, error: &HttpError) -> Failure {
        if let HttpError::TooLarge(limit) = error {
            return too_large(request, Commit::Unknown, *limit);
        }
        let retry = match error.is_transient() {
            true if self.has_been_reached && request.only_reads() => Retry::WithinBudget,
            // An address that has never been reached is more likely wrong than temporarily
            // unavailable, and a caller that writes should know of the failure soon.
            true => Retry::Limited,
            false => Retry::Never,
        };
        let unreachable = unreachable(&request.failure(), self.environment.api_root(), error);
        let mut failure = Failure::new(unreachable, retry);
        let was_sent = match error {
            HttpError::Denied | HttpError::Dns | HttpError::Connect | HttpError::Tls(_) => false,
            HttpError::Timeout
            | HttpError::Lost
            | HttpError::TooLarge(_)
            | HttpError::Protocol(_) => true,
        };
        if was_sent && !request.only_reads() {
            failure.error.commit = Commit::Unknown;
        }
        failure
    }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// The body without the mark that some servers and proxies put before text.
fn without_mark(request: &Request<'_>, mut body: Vec<u8>) -> Vec<u8> {
    if !request.link.is_raw() {
        let mark = body.len() - without_byte_order_mark(&body).len();
        body.drain(..mark);
    }
    body
}

/// The body as it was before it was compressed.
fn inflated(
    encoding: Option<&str>,
    body: Vec<u8>,
    max_body: usize,
) -> Result<Vec<u8>, InflateError> {
    let encoding = encoding.unwrap_or_default().trim();
    // The older name of gzip means the same.
    match encoding.strip_prefix("x-").unwrap_or(encoding) {
        encoding if encoding.is_empty() || encoding.eq_ignore_ascii_case("identity") => Ok(body),
        encoding if encoding.eq_ignore_ascii_case("gzip") => gunzip(&body, max_body),
        _ => Err(InflateError::UnknownEncoding),
    }
}

/// The response to a batch does not say what became of each of its requests.
fn without_outcomes(request: &Request<'_>, status: u16) -> Failure {
    let reason = format!("status {status}, without a part for each request");
    let error = Error {
        commit: commit_unread(request),
        ..unreadable(&request.failure(), &reason)
    };
    let fault = ServiceFault {
        status,
        code: String::new(),
        request_id: None,
        of_authority: false,
    };
    // In the end the requests of a batch are sent one by one.
    Failure::new(error.with_fault(fault), Retry::Limited)
}

/// A response with a body that cannot be decoded.
fn damaged(request: &Request<'_>, error: InflateError, commit: Commit) -> Failure {
    let retry = match error {
        InflateError::Damaged => Retry::WithinBudget,
        InflateError::UnknownEncoding => Retry::Limited,
        InflateError::TooLarge(limit) => return too_large(request, commit, limit),
    };
    let failure = request.failure();
    let error = Error::new(
        ErrorKind::Unavailable,
        format!("{failure}: {error}; check any proxy in between, or try again later"),
    );
    Failure::new(Error { commit, ..error }, retry)
}

fn too_large(request: &Request<'_>, commit: Commit, limit: usize) -> Failure {
    let (failure, reason) = (request.failure(), InflateError::TooLarge(limit));
    let mut error = Error::new(
        ErrorKind::Unsupported,
        format!("{failure}: {reason}; request smaller pages or fewer columns"),
    )
    .with_recovery(Recovery::SmallerPages);
    if !request.only_reads() {
        error.commit = commit;
    }
    Failure::new(error, Retry::Never)
}

/// What a request has done whose response is a success.
fn commit(request: &Request<'_>) -> Commit {
    if request.only_reads() {
        Commit::NotStarted
    } else {
        Commit::Done
    }
}

/// What a request has done whose outcome cannot be read.
fn commit_unread(request: &Request<'_>) -> Commit {
    if request.only_reads() {
        Commit::NotStarted
    } else {
        Commit::Unknown
    }
}

/// The error for a response that is not what was requested.
pub(super) fn unreadable(failure: &str, reason: &dyn fmt::Display) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!(
            "{failure}: the response is not as expected ({reason}); check any proxy in between, \
             or try again later"
        ),
    )
}
