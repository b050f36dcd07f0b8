//! One instance of a component: its state in the store, its limits, and calls that end.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime::{AsContextMut, PoolConcurrencyLimitError, ResourceLimiter, Store, StoreContextMut};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings::Connector;
use crate::bindings::integration::connector::{secrets, types};
use crate::contract::ConnectorError;
use crate::error::CallError;
use crate::network::{Origin, Outgoing};
use crate::profile::Profile;
use crate::secrets::{Secret, SecretError, SecretStore};

/// What the host keeps for one instance.
pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    pub(crate) outgoing: Outgoing,
    memory: MemoryLimit,
    last_words: LastWords,
    secrets: Arc<dyn SecretStore>,
}

impl State {
    fn new(profile: &Profile, environment: &[(String, String)]) -> Self {
        let last_words = LastWords::default();
        let wasi = WasiCtx::builder()
            .envs(environment)
            .stderr(last_words.clone())
            .build();
        Self {
            wasi,
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            outgoing: Outgoing::cut_off(Arc::clone(&profile.gateway)),
            memory: MemoryLimit::new(profile.limits.memory),
            last_words,
            secrets: Arc::clone(&profile.secrets),
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outgoing,
        }
    }
}

impl secrets::Host for State {
    async fn get(
        &mut self,
        name: String,
    ) -> wasmtime::Result<Result<String, secrets::SecretError>> {
        let store = Arc::clone(&self.secrets);
        let secret = store.get(&name).await;
        Ok(secret
            .map(|secret| secret.expose().to_owned())
            .map_err(to_contract))
    }

    async fn put(
        &mut self,
        name: String,
        value: String,
    ) -> wasmtime::Result<Result<(), secrets::SecretError>> {
        let store = Arc::clone(&self.secrets);
        Ok(store
            .put(&name, Secret::new(value))
            .await
            .map_err(to_contract))
    }
}

fn to_contract(error: SecretError) -> secrets::SecretError {
    match error {
        SecretError::NotFound => secrets::SecretError::NotFound,
        SecretError::Denied => secrets::SecretError::Denied,
        SecretError::Unavailable(reason) => secrets::SecretError::Unavailable(reason),
    }
}

/// Everything that a connector may import, and nothing else.
pub(crate) fn link(linker: &mut Linker<State>, environment: bool) -> wasmtime::Result<()> {
    use wasmtime_wasi::cli::{WasiCli, WasiCliView};
    use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
    use wasmtime_wasi::p2::bindings::{cli, clocks, io, random};
    use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
    use wasmtime_wasi_http::WasiHttp;
    use wasmtime_wasi_http::p2::bindings::http;

    fn table(state: &mut State) -> &mut ResourceTable {
        &mut state.table
    }
    io::error::add_to_linker::<State, HasTable>(linker, table)?;
    io::poll::add_to_linker::<State, HasTable>(linker, table)?;
    io::streams::add_to_linker::<State, HasTable>(linker, table)?;
    clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(linker, State::clocks)?;
    clocks::wall_clock::add_to_linker::<State, WasiClocks>(linker, State::clocks)?;
    random::random::add_to_linker::<State, WasiRandom>(linker, State::random)?;
    cli::stderr::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    if environment {
        cli::environment::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    }
    let options = wasmtime_wasi_http::p2::bindings::LinkOptions::default();
    http::types::add_to_linker::<State, WasiHttp>(linker, &(&options).into(), State::http)?;
    http::outgoing_handler::add_to_linker::<State, WasiHttp>(linker, State::http)?;
    secrets::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

struct HasTable;

impl wasmtime::component::HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

/// An instance and whether it can still be called.
pub(crate) struct Instance {
    store: Store<State>,
    pub(crate) exports: Arc<Connector>,
    limit: Duration,
    alive: bool,
    /// Given back after the store is gone.
    _place: OwnedSemaphorePermit,
}

impl Instance {
    pub(crate) async fn new(
        pre: &crate::bindings::ConnectorPre<State>,
        profile: &Profile,
        environment: &[(String, String)],
        place: OwnedSemaphorePermit,
    ) -> Result<Self, CallError> {
        let mut store = Store::new(pre.engine(), State::new(profile, environment));
        store.limiter(|state| &mut state.memory);
        // Give way at each tick: a busy instance then neither starves others nor escapes the
        // timeout around its call.
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
            _place: place,
        })
    }

    pub(crate) fn state(&mut self) -> &mut State {
        self.store.data_mut()
    }

    /// Asks the connector, still cut off from the network, which origins these settings will
    /// reach, and opens exactly those to it.
    pub(crate) async fn open_origins(&mut self, settings: &str) -> Result<Vec<Origin>, CallError> {
        let settings = settings.to_owned();
        let stated = self
            .ask("connection.origins", async |connector, store| {
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

    /// Calls a function of the contract that may answer with an error of the connector's own.
    pub(crate) async fn ask<T>(
        &mut self,
        name: &'static str,
        call: impl AsyncFnOnce(
            &Connector,
            StoreContextMut<'_, State>,
        ) -> wasmtime::Result<Result<T, types::Error>>,
    ) -> Result<T, CallError> {
        let answer = self.call(name, call).await?;
        Ok(answer.map_err(ConnectorError::from)?)
    }

    /// Calls a function of the contract, within the limit. A trap, a timeout, or dropping the
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

/// A trap in one paragraph: its cause, the memory limit if that was hit, the last words.
fn explain(error: &wasmtime::Error, state: &State) -> String {
    let mut reason = error.root_cause().to_string();
    if state.memory.refused {
        let mib = state.memory.limit >> 20;
        let _infallible = write!(
            reason,
            "; it asked for more than the {mib} MiB that its limit allows"
        );
    }
    let last_words = state.last_words.text();
    if !last_words.is_empty() {
        reason.push_str("; its last words: ");
        reason.push_str(&last_words);
    }
    reason
}

/// Bounds the memories of an instance together, and remembers a refusal.
struct MemoryLimit {
    limit: usize,
    used: usize,
    refused: bool,
}

impl MemoryLimit {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            used: 0,
            refused: false,
        }
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.limit {
            self.refused = true;
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        const MOST_ELEMENTS: usize = 100_000;
        Ok(desired <= MOST_ELEMENTS)
    }
}

/// The end of what an instance wrote to standard error.
#[derive(Clone, Default)]
struct LastWords(Arc<Mutex<VecDeque<u8>>>);

impl LastWords {
    const KEPT: usize = 4096;

    fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(bytes.iter().skip(bytes.len().saturating_sub(Self::KEPT)));
        let surplus = kept.len().saturating_sub(Self::KEPT);
        kept.drain(..surplus);
    }

    fn text(&self) -> String {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(kept.make_contiguous())
            .trim()
            .to_owned()
    }
}

impl IsTerminal for LastWords {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LastWords {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
}

#[async_trait::async_trait]
impl Pollable for LastWords {
    async fn ready(&mut self) {}
}

impl OutputStream for LastWords {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(Self::KEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_words_are_kept() {
        let words = LastWords::default();
        words.push(&[b'a'; 5000]);
        words.push(b"panicked at the end");
        let text = words.text();
        assert_eq!(text.len(), LastWords::KEPT);
        assert!(text.starts_with('a') && text.ends_with("panicked at the end"));
    }

    #[test]
    fn memories_share_one_limit() {
        let mut limit = MemoryLimit::new(100);
        assert!(limit.memory_growing(0, 60, None).unwrap());
        assert!(limit.memory_growing(0, 40, None).unwrap());
        assert!(!limit.memory_growing(40, 41, None).unwrap());
        assert!(limit.refused);
    }
}
