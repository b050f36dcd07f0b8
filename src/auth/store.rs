//! Secrets of the host's store, and what to say when one is not to be had.

use crate::error::{Error, ErrorKind};
use crate::host::{Secret, SecretError, Secrets};
use crate::settings::SecretName;

/// The secret, without the line break that an editor or `echo` adds; `what` it is to hold
/// goes into the error.
pub(super) fn fetch(
    secrets: &impl Secrets,
    name: &SecretName,
    what: &str,
) -> Result<Secret, Error> {
    let name = name.as_str();
    match secrets.get(name) {
        Ok(secret) if secret.reveal().trim().is_empty() => Err(Error::new(
            ErrorKind::Unauthenticated,
            format!("the secret \"{name}\" is empty; store {what} under it"),
        )),
        Ok(secret) => Ok(Secret::new(secret.reveal().trim())),
        Err(SecretError::NotFound) => Err(Error::new(
            ErrorKind::Unauthenticated,
            format!("there is no secret \"{name}\"; store {what} under it"),
        )),
        Err(SecretError::Denied) => Err(Error::new(
            ErrorKind::Forbidden,
            format!("this connection may not read the secret \"{name}\"; allow it to"),
        )),
        Err(SecretError::Unavailable(reason)) => Err(Error::new(
            ErrorKind::Unavailable,
            format!("the secret \"{name}\" cannot be read now: {reason}"),
        )),
    }
}

/// Keeps a refresh token. When it returns, the token is durable.
pub(super) fn keep(secrets: &impl Secrets, name: &SecretName, token: &Secret) -> Result<(), Error> {
    let name = name.as_str();
    let error = match secrets.put(name, token) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let (kind, advice) = match &error {
        SecretError::NotFound | SecretError::Denied => (
            ErrorKind::Forbidden,
            "let this connection write the secret, because every renewal brings a new one",
        ),
        SecretError::Unavailable(_) => (
            ErrorKind::Unavailable,
            "mend the secret store, because every renewal brings a new one",
        ),
    };
    Err(Error::new(
        kind,
        format!(
            "the new refresh token cannot be kept as the secret \"{name}\", so it is not used, \
             and the old one stays: {error}; {advice}"
        ),
    ))
}
