//! Stores of secrets. A connector requests a secret by name; only the host knows where it is.

mod chain;
mod directory;
mod durable;
mod environment;
mod file;
mod memory;

use std::fmt;

use async_trait::async_trait;
use zeroize::Zeroizing;

pub use chain::Chain;
pub use directory::Directory;
pub use environment::Environment;
pub use file::SecretFile;
pub use memory::InMemory;

/// The maximum size of a secret, or of a file of secrets, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A secret's value: never printed, wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The value itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a secret cannot be read or stored. Mirrors `secret-error` of the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// No secret has this name.
    #[error("no such secret")]
    NotFound,
    /// The secret may not be read or changed.
    #[error("access to the secret is denied")]
    Denied,
    /// The store failed; the text says how, without the secret.
    #[error("the secret store failed: {0}")]
    Unavailable(String),
}

/// Keeps secrets by name.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// The secret of this name.
    ///
    /// # Errors
    /// [`SecretError::NotFound`] when no secret has this name; the others as they say.
    async fn get(&self, name: &str) -> Result<Secret, SecretError>;

    /// Stores a new value under this name; durable when it returns.
    ///
    /// # Errors
    /// [`SecretError::Denied`] when the store is read-only; the others as they say.
    async fn put(&self, name: &str, value: Secret) -> Result<(), SecretError>;
}

/// Whether every store accepts this name: letters, digits, `-`, `_` and `.`, at most 128, not
/// beginning with a dot. So no name leads outside of a directory.
pub fn is_secret_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Runs blocking work on a thread where blocking is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SecretError> + Send + 'static,
) -> Result<T, SecretError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(SecretError::Unavailable(
            "it stopped unexpectedly".to_owned(),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert!(!format!("{:#?}", Some(&secret)).contains("hunter2"));
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn names_stay_inside_their_store() {
        for good in ["client-secret", "A_1", "tls.key", "x"] {
            assert!(is_secret_name(good), "{good}");
        }
        let long = "x".repeat(129);
        for bad in [
            "", ".", "..", ".hidden", "a/b", "a\\b", "a\0b", "über", "a b", "x~y", &long,
        ] {
            assert!(!is_secret_name(bad), "{bad:?}");
        }
    }
}
