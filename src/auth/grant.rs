//! Grants: what a token is issued for.

use super::authority::Authority;
use super::credential::{with_credential, with_secret};
use super::form::Form;
use super::issuer::Issuer;
use super::ready;
use super::rejection::Parties;
use super::rotation::Unstored;
use super::store::{fetch, keep};
use super::token::{Issued, Token};
use super::token_request::{self, Failure};
use crate::call::Budget;
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Secret};
use crate::settings::{Application, Auth, Delegated};

/// A new token, by the type of sign-in in the settings.
///
/// # Errors
/// If no token can be obtained.
pub(super) async fn token<H: Host>(
    issuer: &Issuer<H>,
    budget: &mut Budget,
) -> Result<Token, Error> {
    let token = match &issuer.settings.auth {
        Auth::Application(application) => application_token(issuer, application, budget).await,
        Auth::Delegated(delegated) => person_token(issuer, delegated, budget).await,
        Auth::AccessToken(name) => ready::token(&*issuer.host, name),
    }?;
    issuer.has_signed_in.set(true);
    Ok(token)
}

/// A token for an application by its own credential (reference 2.2, 2.3).
async fn application_token<H: Host>(
    issuer: &Issuer<H>,
    application: &Application,
    budget: &mut Budget,
) -> Result<Token, Error> {
    let authority = issuer.authority(budget).await?;
    let endpoint = authority.token_endpoint();
    let form = || {
        let form = Form::default()
            .with("grant_type", "client_credentials")
            .with("client_id", &application.client_id);
        let form = with_credential(form, application, &endpoint, &*issuer.host)?;
        Ok(form.with_all(authority.audience_of_application(&issuer.settings, application)))
    };
    token_request::token(issuer, &authority, budget, form)
        .await
        .map(|issued| issued.token)
        .map_err(|failure| failure.into_error(issuer, &authority))
}

/// A token for one person by the refresh token in the store (reference 2.4).
///
/// Every renewal issues a new refresh token. It is stored before the new access token is used,
/// and the old one stays usable for a while, so that the store holds a usable one whenever the
/// process is killed.
async fn person_token<H: Host>(
    issuer: &Issuer<H>,
    delegated: &Delegated,
    budget: &mut Budget,
) -> Result<Token, Error> {
    let authority = issuer.authority(budget).await?;
    let stored = stored(issuer, delegated)?;
    let refreshed = refresh(issuer, &authority, delegated, &stored, budget).await;
    let (used, outcome) = match refreshed {
        Err(Failure::Rejected(rejection)) => {
            // Another instance may have renewed it since it was read.
            let now = self::stored(issuer, delegated)?;
            if now.reveal() == stored.reveal() {
                return Err(rejection.into_error(&Parties::of(&authority, &issuer.settings)));
            }
            let outcome = refresh(issuer, &authority, delegated, &now, budget).await;
            (now, outcome)
        }
        outcome => (stored, outcome),
    };
    let tokens = outcome.map_err(|failure| failure.into_error(issuer, &authority))?;
    if let Some(new) = tokens
        .refresh_token
        .filter(|new| new.reveal() != used.reveal())
    {
        rotate(issuer, delegated, used, new)?;
    }
    Ok(tokens.token)
}

async fn refresh<H: Host>(
    issuer: &Issuer<H>,
    authority: &Authority,
    delegated: &Delegated,
    refresh_token: &Secret,
    budget: &mut Budget,
) -> Result<Issued, Failure> {
    let form = || {
        let form = Form::default()
            .with("grant_type", "refresh_token")
            .with_secret("refresh_token", refresh_token.clone());
        with_client(form, issuer, authority, delegated)
    };
    token_request::token(issuer, authority, budget, form).await
}

/// Adds the parameters of every request for a person: a public application names itself, a
/// confidential one authenticates too.
pub(super) fn with_client<H: Host>(
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

/// Reads the refresh token from the store. A token that could not be stored earlier is stored
/// first, unless the store has another one by now.
fn stored<H: Host>(issuer: &Issuer<H>, delegated: &Delegated) -> Result<Secret, Error> {
    let name = &delegated.refresh_token;
    let stored =
        fetch(&*issuer.host, name, "a refresh token").map_err(|error| match error.kind {
            ErrorKind::Unauthenticated => Error::new(
                ErrorKind::Unauthenticated,
                format!(
                    "cannot sign in: the secret \"{}\" holds no refresh token; sign in \
                     interactively through your platform, which stores one",
                    name.as_str()
                ),
            ),
            _ => error,
        })?;
    let unstored = issuer.rotation.0.take();
    match unstored {
        Some(unstored) if unstored.old.reveal() == stored.reveal() => {
            rotate(issuer, delegated, unstored.old, unstored.new.clone())?;
            Ok(unstored.new)
        }
        _ => Ok(stored),
    }
}

/// Stores the new refresh token instead of the old one; if that fails, keeps it for later.
fn rotate<H: Host>(
    issuer: &Issuer<H>,
    delegated: &Delegated,
    old: Secret,
    new: Secret,
) -> Result<(), Error> {
    keep(&*issuer.host, &delegated.refresh_token, &new).inspect_err(|_| {
        *issuer.rotation.0.borrow_mut() = Some(Unstored { old, new });
    })
}
