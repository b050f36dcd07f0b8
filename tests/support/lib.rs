//! What the end-to-end tests share.

use std::env;
use std::path::{Path, PathBuf};

/// The connector as `cargo xtask build` leaves it, or the one that `DATAVERSE_COMPONENT` names.
pub fn component_path() -> PathBuf {
    env::var_os("DATAVERSE_COMPONENT").map_or_else(|| built("dataverse_connector.wasm"), PathBuf::from)
}

/// A component that `cargo xtask build` made.
pub fn built(file: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the project");
    let path = root.join("target/component").join(file);
    assert!(path.exists(), "{} is missing: run `cargo xtask build` first", path.display());
    path
}
