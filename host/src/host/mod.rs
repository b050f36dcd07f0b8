//! A loaded connector, from which sessions are opened.

mod builder;

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::authorization::Authorization;
use crate::bindings::ConnectorPre;
use crate::contract::{ConnectorDescription, Role};
use crate::error::CallError;
use crate::instance::{Instance, State};
use crate::profile::Profile;
use crate::secrets::InMemory;
use crate::session::Session;

pub use builder::{ConnectorHostBuilder, Loading};

/// A connector component, loaded and compiled once, for any number of sessions at the same time.
///
/// Cheap to clone.
#[derive(Clone)]
pub struct ConnectorHost {
    shared: Arc<Shared>,
}

struct Shared {
    pre: ConnectorPre<State>,
    environment: Vec<(String, String)>,
    /// One for each concurrent instance.
    permits: Arc<Semaphore>,
    loading: Loading,
}

impl ConnectorHost {
    /// Starts with nothing to load.
    pub fn builder() -> ConnectorHostBuilder {
        ConnectorHostBuilder::default()
    }

    /// How the component was loaded.
    pub fn loading(&self) -> Loading {
        self.shared.loading
    }

    /// Who the connector is and which settings it takes. Needs no connection.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn describe(&self) -> Result<ConnectorDescription, CallError> {
        self.instantiate_without_network()
            .await?
            .call("connection.describe", async |connector, store| {
                connector
                    .integration_connector_connection()
                    .call_describe(store)
                    .await
            })
            .await
    }

    /// The permissions that the account of a connection with these settings needs, and the calls
    /// that create such a role. Needs neither network nor secrets.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn required_role(&self, settings: &str) -> Result<Role, CallError> {
        let settings = settings.to_owned();
        self.instantiate_without_network()
            .await?
            .try_call("connection.required-role", async |connector, store| {
                connector
                    .integration_connector_connection()
                    .call_required_role(store, &settings)
                    .await
            })
            .await
    }

    /// Prepares signing in with a person's help, in an instance of its own that can reach the
    /// origins of this profile. Sends nothing yet. The result of signing in is kept in the
    /// profile's secrets; open sessions afterwards.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn authorization(&self, profile: &Profile) -> Result<Authorization, CallError> {
        Authorization::open(self.instantiate(profile).await?, profile).await
    }

    /// Opens a session of this profile in an instance of its own. The connector first states its
    /// origins, without network; only those are allowed. Sends nothing yet.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn open(&self, profile: &Profile) -> Result<Session, CallError> {
        Session::open(self.instantiate(profile).await?, profile).await
    }

    /// An instance without settings, secrets or network.
    async fn instantiate_without_network(&self) -> Result<Instance, CallError> {
        let empty = Profile::new("{}", InMemory::new()).map_err(|error| CallError::Trap {
            call: "instantiate",
            reason: error.to_string(),
        })?;
        self.instantiate(&empty).await
    }

    async fn instantiate(&self, profile: &Profile) -> Result<Instance, CallError> {
        let permit = Arc::clone(&self.shared.permits).try_acquire_owned();
        let permit = permit.map_err(|_| CallError::TooMany)?;
        Instance::new(&self.shared.pre, profile, &self.shared.environment, permit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A platform moves these between threads.
    #[test]
    fn futures_can_be_spawned() {
        fn spawnable<T: Send>(_: impl FnOnce(&'static ConnectorHost, &'static Profile) -> T) {}
        spawnable(|host, profile| async {
            let mut session = host.open(profile).await?;
            session.check().await?;
            session.describe_streams(&[]).await?;
            session.create_role("").await?;
            let mut sync = session.sync(&[]).await?;
            sync.next().await?;
            sync.close().await
        });
        spawnable(|host, profile| async {
            host.required_role("").await?;
            let mut authorization = host.authorization(profile).await?;
            let request = authorization.sign_in("").await?;
            authorization.complete("", &request, "").await?;
            let code = authorization.begin_device().await?;
            authorization.poll_device(&code.continuation).await
        });
        spawnable(|host, profile| async {
            let sink = Box::new(crate::sink::JsonLines::open("").unwrap());
            let never = std::future::pending();
            crate::run_sync(host, profile, &[], sink, &mut crate::Silent, never).await
        });
    }
}
