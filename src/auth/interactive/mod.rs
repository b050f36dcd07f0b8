//! Signing in where a person must take part.
//!
//! Nothing is remembered between two calls: what a later call needs is in what the earlier
//! one returned.

mod admin_consent;
mod callback;
mod device;
mod redirect;
mod sign_in;

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

pub use admin_consent::{Consent, complete_admin_consent};
pub use device::{DeviceCode, Progress};

use super::issuer::Issuer;
use super::store::keep;
use super::token::Issued;
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Random};
use crate::retry::Patience;
use crate::settings::{Auth, Delegated, Settings};

/// A page to open in a browser, and what to keep until the browser comes back.
pub struct PageRequest {
    /// The page to open.
    pub url: String,
    /// Comes back in the callback, and ties it to this request.
    pub state: String,
    /// Proves that whoever completes the sign-in is whoever began it. A secret; empty where
    /// nothing has to be proven.
    pub verifier: String,
}

/// Asks a person to take part.
pub struct Interactive<H> {
    issuer: Issuer<H>,
    patience: Patience,
}

impl<H: Host> Interactive<H> {
    /// `resource` is an address of the environment that wants a token.
    pub fn new(host: Rc<H>, settings: &Settings, resource: Url) -> Self {
        Self {
            issuer: Issuer::new(host, settings, resource),
            patience: Patience::of(settings),
        }
    }

    /// The person's part of the settings.
    fn delegated(&self) -> Result<&Delegated, Error> {
        match &self.issuer.settings.auth {
            Auth::Delegated(delegated) => Ok(delegated),
            Auth::Application(_) | Auth::AccessToken(_) => Err(Error::new(
                ErrorKind::InvalidSettings,
                "these settings sign in without a person; to sign one in, set \"auth.type\" to \
                 \"delegated\"",
            )),
        }
    }

    /// Keeps what later sessions sign in with.
    fn keep(&self, delegated: &Delegated, issued: Issued) -> Result<(), Error> {
        let Some(refresh_token) = issued.refresh_token else {
            return Err(Error::new(
                ErrorKind::Unauthenticated,
                format!(
                    "the sign-in succeeded, but brought no refresh token, so that it would last \
                     for an hour only; let application {} have refresh tokens (offline_access), \
                     and sign in again",
                    delegated.client_id
                ),
            ));
        };
        keep(&*self.issuer.host, &delegated.refresh_token, &refresh_token)
    }
}

/// 256 unpredictable bits as text: 43 characters, as a PKCE verifier needs (RFC 7636).
fn unpredictable(random: &impl Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests;
