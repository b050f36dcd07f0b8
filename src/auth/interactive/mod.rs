//! Interactive sign-in: a person takes part in it.
//!
//! No state is kept between two calls: the earlier one returns what the later one needs.

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
use crate::call::{Budget, RetryPolicy};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Random};
use crate::settings::{Auth, Delegated, Settings};

/// A page to open in a browser, and what to keep until the browser is redirected back.
pub struct PageRequest {
    /// The page to open.
    pub url: String,
    /// Returned in the callback, which it links to this request.
    pub state: String,
    /// Proves that the sign-in is completed by the same party that started it. A secret; empty
    /// where no proof is needed.
    pub verifier: String,
}

/// Interactive sign-in.
pub struct Interactive<H> {
    issuer: Issuer<H>,
    policy: RetryPolicy,
}

impl<H: Host> Interactive<H> {
    /// `resource` is an address of the environment that requires a token.
    pub fn new(host: Rc<H>, settings: &Settings, resource: Url) -> Self {
        Self {
            issuer: Issuer::new(host, settings, resource),
            policy: RetryPolicy::of(settings),
        }
    }

    /// What a call may spend on failed attempts and on pauses.
    fn budget(&self) -> Budget {
        Budget::new(self.policy)
    }

    /// The settings of a person's sign-in.
    fn delegated(&self) -> Result<&Delegated, Error> {
        match &self.issuer.settings.auth {
            Auth::Delegated(delegated) => Ok(delegated),
            Auth::Application(_) | Auth::AccessToken(_) => Err(Error::new(
                ErrorKind::InvalidSettings,
                "the settings are for a sign-in without a person; to sign in a person, set \
                 \"auth.type\" to \"delegated\"",
            )),
        }
    }

    /// Stores the refresh token that later sessions sign in with.
    fn keep(&self, delegated: &Delegated, issued: Issued) -> Result<(), Error> {
        let Some(refresh_token) = issued.refresh_token else {
            return Err(Error::new(
                ErrorKind::Unauthenticated,
                format!(
                    "the sign-in succeeded, but no refresh token was issued, so it would last for \
                    about an hour; allow application {} to receive refresh tokens \
                    (offline_access), and sign in again",
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
