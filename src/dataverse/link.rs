//! Addresses inside the Web API of the environment, and no others.
//!
//! A token goes to one origin only. Every request goes to a [`Link`], and a link exists only
//! for an address below the API root: what the service sends as `nextLink` or `deltaLink` is
//! checked like any other text from outside.

use std::fmt;

use url::Url;

use super::environment::Environment;
use crate::error::{Error, ErrorKind};

/// The longest address that the service takes, in characters (reference 4.12).
const MAX_LENGTH: usize = 32_768;

/// An absolute address below the API root.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    text: String,
    url: Url,
    /// Where the part below the API root begins in the URL's text.
    root_length: usize,
}

impl Link {
    /// The address of a resource, relative to the API root and already percent-encoded.
    pub(super) fn resource(environment: &Environment, resource: &str) -> Result<Self, Error> {
        let text = format!("{}{resource}", environment.api_root());
        if text.len() > MAX_LENGTH {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the request for {} is longer than the {MAX_LENGTH} characters that \
                     Dataverse takes; select fewer columns",
                    printable(resource.split(['?', '(']).next().unwrap_or_default()),
                ),
            ));
        }
        Self::check(environment, &text).map_err(|reason| {
            Error::new(
                ErrorKind::Internal,
                format!(
                    "the connector made an address it may not use: {reason}; this is a defect \
                     of the connector"
                ),
            )
        })
    }

    /// An address as the service sent it, kept verbatim.
    pub(super) fn received(environment: &Environment, text: &str) -> Result<Self, Error> {
        Self::check(environment, text).map_err(|reason| {
            Error::new(
                ErrorKind::Unavailable,
                format!(
                    "the service sent a link that is not followed: {reason}; if a proxy rewrites \
                     addresses, set \"environment\" to the address that the links carry"
                ),
            )
        })
    }

    fn check(environment: &Environment, text: &str) -> Result<Self, String> {
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return Err("it holds a character that no address may hold".to_owned());
        }
        let url = Url::parse(text).map_err(|_| "it is not an absolute address".to_owned())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it holds a user name or a password".to_owned());
        }
        if url.fragment().is_some() {
            return Err("it holds a fragment".to_owned());
        }
        let root = environment.api_root();
        if url.origin() != root.origin() {
            return Err(format!(
                "it leads to {} and not to {}",
                url.origin().ascii_serialization(),
                environment.origin()
            ));
        }
        if !url.path().starts_with(root.path()) || climbs(url.path()) {
            return Err(format!("it leads out of {root}"));
        }
        Ok(Self { text: text.to_owned(), url, root_length: root.as_str().len() })
    }

    /// The address as it was made or received.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address to send a request to.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The resource, for messages: what stands between the API root and the query.
    pub fn resource_name(&self) -> &str {
        let path = self.url.as_str().get(self.root_length..).unwrap_or_default();
        match path.split('?').next().unwrap_or_default() {
            "" => "the API root",
            name => name,
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.text).finish()
    }
}

/// Whether some server could read the path as climbing up. The URL parser has resolved plain
/// and percent-encoded dots; what is left are dots between encoded slashes.
fn climbs(path: &str) -> bool {
    let mut decoded = path.to_ascii_lowercase();
    // Twice, for servers that decode twice.
    for _ in 0..2 {
        for (code, character) in [("%25", "%"), ("%2e", "."), ("%2f", "/"), ("%5c", "/")] {
            decoded = decoded.replace(code, character);
        }
    }
    decoded.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// Text from outside, fit for a message.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}
