//! Secrets in the system's own keyring.

use async_trait::async_trait;
use keyring::{Entry, Error};
use zeroize::Zeroizing;

use super::{Secret, SecretError, SecretStore, is_secret_name, on_a_thread};

/// Keeps secrets in the keyring of the user: the Secret Service of a Linux desktop (GNOME
/// Keyring, `KWallet`), the macOS Keychain, or the Windows Credential Manager. An entry is known
/// by a service, which is chosen here, and the secret's name as its user.
#[derive(Debug, Clone)]
pub struct Keyring {
    service: String,
}

impl Keyring {
    /// The service when none is chosen.
    pub const DEFAULT_SERVICE: &str = "dataverse-host";

    /// The entries of this service. Whether a keyring runs shows when a secret is asked for.
    pub fn of_service(service: impl Into<String>) -> Self {
        Self {
            service: service.into(),
        }
    }

    /// Runs `work` on the entry of a name. The keyring may ask the user to unlock it first.
    async fn on_entry<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<T, SecretError> {
        let (service, name) = (self.service.clone(), name.to_owned());
        on_a_thread(move || {
            if let Err(error) = Entry::store_status() {
                return Err(SecretError::Unavailable(format!(
                    "no keyring can be reached here ({error}); start one, or keep secrets in a \
                     file"
                )));
            }
            Entry::new(&service, &name)
                .and_then(|entry| work(&entry))
                .map_err(|error| refusal(&error))
        })
        .await
    }
}

impl Default for Keyring {
    fn default() -> Self {
        Self::of_service(Self::DEFAULT_SERVICE)
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
            .map_err(|_| SecretError::Unavailable(format!("the keyring's {name} is not UTF-8")))?;
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

/// The keyring's words, without the secret that some of its errors carry.
fn refusal(error: &Error) -> SecretError {
    match error {
        Error::NoEntry => SecretError::NotFound,
        Error::NoStorageAccess(reason) => SecretError::Unavailable(format!(
            "the keyring is locked or refuses access ({reason}); unlock it and try again"
        )),
        Error::PlatformFailure(reason) => {
            SecretError::Unavailable(format!("the keyring failed: {reason}"))
        }
        Error::TooLong(_, longest) => SecretError::Unavailable(format!(
            "the keyring takes no more than {longest} characters; keep this secret in a file"
        )),
        Error::Ambiguous(entries) => SecretError::Unavailable(format!(
            "the keyring has {} entries of this service and name; delete all but one",
            entries.len()
        )),
        _ => SecretError::Unavailable("the keyring's entry is damaged".to_owned()),
    }
}
