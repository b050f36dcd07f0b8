//! Secrets that the embedding program holds itself.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;

use super::{Secret, SecretError, SecretStore};

/// Secrets in memory. What is put lives as long as the store.
#[derive(Debug, Default)]
pub struct InMemory {
    secrets: RwLock<HashMap<String, Secret>>,
}

impl InMemory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret.
    #[must_use]
    pub fn with(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.secrets
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.into(), Secret::new(value));
        self
    }
}

#[async_trait]
impl SecretStore for InMemory {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.get(name).cloned().ok_or(SecretError::NotFound)
    }

    async fn put(&self, name: &str, value: Secret) -> Result<(), SecretError> {
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(name.to_owned(), value);
        Ok(())
    }
}
