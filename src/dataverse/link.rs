//! Addresses inside the Web API of the environment, and no others.
//!
//! A token goes to one origin only. Every request goes to a [`Link`], and a link exists only
//! for an address below the API root: what the service sends as `nextLink` or `deltaLink` is
//! checked like any other text from outside.

use std::fmt;

use url::Url;

use super::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::host::Target;

/// The longest address that the service takes, in characters (reference 4.12).
const MAX_LENGTH: usize = 32_768;

/// An absolute address below the API root.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    text: String,
    target: Target,
    /// How long the API root's path is, at the beginning of the target's.
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
        let mut target = Target::from(&url);
        if let Some(verbatim) = path_and_query(text).filter(|text| text.chars().all(sendable)) {
            target.path_and_query = verbatim.to_owned();
        }
        let path = target.path_and_query.split('?').next().unwrap_or_default();
        if !path.starts_with(root.path()) || climbs(path) {
            return Err(format!("it leads out of {root}"));
        }
        Ok(Self { text: text.to_owned(), target, root_length: root.path().len() })
    }

    /// The address as it was made or received.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the request goes: the path and query letter by letter as in the text, unless
    /// they hold a character that HTTP cannot carry.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// The resource, for messages: what stands between the API root and the query.
    pub fn resource_name(&self) -> &str {
        let path = self.target.path_and_query.get(self.root_length..).unwrap_or_default();
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

/// What follows the authority in the text of an address.
fn path_and_query(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let plain = scheme.bytes().all(|byte| byte.is_ascii_alphabetic());
    plain.then(|| rest.find(['/', '?']).and_then(|start| rest.get(start..))).flatten()
}

/// Whether a request line may hold the character as it is.
fn sendable(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '#')
}

/// Whether some server could read the path as climbing up, by dots and slashes that are plain
/// or percent-encoded.
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
