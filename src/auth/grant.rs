//! What a token is given for.

use std::cell::RefCell;

use super::authority::Authority;
use super::credential::{prove, with_secret};
use super::exchange::{self, Failure};
use super::form::Form;
use super::issuer::Issuer;
use super::refusal::Parties;
use super::store::{fetch, keep};
use super::token::{Issued, Token};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Secret};
use crate::retry::Patience;
use crate::settings::{Application, Delegated};

/// A token for an application by its own word (reference 2.2, 2.3).
pub(super) async fn as_application<H: Host>(
    issuer: &Issuer<H>,
    application: &Application,
    patience: Patience,
) -> Result<Token, Error> {
    let authority = issuer.authority(patience).await?;
    let endpoint = authority.token_endpoint();
    let form = || {
        let form = Form::default()
            .with("grant_type", "client_credentials")
            .with("client_id", &application.client_id);
        let form = prove(form, application, &endpoint, &*issuer.host)?;
        Ok(form.with_all(authority.audience_of_application(&issuer.settings, application)))
    };
    exchange::token(issuer, &authority, patience, form)
        .await
        .map(|answer| answer.token)
        .map_err(|failure| failure.into_error(issuer, &authority))
}

/// A refresh token that could not be kept when it was issued.
#[derive(Debug, Default)]
pub(super) struct Rotation(RefCell<Option<Unkept>>);

#[derive(Debug)]
struct Unkept {
    /// The one that the store still holds.
    old: Secret,
    new: Secret,
}

/// A token for one person by the refresh token in the store (reference 2.4).
///
/// Every renewal brings a new refresh token. It is kept before the new access token is used,
/// and the old one stays usable for a while, so whoever is killed at any point finds one in
/// the store that works.
pub(super) async fn by_refresh<H: Host>(
    issuer: &Issuer<H>,
    delegated: &Delegated,
    patience: Patience,
) -> Result<Token, Error> {
    let authority = issuer.authority(patience).await?;
    let stored = stored(issuer, delegated)?;
    let refreshed = refresh(issuer, &authority, delegated, &stored, patience).await;
    let (used, outcome) = match refreshed {
        Err(Failure::Refused(refusal)) => {
            // Another instance may have renewed it since it was read.
            let now = self::stored(issuer, delegated)?;
            if now.reveal() == stored.reveal() {
                return Err(refusal.into_error(&Parties::of(&authority, &issuer.settings)));
            }
            let outcome = refresh(issuer, &authority, delegated, &now, patience).await;
            (now, outcome)
        }
        outcome => (stored, outcome),
    };
    let answer = outcome.map_err(|failure| failure.into_error(issuer, &authority))?;
    if let Some(new) = answer
        .refresh_token
        .filter(|new| new.reveal() != used.reveal())
    {
        rotate(issuer, delegated, used, new)?;
    }
    Ok(answer.token)
}

async fn refresh<H: Host>(
    issuer: &Issuer<H>,
    authority: &Authority,
    delegated: &Delegated,
    refresh_token: &Secret,
    patience: Patience,
) -> Result<Issued, Failure> {
    let form = || {
        let form = Form::default()
            .with("grant_type", "refresh_token")
            .with_secret("refresh_token", refresh_token.clone());
        by_person(form, issuer, authority, delegated)
    };
    exchange::token(issuer, authority, patience, form).await
}

/// Adds what every question about a person has in common: a public application names itself,
/// a confidential one proves it too.
pub(super) fn by_person<H: Host>(
    form: Form,
    issuer: &Issuer<H>,
    authority: &Authority,
    delegated: &Delegated,
) -> Result<Form, Error> {
    let mut form = form.with("client_id", &delegated.client_id);
    if let Some(secret) = &delegated.secret {
        form = with_secret(form, secret, &*issuer.host)?;
    }
    Ok(form.with_all(authority.audience_of_person(&issuer.settings, delegated)))
}

/// The refresh token in the store. One that could not be kept before goes there first, unless
/// somebody else has put another one there.
fn stored<H: Host>(issuer: &Issuer<H>, delegated: &Delegated) -> Result<Secret, Error> {
    let name = &delegated.refresh_token;
    let stored =
        fetch(&*issuer.host, name, "a refresh token by signing in").map_err(|error| match error
            .kind
        {
            ErrorKind::Unauthenticated => Error::new(
                ErrorKind::Unauthenticated,
                format!(
                    "nobody has signed in yet: the secret \"{}\" holds no refresh token; sign \
                     in, which puts one there",
                    name.as_str()
                ),
            ),
            _ => error,
        })?;
    let unkept = issuer.rotation.0.take();
    match unkept {
        Some(unkept) if unkept.old.reveal() == stored.reveal() => {
            rotate(issuer, delegated, unkept.old, unkept.new.clone())?;
            Ok(unkept.new)
        }
        _ => Ok(stored),
    }
}

/// Keeps the new refresh token in the place of the old one, or at least in mind.
fn rotate<H: Host>(
    issuer: &Issuer<H>,
    delegated: &Delegated,
    old: Secret,
    new: Secret,
) -> Result<(), Error> {
    keep(&*issuer.host, &delegated.refresh_token, &new).inspect_err(|_| {
        *issuer.rotation.0.borrow_mut() = Some(Unkept { old, new });
    })
}
