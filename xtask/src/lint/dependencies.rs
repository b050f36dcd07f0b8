//! What packages depend on, from what cargo resolves.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Metadata};

use crate::run::{Failure, cargo, output};

/// What the component's business code must never depend on; natively it is built without any of
/// it.
const OUTSIDE: [&str; 6] = [
    "hyper",
    "tokio",
    "wasi",
    "wasip2",
    "wasmtime",
    "wit-bindgen",
];

/// The packages of the component and those of the service that stands in for the real one.
const CONNECTOR: &str = "dataverse-connector";
const EMULATOR: &str = "dataverse-emulator";

/// Finds bindings, runtimes and networks among the dependencies of the business code.
pub(crate) fn outside_the_seam() -> Result<Vec<String>, Failure> {
    let mut tree = cargo();
    tree.args(["tree", "-p", CONNECTOR, "--edges", "normal"]);
    tree.args(["--prefix", "none", "--format", "{p}"]);
    let tree = output(&mut tree).ok_or_else(|| Failure("`cargo tree` failed".into()))?;
    let names: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let found = OUTSIDE.iter().filter(|name| names.contains(*name));
    let found = found.map(|name| format!("the component's business code depends on {name}"));
    Ok(found.collect())
}

/// Finds packages of this workspace that both the component and the emulator depend on, and
/// dependencies of one on the other.
pub(crate) fn shared_by_both_sides(workspace: &Metadata) -> Vec<String> {
    let own = |package| with_own_dependencies(package, workspace);
    let connector = own(CONNECTOR);
    own(EMULATOR)
        .intersection(&connector)
        .map(|package| {
            format!("{EMULATOR} and {CONNECTOR} share no code, but both are built with {package}")
        })
        .collect()
}

/// A package of this workspace and those that it depends on, directly or not.
fn with_own_dependencies<'a>(package: &'a str, workspace: &'a Metadata) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![package];
    while let Some(name) = open.pop() {
        let packages = workspace.workspace_packages();
        let Some(package) = packages.into_iter().find(|package| *package.name == name) else {
            continue;
        };
        if found.insert(name) {
            let used = package.dependencies.iter().filter(|dependency| {
                dependency.path.is_some() && dependency.kind != DependencyKind::Development
            });
            open.extend(used.map(|dependency| dependency.name.as_str()));
        }
    }
    found
}
