//! Signing in where a person must take part: in a browser, or on another device.

use std::sync::Arc;
use std::time::Duration;

use crate::bindings::exports::integration::connector::authorization as contract;
use crate::contract::Consent;
use crate::error::CallError;
use crate::instance::Instance;
use crate::network::Origin;
use crate::profile::Profile;
use crate::secrets::Secret;

/// Signing in to one connection, prepared by
/// [`ConnectorHost::authorization`](crate::ConnectorHost::authorization).
///
/// Nothing is kept between two calls: a sign-in that one of these started can be completed by
/// another, also in another process, with the same settings and redirect URI.
pub struct Authorization {
    instance: Instance,
    settings: Arc<String>,
    origins: Vec<Origin>,
}

/// A page to open in a browser, and what to keep until the browser returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The page to open. It is at one of the origins that the connector states.
    pub url: String,
    /// Returned in the callback, which it ties to this request.
    pub state: String,
    /// Proves that the sign-in is completed by the one who started it. Empty where no proof is
    /// needed. Keep it with the other secrets of the person's web session.
    pub verifier: Secret,
}

/// A code that a person types in on another device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCode {
    /// What to type in.
    pub user_code: String,
    /// Where to type it in.
    pub verification_url: String,
    /// The same for a person, in the service's own words.
    pub message: String,
    /// The argument of [`Authorization::poll_device`].
    pub continuation: Secret,
    /// How long to wait before the first poll.
    pub interval: Duration,
    /// How long the code can be used.
    pub expires_in: Duration,
}

/// The state of a sign-in on another device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceProgress {
    /// The person has not finished: poll again after this time.
    Pending(Duration),
    /// Signed in; the secrets that later sessions need are in the profile's store.
    Done,
}

impl Authorization {
    pub(crate) async fn open(mut instance: Instance, profile: &Profile) -> Result<Self, CallError> {
        let settings = Arc::clone(&profile.settings);
        let origins = instance.open_origins(&settings).await?;
        Ok(Self {
            instance,
            settings,
            origins,
        })
    }

    /// The page where one person signs in. `redirect_uri` is where the browser returns to, exactly as
    /// it is registered with the service.
    ///
    /// # Errors
    /// When the settings do not sign in a person, or the page is at no stated origin.
    pub async fn sign_in(&mut self, redirect_uri: &str) -> Result<AuthorizationRequest, CallError> {
        let settings = &self.settings;
        let request = self
            .instance
            .try_call("authorization.sign-in", async |connector, store| {
                connector
                    .integration_connector_authorization()
                    .call_sign_in(store, settings, redirect_uri)
                    .await
            })
            .await?;
        self.accept(request)
    }

    /// Takes the whole URL to which the browser returned from [`sign_in`](Self::sign_in). When this
    /// returns, the secrets that later sessions need are in the profile's store, which must be
    /// writable.
    ///
    /// # Errors
    /// When the callback does not belong to the request, the service refuses it, or the store does.
    pub async fn complete(
        &mut self,
        redirect_uri: &str,
        request: &AuthorizationRequest,
        callback: &str,
    ) -> Result<(), CallError> {
        let settings = &self.settings;
        let pending = request.into();
        self.instance
            .try_call("authorization.complete", async |connector, store| {
                connector
                    .integration_connector_authorization()
                    .call_complete(store, settings, redirect_uri, &pending, callback)
                    .await
            })
            .await
    }

    /// The page where an administrator consents, for everybody, that the application may sign in.
    ///
    /// # Errors
    /// When the settings name no application, or the page is at no stated origin.
    pub async fn admin_consent(
        &mut self,
        redirect_uri: &str,
    ) -> Result<AuthorizationRequest, CallError> {
        let settings = &self.settings;
        let request = self
            .instance
            .try_call("authorization.admin-consent", async |connector, store| {
                connector
                    .integration_connector_authorization()
                    .call_admin_consent(store, settings, redirect_uri)
                    .await
            })
            .await?;
        self.accept(request)
    }

    /// Reads the whole URL to which the browser returned from
    /// [`admin_consent`](Self::admin_consent). It does not prove who gave consent.
    ///
    /// # Errors
    /// When the callback does not belong to the request, or consent was refused.
    pub async fn complete_admin_consent(
        &mut self,
        request: &AuthorizationRequest,
        callback: &str,
    ) -> Result<Consent, CallError> {
        let pending = request.into();
        self.instance
            .try_call(
                "authorization.complete-admin-consent",
                async |connector, store| {
                    connector
                        .integration_connector_authorization()
                        .call_complete_admin_consent(store, &pending, callback)
                        .await
                },
            )
            .await
    }

    /// Begins a sign-in on another device.
    ///
    /// # Errors
    /// When the settings do not sign in a person, or the service refuses.
    pub async fn begin_device(&mut self) -> Result<DeviceCode, CallError> {
        let settings = &self.settings;
        let code = self
            .instance
            .try_call("authorization.begin-device", async |connector, store| {
                connector
                    .integration_connector_authorization()
                    .call_begin_device(store, settings)
                    .await
            })
            .await?;
        Ok(DeviceCode {
            user_code: code.user_code,
            verification_url: code.verification_url,
            message: code.message,
            continuation: Secret::new(code.continuation),
            interval: Duration::from_millis(code.interval_ms),
            expires_in: Duration::from_millis(code.expires_in_ms),
        })
    }

    /// Asks whether the sign-in on another device is finished. `continuation` is the code's.
    ///
    /// # Errors
    /// When the code has expired, the person refused, or the secrets cannot be stored.
    pub async fn poll_device(
        &mut self,
        continuation: &Secret,
    ) -> Result<DeviceProgress, CallError> {
        let settings = &self.settings;
        let progress = self
            .instance
            .try_call("authorization.poll-device", async |connector, store| {
                connector
                    .integration_connector_authorization()
                    .call_poll_device(store, settings, continuation.expose())
                    .await
            })
            .await?;
        Ok(match progress {
            contract::DeviceProgress::Pending(wait) => {
                DeviceProgress::Pending(Duration::from_millis(wait))
            }
            contract::DeviceProgress::Done => DeviceProgress::Done,
        })
    }

    /// Accepts a page only at an origin that the connector stated: a person will enter a password
    /// there.
    fn accept(&self, request: contract::Request) -> Result<AuthorizationRequest, CallError> {
        let covered = request
            .url
            .parse()
            .is_ok_and(|url| self.origins.iter().any(|origin| origin.covers(&url)));
        if !covered {
            let place = url::Url::parse(&request.url).map_or_else(
                |_| "an invalid address".to_owned(),
                |url| url[..url::Position::BeforePath].to_owned(),
            );
            return Err(CallError::Page { place });
        }
        Ok(AuthorizationRequest {
            url: request.url,
            state: request.state,
            verifier: Secret::new(request.verifier),
        })
    }
}

impl From<&AuthorizationRequest> for contract::Request {
    fn from(request: &AuthorizationRequest) -> Self {
        Self {
            url: request.url.clone(),
            state: request.state.clone(),
            verifier: request.verifier.expose().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let request = AuthorizationRequest {
            url: "https://login.example/authorize".to_owned(),
            state: "s".to_owned(),
            verifier: Secret::new("hunter2"),
        };
        let code = DeviceCode {
            user_code: "ABC".to_owned(),
            verification_url: "https://login.example/device".to_owned(),
            message: String::new(),
            continuation: Secret::new("hunter2"),
            interval: Duration::from_secs(5),
            expires_in: Duration::from_mins(15),
        };
        let text = format!("{request:?} {code:?}");
        assert!(text.contains("ABC") && !text.contains("hunter2"), "{text}");
    }
}
