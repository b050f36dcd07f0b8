//! Requests to the authority's endpoints: a form is sent, and the response is read.

use url::Url;

use super::authority::Authority;
use super::form::Form;
use super::issuer::Issuer;
use super::rejection::{Parties, Rejection};
use super::token::Issued;
use crate::call::{self, Budget, Call, Verdict, unreachable};
use crate::error::{Error, ErrorKind};
use crate::host::{Header, Host, HttpError, Method, Request, Response};

/// Why there is no usable response.
#[derive(Debug)]
pub(super) enum Failure {
    /// The authority rejected the request.
    Rejected(Rejection),
    /// No request was sent, there is no response, or it cannot be understood.
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl Failure {
    pub(super) fn into_error<H: Host>(self, issuer: &Issuer<H>, authority: &Authority) -> Error {
        match self {
            Self::Rejected(rejection) => {
                rejection.into_error(&Parties::of(authority, &issuer.settings))
            }
            Self::Other(error) => error,
        }
    }
}

/// Requests a token. A new form is made for every attempt: it may contain a time, and secrets that
/// have changed.
///
/// # Errors
/// If there is no usable response.
pub(super) async fn token<H: Host>(
    issuer: &Issuer<H>,
    authority: &Authority,
    budget: &mut Budget,
    form: impl Fn() -> Result<Form, Error>,
) -> Result<Issued, Failure> {
    let endpoint = authority.token_endpoint();
    let requested_at = issuer.host.elapsed();
    let response = post(issuer, &endpoint, budget, form).await?;
    Issued::read(response.body, requested_at).ok_or_else(|| {
        Failure::Other(Error::new(
            ErrorKind::Unavailable,
            format!(
                "cannot sign in at {}: its response holds no usable token; check \"authority\", \
                 or try again later",
                authority.origin()
            ),
        ))
    })
}

/// Sends a form to one of the authority's endpoints. Returns a response with status 200.
///
/// # Errors
/// If there is no usable response.
pub(super) async fn post<H: Host>(
    issuer: &Issuer<H>,
    endpoint: &Url,
    budget: &mut Budget,
    form: impl Fn() -> Result<Form, Error>,
) -> Result<Response, Failure> {
    let call = FormCall {
        issuer,
        endpoint,
        form,
    };
    let mut own = budget.part();
    let response = call::send(&*issuer.host, &mut own, &call).await;
    budget.charge(own.spent());
    response
}

/// A call of one of the authority's endpoints. The form contains the application's credential.
struct FormCall<'c, H, F> {
    issuer: &'c Issuer<H>,
    endpoint: &'c Url,
    form: F,
}

impl<H: Host, F: Fn() -> Result<Form, Error>> Call for FormCall<'_, H, F> {
    type Credential = Form;
    type Output = Response;
    type Error = Failure;

    async fn credential(&self, _: &mut Budget) -> Result<Form, Failure> {
        Ok((self.form)()?)
    }

    fn request(&self, form: &Form) -> Request {
        let body = form.encode().into_bytes();
        let headers = vec![
            Header::new("Accept", "application/json"),
            Header::new("Content-Type", "application/x-www-form-urlencoded"),
        ];
        self.issuer
            .request(Method::Post, self.endpoint, headers, Some(body))
    }

    fn classify(
        &self,
        outcome: Result<Response, HttpError>,
        form: &Form,
    ) -> Verdict<Response, Failure> {
        let response = match outcome {
            Ok(response) => response,
            Err(error) => {
                let retry = self.issuer.retry_without_response(&error);
                let error = unreachable(&self.failure(), self.endpoint, &error);
                return Verdict {
                    retry,
                    ..Verdict::done(Err(error.into()))
                };
            }
        };
        match Rejection::read(&response, &*self.issuer.host, |text| form.scrub(text)) {
            None => Verdict::done(Ok(response)),
            Some(rejection) => Verdict {
                retry: rejection.retry(),
                retry_after: rejection.pause(),
                ..Verdict::done(Err(Failure::Rejected(rejection)))
            },
        }
    }

    fn failure(&self) -> String {
        "cannot sign in".to_owned()
    }
}
