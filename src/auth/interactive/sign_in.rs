//! One person signs in with a browser: authorization code and PKCE (reference 2.4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::callback::{Callback, CallbackError};
use super::{Interactive, PageRequest, redirect, unpredictable};
use crate::auth::authority::Authority;
use crate::auth::form::Form;
use crate::auth::grant::with_client;
use crate::auth::rejection::Parties;
use crate::auth::token_request;
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Secret};

impl<H: Host> Interactive<H> {
    /// The page on which one person signs in.
    ///
    /// # Errors
    /// `InvalidSettings` when the settings are for a sign-in without a person, or the redirect
    /// address cannot be used; or an error if the authority is unknown.
    pub async fn sign_in(&self, redirect_uri: &str) -> Result<PageRequest, Error> {
        let delegated = self.delegated()?;
        let redirect_uri = redirect::checked(redirect_uri)?;
        let authority = self.issuer.authority(&mut self.budget()).await?;
        let state = unpredictable(&*self.issuer.host);
        let verifier = unpredictable(&*self.issuer.host);
        let mut form = Form::default()
            .with("client_id", &delegated.client_id)
            .with("response_type", "code")
            .with("redirect_uri", redirect_uri)
            .with("response_mode", "query")
            .with_all(authority.audience_of_person(&self.issuer.settings, delegated))
            .with("state", &state)
            .with(
                "code_challenge",
                URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier)),
            )
            .with("code_challenge_method", "S256");
        if matches!(authority, Authority::Entra { .. }) {
            form = form.with("prompt", "select_account");
        }
        let mut url = authority.authorization_endpoint();
        url.set_query(Some(&form.encode()));
        Ok(PageRequest {
            url: url.into(),
            state,
            verifier,
        })
    }

    /// Completes the sign-in with the URL to which the browser was redirected. When this returns,
    /// the refresh token is in the secret store.
    ///
    /// # Errors
    /// `Unauthenticated` when the callback belongs to another request; the error of the authority;
    /// or an error if the refresh token cannot be stored.
    pub async fn complete(
        &self,
        redirect_uri: &str,
        pending: &PageRequest,
        callback: &str,
    ) -> Result<(), Error> {
        let delegated = self.delegated()?;
        let redirect_uri = redirect::checked(redirect_uri)?;
        let callback = Callback::read(callback, &pending.state);
        if let Err(CallbackError::Foreign(error)) = callback {
            return Err(error);
        }
        let mut budget = self.budget();
        let authority = self.issuer.authority(&mut budget).await?;
        let callback = callback.map_err(|error| match error {
            CallbackError::Foreign(error) => error,
            CallbackError::Rejected(rejection) => {
                rejection.into_error(&Parties::of(&authority, &self.issuer.settings))
            }
        })?;
        let code = callback.parameter("code").ok_or_else(|| {
            Error::new(
                ErrorKind::Unauthenticated,
                "the callback has no code; pass the whole address that the browser shows",
            )
        })?;
        let form = || {
            let form = Form::default()
                .with("grant_type", "authorization_code")
                .with_secret("code", Secret::new(code))
                .with("redirect_uri", redirect_uri)
                .with_secret("code_verifier", Secret::new(&*pending.verifier));
            with_client(form, &self.issuer, &authority, delegated)
        };
        let issued = token_request::token(&self.issuer, &authority, &mut budget, form)
            .await
            .map_err(|failure| failure.into_error(&self.issuer, &authority))?;
        self.keep(delegated, issued)
    }
}
