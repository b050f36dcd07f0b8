//! Secrets in the system's key ring.

use async_trait::async_trait;
use keyring::{Entry, Error};
use zeroize::Zeroizing;

use dataverse_host::secrets::{Secret, SecretError, SecretStore, is_secret_name};

/// Keeps secrets in the key ring of the user: the Secret Service of a Linux desktop (GNOME
/// Keyring, `KWallet`), the macOS Keychain, or the Windows Credential Manager. An entry is
/// identified by a service, and the secret's name as its user.
#[derive(Debug, Clone)]
pub(crate) struct Keyring {
    service: String,
}

impl Keyring {
    /// The default service.
    pub(crate) const DEFAULT_SERVICE: &str = "dataverse-host";

    /// The entries of this service. A missing key ring is reported when a secret is requested.
    pub(crate) fn of_service(service: impl Into<String>) -> Self {
        Self {
            service: service.into(),
        }
    }

    /// Runs `work` on the entry of a name. The key ring may ask the user to unlock it first.
    async fn on_entry<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<T, SecretError> {
        let (service, name) = (self.service.clone(), name.to_owned());
        let done = tokio::task::spawn_blocking(move || {
            if let Err(error) = Entry::store_status() {
                return Err(SecretError::Unavailable(format!(
                    "no key ring can be reached ({error}); start one, or keep secrets in a file"
                )));
            }
            Entry::new(&service, &name)
                .and_then(|entry| work(&entry))
                .map_err(|error| refusal(&error))
        });
        done.await.unwrap_or_else(|_| {
            let reason = "the key ring stopped unexpectedly";
            Err(SecretError::Unavailable(reason.to_owned()))
        })
    }
}

#[async_trait]
impl SecretStore for Keyring {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        if !is_secret_name(name) {
            return Err(SecretError::NotFound);
        }
        let bytes = self.on_entry(name, Entry::get_secret).await?;
        let bytes = Zeroizing::new(bytes);
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| SecretError::Unavailable(format!("the key ring's {name} is not UTF-8")))?;
        Ok(Secret::new(text))
    }

    async fn put(&self, name: &str, value: Secret) -> Result<(), SecretError> {
        if !is_secret_name(name) {
            return Err(SecretError::Denied);
        }
        self.on_entry(name, move |entry| {
            entry.set_secret(value.expose().as_bytes())
        })
        .await
    }
}

/// The key ring's error, without the secret that some of its errors contain.
fn refusal(error: &Error) -> SecretError {
    match error {
        Error::NoEntry => SecretError::NotFound,
        Error::NoStorageAccess(reason) => SecretError::Unavailable(format!(
            "the key ring is locked or refuses access ({reason}); unlock it and try again"
        )),
        Error::PlatformFailure(reason) => {
            SecretError::Unavailable(format!("the key ring failed: {reason}"))
        }
        Error::TooLong(_, longest) => SecretError::Unavailable(format!(
            "the key ring accepts at most {longest} characters; keep this secret in a file"
        )),
        Error::Ambiguous(entries) => SecretError::Unavailable(format!(
            "the key ring has {} entries of this service and name; delete all but one",
            entries.len()
        )),
        _ => SecretError::Unavailable("the key ring's entry is damaged".to_owned()),
    }
}
