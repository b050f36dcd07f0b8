//! Secrets of the host's store, and errors when one cannot be read or stored.

use crate::error::{Error, ErrorKind};
use crate::host::{Secret, SecretError, Secrets};
use crate::settings::SecretName;

/// The secret, without the line break that an editor or `echo` adds. `content` is what it must
/// contain, for messages.
pub(super) fn fetch(
    secrets: &impl Secrets,
    name: &SecretName,
    content: &str,
) -> Result<Secret, Error> {
    let name = name.as_str();
    match secrets.get(name) {
        Ok(secret) if secret.reveal().trim().is_empty() => Err(Error::new(
            ErrorKind::Unauthenticated,
            format!("the secret \"{name}\" is empty; store {content} in it"),
        )),
        Ok(secret) => Ok(Secret::new(secret.reveal().trim())),
        Err(SecretError::NotFound) => Err(Error::new(
            ErrorKind::Unauthenticated,
            format!("there is no secret \"{name}\"; store {content} in it"),
        )),
        Err(SecretError::Denied) => Err(Error::new(
            ErrorKind::Forbidden,
            format!("this connection may not read the secret \"{name}\"; allow it in the host"),
        )),
        Err(SecretError::Unavailable(reason)) => Err(Error::new(
            ErrorKind::Unavailable,
            format!("the secret \"{name}\" cannot be read: {reason}; try again later"),
        )),
    }
}

/// Stores a refresh token. When this returns, the token is durable.
pub(super) fn keep(secrets: &impl Secrets, name: &SecretName, token: &Secret) -> Result<(), Error> {
    let name = name.as_str();
    let error = match secrets.put(name, token) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let (kind, advice) = match &error {
        SecretError::NotFound | SecretError::Denied => (
            ErrorKind::Forbidden,
            "allow this connection to write the secret, because every renewal replaces it",
        ),
        SecretError::Unavailable(_) => (
            ErrorKind::Unavailable,
            "repair the secret store, because every renewal replaces the secret",
        ),
    };
    Err(Error::new(
        kind,
        format!(
            "cannot store the new refresh token in the secret \"{name}\": {error}; the old one \
             stays in use; {advice}"
        ),
    ))
}
