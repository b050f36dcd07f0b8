//! PKCE: the challenge of a code and its verifier (RFC 7636).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest;

use crate::entra::error::EntraError;

/// How the client proves that it is the one that requested the code (RFC 7636).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::entra) enum Challenge {
    Plain(String),
    /// base64url of the SHA-256 of the verifier.
    S256(String),
}

impl Challenge {
    pub(in crate::entra) fn parse(
        challenge: &str,
        method: Option<&str>,
    ) -> Result<Self, EntraError> {
        if !(43..=128).contains(&challenge.len()) {
            return Err(EntraError::challenge_size());
        }
        match method {
            Some("S256") => Ok(Self::S256(challenge.to_owned())),
            Some("plain") | None => Ok(Self::Plain(challenge.to_owned())),
            Some(other) => Err(EntraError::bad_parameter("code_challenge_method", other)),
        }
    }

    pub(in crate::entra) fn check(&self, verifier: Option<&str>) -> Result<(), EntraError> {
        let verifier = verifier.ok_or_else(EntraError::verifier)?;
        if !(43..=128).contains(&verifier.len()) {
            return Err(EntraError::verifier_size());
        }
        let matches = match self {
            Self::Plain(challenge) => challenge == verifier,
            Self::S256(challenge) => {
                let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
                *challenge == URL_SAFE_NO_PAD.encode(hash)
            }
        };
        if matches {
            Ok(())
        } else {
            Err(EntraError::verifier())
        }
    }
}
