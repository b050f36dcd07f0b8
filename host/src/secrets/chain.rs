//! Several stores, searched in order.

use async_trait::async_trait;

use super::{Secret, SecretError, SecretStore};

/// Searches each store in turn; the first that has the name wins. A store that fails ends the
/// search: an outage must not make an older value of a later store look current.
#[derive(Default)]
pub struct Chain {
    stores: Vec<Box<dyn SecretStore>>,
}

impl Chain {
    /// A chain without stores.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a store.
    #[must_use]
    pub fn then(mut self, store: impl SecretStore + 'static) -> Self {
        self.stores.push(Box::new(store));
        self
    }
}

#[async_trait]
impl SecretStore for Chain {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        for store in &self.stores {
            match store.get(name).await {
                Err(SecretError::NotFound) => {}
                found => return found,
            }
        }
        Err(SecretError::NotFound)
    }

    /// Stores it in the store that has the name, so that the next `get` finds it; a new name in the
    /// first store that accepts it.
    async fn put(&self, name: &str, value: Secret) -> Result<(), SecretError> {
        for store in &self.stores {
            match store.get(name).await {
                Err(SecretError::NotFound) => {}
                Ok(_) => return store.put(name, value).await,
                Err(error) => return Err(error),
            }
        }
        for store in &self.stores {
            match store.put(name, value.clone()).await {
                Err(SecretError::Denied) => {}
                stored => return stored,
            }
        }
        Err(SecretError::Denied)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, InMemory};
    use super::*;

    #[tokio::test]
    async fn the_first_store_with_the_name_is_read_and_written() {
        let chain = Chain::new().then(Environment::with_prefix("CARGO_")).then(
            InMemory::new()
                .with("pkg-name", "shadowed")
                .with("token", "old"),
        );
        assert_eq!(
            chain.get("pkg-name").await.unwrap().expose(),
            "dataverse-host"
        );
        chain.put("token", Secret::new("new")).await.unwrap();
        assert_eq!(chain.get("token").await.unwrap().expose(), "new");
        // A value in a later store would never be found.
        assert_eq!(
            chain.put("pkg-name", Secret::new("x")).await,
            Err(SecretError::Denied)
        );
        chain.put("fresh", Secret::new("1")).await.unwrap();
        assert_eq!(chain.get("fresh").await.unwrap().expose(), "1");
        assert_eq!(chain.get("none").await, Err(SecretError::NotFound));
    }
}
