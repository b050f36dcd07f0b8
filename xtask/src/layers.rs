//! The seam between the connector and its world, proven from what cargo resolves.

use crate::run::{Failure, cargo, output};

/// What the connector's own code must never rest on; natively it is built without any of it.
const OUTSIDE: [&str; 6] = [
    "tokio",
    "wasi",
    "wasip2",
    "wasmtime",
    "wit-bindgen",
    "hyper",
];

/// Fails if the connector's business code can see a binding, a runtime or a network.
pub(crate) fn check() -> Result<(), Failure> {
    let mut tree = cargo();
    tree.args([
        "tree",
        "-p",
        "dataverse-connector",
        "--edges",
        "normal",
        "--prefix",
        "none",
    ]);
    tree.args(["--format", "{p}"]);
    let tree = output(&mut tree).ok_or_else(|| Failure("cargo tree failed".into()))?;
    let seen = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .find(|name| OUTSIDE.contains(name));
    if let Some(name) = seen {
        return Err(Failure(format!(
            "the connector's business code depends on {name}"
        )));
    }
    println!("The connector's business code depends on no binding, runtime or network.");
    Ok(())
}
