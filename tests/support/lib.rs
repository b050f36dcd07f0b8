//! What the end-to-end tests share: an emulated service with a host beside it, the program, a
//! client of the service that knows nothing of the connector, and sinks that can be looked into.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "this is test code; what goes wrong here is to be seen at once"
)]

mod browser;
mod cli;
mod files;
mod identity;
pub mod leaks;
mod memory;
mod person;
mod proxy;
mod random;
mod row_schema;
mod rows;
mod stand;
mod tls;
mod web_api;

use std::env;
use std::path::{Path, PathBuf};

pub use browser::Browser;
pub use cli::{Cli, Ended, Running};
pub use files::{assert_database_holds, read_json_lines};
pub use identity::Identity;
pub use memory::{Held, Memory};
pub use person::Person;
pub use proxy::{Doing, Place, Seen};
pub use random::Random;
pub use row_schema::assert_row_fits;
pub use rows::{Rows, assert_same, parse_rows};
pub use stand::{SECRET_NAME, Stand, all_complete, host, open, requests, sync, sync_events};
pub use tls::{Authority, TlsFront};
pub use web_api::{Attempt, Table, WebApi};

/// The connector as `cargo xtask build` leaves it, or the one that `DATAVERSE_COMPONENT` names.
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
    // A target directory of its own for the tests, with the component in the usual place.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the project");
    let path = root.join("target/component").join(file);
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask build` first",
        path.display()
    );
    path
}

/// A program of this workspace, beside the directory of the running test.
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
