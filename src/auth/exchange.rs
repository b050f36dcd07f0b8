//! One question at a token endpoint, and its answer.

use std::cell::RefCell;

use super::authority::Authority;
use super::form::Form;
use super::issuer::{Issuer, Recipient};
use super::refusal::{Parties, Refusal};
use super::token::Issued;
use crate::error::{Error, ErrorKind};
use crate::host::{Header, Host, Method, Response};
use crate::retry::Patience;
use url::Url;

/// Why there is no answer to use.
#[derive(Debug)]
pub(super) enum Failure {
    /// The authority said no.
    Refused(Refusal),
    /// It was not asked, did not answer, or not in a way that can be understood.
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
            Self::Refused(refusal) => refusal.into_error(&Parties::of(authority, &issuer.settings)),
            Self::Other(error) => error,
        }
    }
}

/// Asks for a token. The form is made afresh for every attempt: it may hold a time, and
/// secrets that may have changed.
pub(super) async fn token<H: Host>(
    issuer: &Issuer<H>,
    authority: &Authority,
    patience: Patience,
    form: impl Fn() -> Result<Form, Error>,
) -> Result<Issued, Failure> {
    let endpoint = authority.token_endpoint();
    let asked_at = issuer.host.elapsed();
    let response = post(issuer, &endpoint, patience, form).await?;
    Issued::read(response.body, asked_at).ok_or_else(|| {
        Failure::Other(Error::new(
            ErrorKind::Unavailable,
            format!(
                "the sign-in answer of {} holds no token that can be used; check \"authority\", \
                 or try again later",
                authority.origin()
            ),
        ))
    })
}

/// Sends a form to one of the authority's endpoints. Gives the answer 200.
pub(super) async fn post<H: Host>(
    issuer: &Issuer<H>,
    endpoint: &Url,
    patience: Patience,
    form: impl Fn() -> Result<Form, Error>,
) -> Result<Response, Failure> {
    let to = Recipient {
        what: "the sign-in authority",
        url: endpoint,
    };
    let last = RefCell::new(Form::default());
    let request = || {
        let form = form()?;
        let body = form.encode().into_bytes();
        *last.borrow_mut() = form;
        let headers = vec![
            Header::new("Accept", "application/json"),
            Header::new("Content-Type", "application/x-www-form-urlencoded"),
        ];
        Ok(issuer.request(Method::Post, endpoint, headers, Some(body)))
    };
    let read = |response: &Response| {
        Refusal::read(response, &*issuer.host, |text| last.borrow().scrub(text))
    };
    let transient = |response: &Response| read(response).and_then(|refusal| refusal.pause());
    let response = issuer.send(to, patience, request, transient).await?;
    match read(&response) {
        Some(refusal) => Err(Failure::Refused(refusal)),
        None => Ok(response),
    }
}
