//! Composed with the adapter that reads secrets from environment variables, the connector runs in
//! any host of WASI components, here wasmtime without the library of this project.

use std::collections::BTreeSet;

use bindings::Connector;
use bindings::exports::integration::connector::source::Event;
use dataverse_emulator::CLIENT_SECRET;
use dataverse_emulator::seed::generate::Sizes;
use dataverse_tests::{Fixture, SECRET_NAME, assert_same, built, component_path, parse_rows};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "connector",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "wasi:cli": wasmtime_wasi::p2::bindings::cli,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasi:http": wasmtime_wasi_http::p2::bindings::http,
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "wasi:random": wasmtime_wasi::p2::bindings::random,
        },
    });
}

const SECRETS: &str = "integration:connector/secrets@0.2.0";

/// The connector composed with the adapter.
fn composed() -> Vec<u8> {
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str, path: std::path::PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        let package = Package::from_bytes(name, None, bytes, graph.types_mut()).unwrap();
        graph.register_package(package).unwrap()
    };
    let adapter = register("test:adapter", built("environment_secrets.wasm"));
    let connector = register("test:connector", component_path());
    let adapter = graph.instantiate(adapter);
    let secrets = graph.alias_instance_export(adapter, SECRETS).unwrap();
    let connector = graph.instantiate(connector);
    graph
        .set_instantiation_argument(connector, SECRETS, secrets)
        .unwrap();
    for interface in ["connection", "authorization", "catalog", "source"] {
        let name = format!("integration:connector/{interface}@0.2.0");
        let export = graph.alias_instance_export(connector, &name).unwrap();
        graph.export(export, name).unwrap();
    }
    graph.encode(EncodeOptions::default()).unwrap()
}

/// A host that provides WASI only.
struct PlainHost {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    network: Network,
    table: ResourceTable,
}

struct Network;

type Exchange = (
    Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

impl WasiHttpHooks for Network {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        _options: Option<RequestOptions>,
        _sent: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Exchange, Error>> + Send> {
        Box::new(async move {
            let client = Client::builder(TokioExecutor::new()).build_http();
            let response = client
                .request(request)
                .await
                .map_err(|_| Error::ConnectionTerminated)?;
            let body = |body: hyper::body::Incoming| {
                body.map_err(|_| Error::HttpProtocolError).boxed_unsync()
            };
            Ok((response.map(body), Box::new(async { Ok(()) }) as Box<_>))
        })
    }
}

impl WasiView for PlainHost {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for PlainHost {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.network,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_composed_connector_runs_in_a_host_with_wasi_only() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 11,
        ..Sizes::default()
    })
    .await;
    let engine = Engine::default();
    let component = Component::new(&engine, composed()).unwrap();
    let ty = component.component_type();
    let imports: BTreeSet<&str> = ty.imports(&engine).map(|(name, _)| name).collect();
    assert!(!imports.contains(SECRETS), "{imports:?}");
    assert!(
        imports.contains("wasi:cli/environment@0.2.6"),
        "{imports:?}"
    );

    let mut linker = Linker::<PlainHost>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).unwrap();
    let variable = SECRET_NAME.to_uppercase().replace('-', "_");
    let plain = PlainHost {
        wasi: WasiCtx::builder().env(&variable, CLIENT_SECRET).build(),
        http: WasiHttpCtx::new(),
        network: Network,
        table: ResourceTable::new(),
    };
    let mut store = Store::new(&engine, plain);
    let connector = Connector::instantiate_async(&mut store, &component, &linker)
        .await
        .unwrap();

    let connection = connector.integration_connector_connection();
    let settings = fixture.settings().to_string();
    let session = connection
        .session()
        .call_open(&mut store, &settings)
        .await
        .unwrap()
        .unwrap();
    let report = connection
        .session()
        .call_check(&mut store, session)
        .await
        .unwrap()
        .unwrap();
    assert!(report.available, "{:?}", report.findings);

    let source = connector.integration_connector_source();
    let options = source.selection();
    let selection = options
        .call_constructor(&mut store, "account")
        .await
        .unwrap();
    options
        .call_set_page_size(&mut store, selection, 4)
        .await
        .unwrap();
    let source = source.sync();
    let sync = source
        .call_start(&mut store, session, &[selection])
        .await
        .unwrap()
        .unwrap();
    let (mut ndjson, mut complete) = (String::new(), false);
    while let Some(event) = source.call_next(&mut store, sync).await.unwrap().unwrap() {
        match event {
            Event::Page(page) => ndjson.push_str(&page.ndjson),
            Event::Complete(_) => complete = true,
            Event::Failed(failure) => panic!("{:?}", failure.error),
            _ => {}
        }
    }
    assert!(complete);
    let rows = parse_rows(&ndjson, "accountid");
    assert_same("account", &rows, &fixture.api.rows("account").await);
}

/// Without the variable the secret is missing, and the connector names it.
#[tokio::test(flavor = "multi_thread")]
async fn the_composed_connector_needs_a_grant_for_its_environment() {
    let fixture = Fixture::start().await;
    let composed = composed();
    let build = |variables: Option<(&str, &str)>| {
        let builder = dataverse_host::ConnectorHost::builder()
            .component_bytes(composed.clone())
            .without_cache();
        match variables {
            Some(variable) => builder.environment([variable]).build(),
            None => builder.build(),
        }
    };
    let Err(dataverse_host::LoadError::Imports { imports }) = build(None).map(|_| ()) else {
        panic!("the component was loaded without a grant");
    };
    assert_eq!(imports, ["wasi:cli/environment@0.2.6"]);

    let nothing = dataverse_host::secrets::InMemory::new();
    let profile = dataverse_host::Profile::new(fixture.settings().to_string(), nothing).unwrap();
    for (variable, available) in [("CLIENT_SECRET", true), ("SOMETHING_ELSE", false)] {
        let host = build(Some((variable, CLIENT_SECRET))).unwrap();
        let report = host.open(&profile).await.unwrap().check().await.unwrap();
        assert_eq!(report.available, available, "{report:?}");
        let named = report
            .findings
            .iter()
            .any(|finding| finding.message.contains(SECRET_NAME));
        assert!(named, "{report:?}");
    }
}
