//! What the host keeps for one instance, and the imports that it provides.

use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::memory::MemoryLimit;
use super::stderr::LastOutput;
use crate::bindings::integration::connector::secrets;
use crate::network::Outgoing;
use crate::profile::Profile;
use crate::secrets::{Secret, SecretError, SecretStore};

/// What the host keeps for one instance.
pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    pub(crate) outgoing: Outgoing,
    pub(super) memory: MemoryLimit,
    pub(super) last_output: LastOutput,
    secrets: Arc<dyn SecretStore>,
}

impl State {
    pub(super) fn new(profile: &Profile, environment: &[(String, String)]) -> Self {
        let last_output = LastOutput::default();
        let wasi = WasiCtx::builder()
            .envs(environment)
            .stderr(last_output.clone())
            .build();
        Self {
            wasi,
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            outgoing: Outgoing::without_origins(Arc::clone(&profile.gateway)),
            memory: MemoryLimit::new(profile.limits.memory),
            last_output,
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

/// Provides everything that a connector may import, and nothing else.
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
