//! Workload identity: assertions of another issuer used instead of a secret (reference §2.3).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use thiserror::Error;

/// An issuer whose assertions an application may present instead of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FederatedCredential {
    /// The `iss` of the assertion.
    pub issuer: String,
    /// The `sub` of the assertion.
    pub subject: String,
    /// The `aud` of the assertion.
    pub audience: String,
    /// The issuer's signing keys.
    pub keys: KeySet,
}

impl FederatedCredential {
    /// The default audience of Entra.
    pub const AUDIENCE: &str = "api://AzureADTokenExchange";
}

/// RSA keys of a JSON Web Key Set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet {
    pub(in crate::entra) keys: Vec<PublicKey>,
}

/// The public half of an RSA key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::entra) struct PublicKey {
    pub(in crate::entra) id: Option<String>,
    pub(in crate::entra) modulus: Vec<u8>,
    pub(in crate::entra) exponent: Vec<u8>,
}

/// Why a key set cannot be registered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// Not the JSON of a key set.
    #[error("not a JSON Web Key Set: {0}")]
    Json(#[from] serde_json::Error),
    /// A number of a key is not base64url.
    #[error("a key of the key set is not base64url: {0}")]
    Base64(#[from] base64::DecodeError),
    /// Nothing to verify with.
    #[error("the key set contains no RSA key")]
    Empty,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl KeySet {
    /// Reads a JSON Web Key Set; keys that are not RSA are left out.
    ///
    /// # Errors
    ///
    /// When the text is not a key set, a number in it is not base64url, or it has no RSA key.
    pub fn parse(json: &str) -> Result<Self, KeySetError> {
        let set: Set = serde_json::from_str(json)?;
        let mut keys = Vec::new();
        for key in set.keys {
            if let ("RSA", Some(n), Some(e)) = (key.kty.as_str(), key.n, key.e) {
                keys.push(PublicKey {
                    id: key.kid,
                    modulus: URL_SAFE_NO_PAD.decode(n)?,
                    exponent: URL_SAFE_NO_PAD.decode(e)?,
                });
            }
        }
        if keys.is_empty() {
            return Err(KeySetError::Empty);
        }
        Ok(Self { keys })
    }
}
