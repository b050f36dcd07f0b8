//! What the end-to-end tests share: an emulator with a host and a connection to it, the command
//! line, a Web API client that shares no code with the connector, and a sink in memory.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "this is test code; failures must be visible at once"
)]

mod browser;
mod cli;
mod files;
mod fixture;
mod identity;
mod memory_sink;
mod person;
mod random;
mod row_schema;
mod rows;
pub mod secret_scan;
mod server;
mod tls;
mod web_api;

use std::env;
use std::path::{Path, PathBuf};

pub use browser::Browser;
pub use cli::{Cli, InteractiveRun, RunOutput};
pub use files::{assert_database_holds, read_json_lines};
pub use fixture::{
    Fixture, SECRET_NAME, assert_complete, host, open_sink, requests, sync, sync_events,
};
pub use identity::Identity;
pub use memory_sink::{MemorySink, StoredStream};
pub use person::Person;
pub use random::Random;
pub use row_schema::assert_row_fits;
pub use rows::{Rows, assert_same, parse_rows};
pub use server::{ReceivedRequest, ResponseFuture, TestServer};
pub use tls::{Authority, TlsProxy};
pub use web_api::{Attempt, Table, WebApi};

/// The connector that `cargo xtask build` made, or the one that `DATAVERSE_COMPONENT` names.
pub fn component_path() -> PathBuf {
    env::var_os("DATAVERSE_COMPONENT")
        .map_or_else(|| built("dataverse_connector.wasm"), PathBuf::from)
}

/// A component that `cargo xtask build` made.
pub fn built(file: &str) -> PathBuf {
    let path = target().join("component").join(file);
    if path.exists() {
        return path;
    }
    // The tests have a target directory of their own; the component is in the default one.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is a folder of the project");
    let path = root.join("target/component").join(file);
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask build` first",
        path.display()
    );
    path
}

/// A program of this workspace. Cargo puts it one folder above the running test.
pub fn program(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a running program has a path");
    let directory = test
        .ancestors()
        .nth(2)
        .expect("tests run in target/<profile>/deps");
    let path = directory
        .join(name)
        .with_extension(env::consts::EXE_EXTENSION);
    assert!(
        path.exists(),
        "{} is missing: run the tests with `cargo xtask test`, or `cargo build --release \
         --workspace` first",
        path.display()
    );
    path
}

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    let test = env::current_exe().expect("a running program has a path");
    test.ancestors()
        .nth(3)
        .expect("tests run in target/<profile>/deps")
        .to_owned()
}
