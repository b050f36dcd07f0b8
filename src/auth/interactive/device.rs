//! One person signs in on another device (reference 2.6, RFC 8628).

use std::time::Duration;

use zeroize::Zeroize as _;

use super::Interactive;
use crate::auth::form::Form;
use crate::auth::grant::with_client;
use crate::auth::token::seconds;
use crate::auth::token_request::{self, Failure};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Secret};
use crate::json::{Object, Writer};
use crate::text::one_line;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How long to wait between two polls if the authority does not say.
const INTERVAL: Duration = Duration::from_secs(5);
/// How much longer to wait after a request to slow down.
const SLOWER: Duration = Duration::from_secs(5);

/// A code that a person enters on another device.
pub struct DeviceCode {
    /// The code to enter.
    pub user_code: String,
    /// Where to enter it.
    pub verification_url: String,
    /// Instructions for the person.
    pub message: String,
    /// The argument for [`Interactive::poll_device`].
    pub continuation: Secret,
    /// How long to wait before the first poll.
    pub interval: Duration,
    /// How long the code can be used.
    pub expires_in: Duration,
}

/// Whether the person has finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not finished: poll again after this.
    Pending(Duration),
    /// Signed in; the refresh token is in the secret store.
    Done,
}

/// The state of a sign-in, which the host keeps between two polls.
struct Continuation {
    device_code: Secret,
    /// In seconds.
    interval: u64,
    /// In seconds since 1970-01-01T00:00:00Z.
    expires_at: u64,
}

impl Continuation {
    fn write(&self) -> Secret {
        let mut object = Writer::new();
        object.text("device_code", self.device_code.reveal());
        object.member("interval", &self.interval.to_string());
        object.member("expires_at", &self.expires_at.to_string());
        Secret::new(object.end())
    }

    fn read(text: &str) -> Option<Self> {
        let object = Object::parse(text.as_bytes())?;
        Some(Self {
            device_code: Secret::new(object.text("device_code")?),
            interval: object.integer("interval")?,
            expires_at: object.integer("expires_at")?,
        })
    }
}

/// The authority's response when a sign-in starts.
struct DeviceResponse {
    device_code: Secret,
    user_code: String,
    verification_url: String,
    expires_in: Duration,
    interval: Duration,
    message: Option<String>,
}

impl DeviceResponse {
    fn read(body: &[u8]) -> Option<Self> {
        let object = Object::parse(body)?;
        // The second spelling is an older one.
        let url = object
            .text("verification_uri")
            .or_else(|| object.text("verification_url"))?;
        let interval = seconds(&object, "interval").unwrap_or(INTERVAL);
        Some(Self {
            device_code: Secret::new(object.text("device_code")?),
            user_code: one_line(&object.text("user_code")?, 100),
            verification_url: one_line(&url, 1000),
            expires_in: seconds(&object, "expires_in")?,
            interval: interval.max(Duration::from_secs(1)),
            message: object.text("message").map(|text| one_line(&text, 1000)),
        })
    }
}

impl<H: Host> Interactive<H> {
    /// Starts a sign-in on another device.
    ///
    /// # Errors
    /// `InvalidSettings` when the settings are for a sign-in without a person, or the error of the
    /// authority.
    pub async fn begin_device(&self) -> Result<DeviceCode, Error> {
        let delegated = self.delegated()?;
        let issuer = &self.issuer;
        let mut budget = self.budget();
        let authority = issuer.authority(&mut budget).await?;
        let form = || {
            Ok(Form::default()
                .with("client_id", &delegated.client_id)
                .with_all(authority.audience_of_person(&issuer.settings, delegated)))
        };
        let endpoint = authority.device_endpoint();
        let mut response = token_request::post(issuer, &endpoint, &mut budget, form)
            .await
            .map_err(|failure| failure.into_error(issuer, &authority))?;
        let device = DeviceResponse::read(&response.body);
        response.body.zeroize();
        let device = device.ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                format!(
                    "cannot sign in at {}: its response holds no code for another device; check \
                     \"authority\", or sign in with a browser",
                    authority.origin()
                ),
            )
        })?;
        let DeviceResponse {
            user_code,
            verification_url,
            expires_in,
            interval,
            ..
        } = device;
        let continuation = Continuation {
            device_code: device.device_code,
            interval: interval.as_secs(),
            expires_at: issuer.host.unix_time().saturating_add(expires_in).as_secs(),
        };
        let message = device.message.filter(|message| !message.is_empty());
        let message = message.unwrap_or_else(|| {
            format!("To sign in, open {verification_url} and enter the code {user_code}.")
        });
        Ok(DeviceCode {
            user_code,
            verification_url,
            message,
            continuation: continuation.write(),
            interval,
            expires_in,
        })
    }

    /// Checks whether the person has finished.
    ///
    /// # Errors
    /// `Unauthenticated` when the code has expired, `Forbidden` when the person declined; other
    /// errors of the authority; or an error if the refresh token cannot be stored.
    pub async fn poll_device(&self, continuation: &str) -> Result<Progress, Error> {
        let delegated = self.delegated()?;
        let issuer = &self.issuer;
        let continuation = Continuation::read(continuation).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidData,
                "invalid continuation: it does not belong to a sign-in on another device; start \
                the sign-in again",
            )
        })?;
        if issuer.host.unix_time().as_secs() >= continuation.expires_at {
            return Err(Error::new(
                ErrorKind::Unauthenticated,
                "the code for the other device has expired before it was entered; start the \
                 sign-in again",
            ));
        }
        let mut budget = self.budget();
        let authority = issuer.authority(&mut budget).await?;
        let form = || {
            let form = Form::default()
                .with("grant_type", GRANT_TYPE)
                .with_secret("device_code", continuation.device_code.clone());
            with_client(form, issuer, &authority, delegated)
        };
        let interval = Duration::from_secs(continuation.interval);
        match token_request::token(issuer, &authority, &mut budget, form).await {
            Ok(tokens) => self.keep(delegated, tokens).map(|()| Progress::Done),
            Err(Failure::Rejected(rejection))
                if rejection.oauth_error() == "authorization_pending" =>
            {
                Ok(Progress::Pending(interval))
            }
            Err(Failure::Rejected(rejection)) if rejection.oauth_error() == "slow_down" => {
                Ok(Progress::Pending(interval + SLOWER))
            }
            Err(failure) => Err(failure.into_error(issuer, &authority)),
        }
    }
}
