//! What a browser brings back.

use subtle::ConstantTimeEq as _;
use url::form_urlencoded;

use crate::auth::refusal::Refusal;
use crate::error::{Error, ErrorKind};

/// The parameters of a callback that belongs to the request.
pub(super) struct Callback(Vec<(String, String)>);

/// What came instead of success.
#[derive(Debug)]
pub(super) enum Mishap {
    /// The callback does not belong to the request.
    Foreign(Error),
    /// The authority said no, or the person did.
    Refused(Refusal),
}

impl Callback {
    /// Reads the URL to which the browser came back, or what follows its host.
    ///
    /// A refusal may come without the state, as the older consent page sends it; nothing
    /// else is believed without.
    pub(super) fn read(callback: &str, state: &str) -> Result<Self, Mishap> {
        let (_, parameters) = callback.split_once(['?', '#']).unwrap_or_default();
        // Some pages answer in the fragment, and others leave an empty one behind.
        let callback: Vec<(String, String)> = parameters
            .split('#')
            .flat_map(|part| form_urlencoded::parse(part.as_bytes()))
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        let callback = Self(callback);
        let error = callback.parameter("error");
        let belongs = match callback.parameter("state") {
            Some(came) => !state.is_empty() && bool::from(came.as_bytes().ct_eq(state.as_bytes())),
            None => error.is_some(),
        };
        if !belongs {
            return Err(Mishap::Foreign(Error::new(
                ErrorKind::Unauthenticated,
                "this callback does not belong to the sign-in that was begun (its state differs); \
                 begin again, and finish in the same browser",
            )));
        }
        // A consent page says `admin_consent=True` also when it failed: the error counts.
        match error {
            Some(error) => {
                let description = callback.parameter("error_description").unwrap_or_default();
                Err(Mishap::Refused(Refusal::brought_back(error, description)))
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
