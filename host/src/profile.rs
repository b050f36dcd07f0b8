//! A connection profile: everything that makes one connection different from another.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::network::{Gateway, Metrics, Network, NetworkError};
use crate::secrets::SecretStore;

/// The limits of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory for all of an instance, in bytes. Default 64 MiB.
    pub memory: usize,
    /// Wall-clock time for one call, waits included. Default 10 min: a connector may wait for
    /// minutes when the service asks it to slow down.
    pub call: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            call: Duration::from_mins(10),
        }
    }
}

/// Settings, secrets, network and limits of one connection, and its pool of connections.
///
/// Cheap to clone; clones share the pool. Two profiles never do.
#[derive(Clone)]
pub struct Profile {
    pub(crate) settings: Arc<String>,
    pub(crate) secrets: Arc<dyn SecretStore>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) limits: Limits,
}

impl Profile {
    /// A profile with default network and limits. `settings` is the JSON document that the
    /// connector describes by its settings schema, or another form that it accepts; it is passed
    /// on unchanged.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(
        settings: impl Into<String>,
        secrets: impl SecretStore + 'static,
    ) -> Result<Self, NetworkError> {
        Ok(Self {
            settings: Arc::new(settings.into()),
            secrets: Arc::new(secrets),
            gateway: Arc::new(Gateway::new(&Network::default())?),
            limits: Limits::default(),
        })
    }

    /// The same connection with another network policy, and a new pool.
    ///
    /// # Errors
    /// When a certificate authority of the policy cannot be used.
    pub fn with_network(mut self, network: &Network) -> Result<Self, NetworkError> {
        self.gateway = Arc::new(Gateway::new(network)?);
        Ok(self)
    }

    /// The same connection within other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What this profile has done on the network so far.
    pub fn metrics(&self) -> &Metrics {
        &self.gateway.metrics
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Settings in another form, such as a connection string, may contain secrets.
        let settings = if self.settings.trim_start().starts_with('{') {
            self.settings.as_str()
        } else {
            "…"
        };
        f.debug_struct("Profile")
            .field("settings", &settings)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
