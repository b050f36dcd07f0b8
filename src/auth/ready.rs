//! An access token that the platform keeps valid.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::store::fetch;
use super::token::Token;
use crate::error::{Error, ErrorKind};
use crate::host::{Clock, Secrets};
use crate::json::Object;
use crate::settings::{EnvironmentUrl, SecretName};

/// The token that the secret holds now.
pub(super) fn token(host: &(impl Secrets + Clock), name: &SecretName) -> Result<Token, Error> {
    let secret = fetch(host, name, "an access token for the environment")?;
    let lifetime = match expiry(secret.reveal()) {
        None => None,
        Some(expiry) => match expiry.checked_sub(host.unix_time()) {
            Some(left) if !left.is_zero() => Some(left),
            _ => {
                return Err(Error::new(
                    ErrorKind::Unauthenticated,
                    format!(
                        "the access token in the secret \"{}\" has expired; have the platform \
                         store a new one",
                        name.as_str()
                    ),
                ));
            }
        },
    };
    Token::new(secret, host.elapsed(), lifetime).ok_or_else(|| {
        Error::new(
            ErrorKind::Unauthenticated,
            format!(
                "the secret \"{}\" holds no access token; store only the token, without \
                 \"Bearer\"",
                name.as_str()
            ),
        )
    })
}

/// The error when the environment has rejected the token, and there is no other yet.
pub(super) fn rejected(name: &SecretName, environment: &EnvironmentUrl) -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        format!(
            "{environment} rejected the access token in the secret \"{}\"; have the platform \
             store a new one, issued for {}",
            name.as_str(),
            environment.origin()
        ),
    )
}

/// When the token expires, if it is a JWT with that claim; otherwise it is opaque here.
fn expiry(token: &str) -> Option<Duration> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    Object::parse(&claims)?
        .integer("exp")
        .map(Duration::from_secs)
}
