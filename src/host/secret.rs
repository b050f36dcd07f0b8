//! Text that is never printed.

use std::fmt;

use thiserror::Error;

/// A secret or a token: never printed, wiped when dropped.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. The caller must keep it out of messages and logs.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// Why a secret cannot be read or stored.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SecretError {
    /// No secret has this name.
    #[error("there is no such secret")]
    NotFound,
    /// The connector may not use it.
    #[error("the host denies access to it")]
    Denied,
    /// The store failed.
    #[error("the secret store failed: {0}")]
    Unavailable(String),
}
