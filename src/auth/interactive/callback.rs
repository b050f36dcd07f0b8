//! The callback of a browser.

use subtle::ConstantTimeEq as _;
use url::form_urlencoded;

use crate::auth::rejection::Rejection;
use crate::error::{Error, ErrorKind};

/// The parameters of a callback that belongs to the request.
pub(super) struct Callback(Vec<(String, String)>);

/// Why a callback reports no success.
#[derive(Debug)]
pub(super) enum CallbackError {
    /// The callback does not belong to the request.
    Foreign(Error),
    /// The authority or the person rejected the sign-in.
    Rejected(Rejection),
}

impl Callback {
    /// Reads the URL to which the browser was redirected, or what follows its host.
    ///
    /// An error may come without the state, as from the older consent page; nothing else is
    /// accepted without it.
    pub(super) fn read(callback: &str, state: &str) -> Result<Self, CallbackError> {
        let (_, parameters) = callback.split_once(['?', '#']).unwrap_or_default();
        // Some pages use the fragment, and others leave an empty one behind.
        let callback: Vec<(String, String)> = parameters
            .split('#')
            .flat_map(|part| form_urlencoded::parse(part.as_bytes()))
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        let callback = Self(callback);
        let error = callback.parameter("error");
        let belongs = match callback.parameter("state") {
            Some(returned) => {
                !state.is_empty() && bool::from(returned.as_bytes().ct_eq(state.as_bytes()))
            }
            None => error.is_some(),
        };
        if !belongs {
            return Err(CallbackError::Foreign(Error::new(
                ErrorKind::Unauthenticated,
                "this callback does not belong to the sign-in that was started (its state differs); \
                 start again, and finish in the same browser",
            )));
        }
        // A consent page sends `admin_consent=True` even if it failed: the error counts.
        match error {
            Some(error) => {
                let description = callback.parameter("error_description").unwrap_or_default();
                Err(CallbackError::Rejected(Rejection::in_callback(
                    error,
                    description,
                )))
            }
            None => Ok(callback),
        }
    }

    /// The first parameter of that name, unless it is empty.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}
