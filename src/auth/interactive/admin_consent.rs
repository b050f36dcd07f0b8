//! Admin consent: an administrator permits the application for all users (reference 2.5).

use url::Url;

use super::callback::{Callback, CallbackError};
use super::{Interactive, PageRequest, redirect, unpredictable};
use crate::auth::authority::whole_scope;
use crate::auth::form::Form;
use crate::auth::rejection::Parties;
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::text::one_line;

/// What an administrator has consented to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The directory that the callback names; no proof of who consented.
    pub tenant: Option<String>,
    /// What was consented to, if the callback says so.
    pub scope: Option<String>,
}

impl<H: Host> Interactive<H> {
    /// The page on which an administrator consents.
    ///
    /// # Errors
    /// `InvalidSettings` when no application signs in, or the redirect address cannot be used;
    /// `Unsupported` for AD FS; or an error if the authority is unknown.
    pub async fn admin_consent(&self, redirect_uri: &str) -> Result<PageRequest, Error> {
        let settings = &self.issuer.settings;
        let Some(client_id) = settings.auth.client_id() else {
            return Err(Error::new(
                ErrorKind::InvalidSettings,
                "cannot request admin consent: the settings name no application; consent through \
                the platform that obtains the tokens",
            ));
        };
        let redirect_uri = redirect::checked(redirect_uri)?;
        let authority = self.issuer.authority(&mut self.budget()).await?;
        let Some(mut url) = authority.consent_endpoint() else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the AD FS server {} does not support admin consent; its administrator permits \
                     the application with Grant-AdfsApplicationPermission",
                    authority.origin()
                ),
            ));
        };
        let state = unpredictable(&*self.issuer.host);
        let form = Form::default()
            .with("client_id", client_id)
            .with("scope", whole_scope(settings))
            .with("redirect_uri", redirect_uri)
            .with("state", &state);
        url.set_query(Some(&form.encode()));
        Ok(PageRequest {
            url: url.into(),
            state,
            verifier: String::new(),
        })
    }
}

/// Reads the URL to which the browser was redirected from the consent page.
///
/// # Errors
/// `Unauthenticated` when it belongs to another request, or the error of the authority.
pub fn complete_admin_consent(pending: &PageRequest, callback: &str) -> Result<Consent, Error> {
    let page = Url::parse(&pending.url).map_err(|_| {
        Error::new(
            ErrorKind::InvalidData,
            "invalid pending request: it does not belong to a consent page; start again",
        )
    })?;
    let callback = Callback::read(callback, &pending.state).map_err(|error| match error {
        CallbackError::Foreign(error) => error,
        CallbackError::Rejected(rejection) => rejection.into_error(&Parties::of_page(&page)),
    })?;
    let granted = callback
        .parameter("admin_consent")
        .is_some_and(|consent| consent.eq_ignore_ascii_case("true"));
    if !granted {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "the callback does not confirm that an administrator has consented; open the consent page \
             again and accept",
        ));
    }
    let text = |name| callback.parameter(name).map(|text| one_line(text, 1000));
    Ok(Consent {
        tenant: text("tenant"),
        scope: text("scope"),
    })
}
