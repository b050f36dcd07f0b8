//! One instance of a component: its limits, and calls that always end.

mod memory;
mod state;
mod stderr;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use wasmtime::{AsContextMut, PoolConcurrencyLimitError, Store, StoreContextMut};

use crate::bindings::integration::connector::types;
use crate::bindings::{Connector, ConnectorPre};
use crate::contract::ConnectorError;
use crate::error::CallError;
use crate::network::Origin;
use crate::profile::Profile;

pub(crate) use state::{State, link};

/// An instance, and whether it can still be called.
pub(crate) struct Instance {
    store: Store<State>,
    pub(crate) exports: Arc<Connector>,
    limit: Duration,
    alive: bool,
    /// Released after the store is dropped.
    _permit: OwnedSemaphorePermit,
}

impl Instance {
    pub(crate) async fn new(
        pre: &ConnectorPre<State>,
        profile: &Profile,
        environment: &[(String, String)],
        permit: OwnedSemaphorePermit,
    ) -> Result<Self, CallError> {
        let mut store = Store::new(pre.engine(), State::new(profile, environment));
        store.limiter(|state| &mut state.memory);
        // Yield at each tick: a busy instance then neither starves others nor escapes the timeout
        // around its call.
        store.epoch_deadline_async_yield_and_update(1);
        let exports = pre.instantiate_async(&mut store).await.map_err(|error| {
            if error.is::<PoolConcurrencyLimitError>() {
                return CallError::TooMany;
            }
            CallError::Trap {
                call: "instantiate",
                reason: explain(&error, store.data()),
            }
        })?;
        Ok(Self {
            store,
            exports: Arc::new(exports),
            limit: profile.limits.call,
            alive: true,
            _permit: permit,
        })
    }

    pub(crate) fn state(&mut self) -> &mut State {
        self.store.data_mut()
    }

    /// Asks the connector, which has no network yet, for the origins that these settings need, and
    /// allows exactly those.
    ///
    /// # Errors
    /// Those of the call, and [`CallError::Origin`] for an origin that cannot be allowed.
    pub(crate) async fn open_origins(&mut self, settings: &str) -> Result<Vec<Origin>, CallError> {
        let settings = settings.to_owned();
        let stated = self
            .try_call("connection.origins", async |connector, store| {
                connector
                    .integration_connector_connection()
                    .call_origins(store, &settings)
                    .await
            })
            .await?;
        let origins = stated
            .iter()
            .map(|origin| origin.parse())
            .collect::<Result<Vec<Origin>, _>>()?;
        self.state().outgoing.origins.clone_from(&origins);
        Ok(origins)
    }

    /// Calls a function of the contract that may return an error of the connector's own.
    pub(crate) async fn try_call<T>(
        &mut self,
        name: &'static str,
        call: impl AsyncFnOnce(
            &Connector,
            StoreContextMut<'_, State>,
        ) -> wasmtime::Result<Result<T, types::Error>>,
    ) -> Result<T, CallError> {
        let returned = self.call(name, call).await?;
        Ok(returned.map_err(ConnectorError::from)?)
    }

    /// Calls a function of the contract, within the time limit. A trap, a timeout, or dropping the
    /// future in the middle leaves the instance dead.
    pub(crate) async fn call<T>(
        &mut self,
        name: &'static str,
        call: impl AsyncFnOnce(&Connector, StoreContextMut<'_, State>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        if !self.alive {
            return Err(CallError::Dead);
        }
        self.alive = false;
        let exports = Arc::clone(&self.exports);
        let running = call(&exports, self.store.as_context_mut());
        let outcome = tokio::time::timeout(self.limit, running).await;
        match outcome {
            Ok(Ok(value)) => {
                self.alive = true;
                Ok(value)
            }
            Ok(Err(error)) => Err(CallError::Trap {
                call: name,
                reason: explain(&error, self.store.data()),
            }),
            Err(_) => Err(CallError::TimedOut {
                call: name,
                after: self.limit,
            }),
        }
    }
}

/// A trap in one paragraph: its cause, the memory limit if it was reached, the last output.
fn explain(error: &wasmtime::Error, state: &State) -> String {
    let mut reason = error.root_cause().to_string();
    if state.memory.refused {
        let mib = state.memory.limit >> 20;
        let _infallible = write!(
            reason,
            "; it requested more memory than its limit of {mib} MiB"
        );
    }
    let last_output = state.last_output.text();
    if !last_output.is_empty() {
        reason.push_str("; its last output: ");
        reason.push_str(&last_output);
    }
    reason
}
