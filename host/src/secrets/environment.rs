//! Secrets in environment variables of the host's process.

use std::collections::BTreeMap;
use std::env::VarError;

use async_trait::async_trait;

use super::{Secret, SecretError, SecretStore, is_secret_name};

/// Reads secrets from environment variables. Read-only.
///
/// A name in `names` is read from the variable given there; every other from the prefix followed
/// by the name in upper case, with `_` for `-` and `.`: with the prefix `CRM_`, `client-secret` is
/// `CRM_CLIENT_SECRET`. So a connector can read no other variable.
#[derive(Debug, Clone)]
pub struct Environment {
    prefix: String,
    names: BTreeMap<String, String>,
}

impl Environment {
    /// The default prefix.
    pub const DEFAULT_PREFIX: &str = "CONNECTOR_SECRET_";

    /// All variables that begin with `prefix`.
    pub fn with_prefix(prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            names: BTreeMap::new(),
        }
    }

    /// Reads the secret `name` from exactly this variable.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>, variable: impl Into<String>) -> Self {
        self.names.insert(name.into(), variable.into());
        self
    }

    /// The variable that holds the secret of this name.
    pub fn variable(&self, name: &str) -> String {
        self.names.get(name).cloned().unwrap_or_else(|| {
            let upper = name.to_ascii_uppercase().replace(['-', '.'], "_");
            format!("{}{upper}", self.prefix)
        })
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::with_prefix(Self::DEFAULT_PREFIX)
    }
}

#[async_trait]
impl SecretStore for Environment {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        if !is_secret_name(name) {
            return Err(SecretError::NotFound);
        }
        match std::env::var(self.variable(name)) {
            Ok(value) => Ok(Secret::new(value)),
            Err(VarError::NotPresent) => Err(SecretError::NotFound),
            Err(VarError::NotUnicode(_)) => Err(SecretError::Unavailable(format!(
                "the environment variable {} is not UTF-8",
                self.variable(name)
            ))),
        }
    }

    async fn put(&self, _name: &str, _value: Secret) -> Result<(), SecretError> {
        Err(SecretError::Denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_prefixed_and_named_variables_are_read() {
        let store = Environment::default().name("home", "HOME");
        assert_eq!(
            store.variable("client-secret"),
            "CONNECTOR_SECRET_CLIENT_SECRET"
        );
        assert_eq!(store.variable("tls.key"), "CONNECTOR_SECRET_TLS_KEY");
        // PATH is set in every test run, and cannot be read.
        assert_eq!(store.get("path").await, Err(SecretError::NotFound));
        assert_eq!(store.get("../etc").await, Err(SecretError::NotFound));
        assert_eq!(
            store.put("home", Secret::new("x")).await,
            Err(SecretError::Denied)
        );
        let cargo = Environment::with_prefix("CARGO_");
        assert_eq!(
            cargo.get("pkg-name").await.unwrap().expose(),
            "dataverse-host"
        );
    }
}
