//! The shape of the project: layers, circles, code that must not be shared, and the contract.

use std::fs;
use std::path::{Path, PathBuf};

use super::arrows::Graph;
use super::twins::{self, Tokens};
use super::{circles, contract, dependencies, layers};
use crate::run::{Failure, metadata, root};

/// The folders of the crates in which no circle is allowed, with the orders of their rooms.
const CRATES: [(&str, &[layers::Order]); 4] = [
    ("src", &[layers::COMPONENT, layers::SOURCE]),
    ("host/src", &[]),
    ("host/cli/src", &[]),
    ("emulator/src", &[]),
];

/// The two sides that share no code.
const COMPONENT_CODE: [&str; 2] = ["src", "rows/src"];
const EMULATOR_CODE: [&str; 1] = ["emulator/src"];

/// Fails with everything that is out of shape.
pub(crate) fn check() -> Result<(), Failure> {
    let mut findings = dependencies::outside_the_seam()?;
    findings.extend(dependencies::shared_by_both_sides(&metadata()?));
    for (folder, orders) in CRATES {
        findings.extend(check_crate(folder, orders)?);
    }
    let component = tokens(&COMPONENT_CODE)?;
    let emulator = tokens(&EMULATOR_CODE)?;
    let twins = twins::find(&component, &emulator, twins::LONGEST);
    findings.extend(twins.iter().map(ToString::to_string));
    for file in files("wit", "wit")? {
        findings.extend(contract::check(&file.display().to_string(), &read(&file)?));
    }
    if findings.is_empty() {
        println!("Layers, circles, shared code and the contract are as declared.");
        return Ok(());
    }
    Err(Failure(format!(
        "the project is not in its declared shape ({} findings):\n{}",
        findings.len(),
        findings.join("\n")
    )))
}

/// Checks the crates whose root files are in a folder.
fn check_crate(folder: &str, orders: &[layers::Order]) -> Result<Vec<String>, Failure> {
    let mut findings = Vec::new();
    for name in ["lib.rs", "main.rs"] {
        let file = Path::new(folder).join(name);
        if !root().join(&file).exists() {
            continue;
        }
        let reader = |file: &Path| fs::read_to_string(root().join(file)).ok();
        let graph = Graph::read(&file, &reader).map_err(Failure)?;
        for order in orders {
            let found = layers::check(order, &graph);
            findings.extend(found.violations);
            for room in found.missing {
                println!(
                    "{folder}: the declared room {room} does not exist; its rule has no effect"
                );
            }
        }
        findings.extend(circles::find(&graph));
    }
    Ok(findings)
}

fn tokens(folders: &[&str]) -> Result<Vec<Tokens>, Failure> {
    let mut tokens = Vec::new();
    for folder in folders {
        for file in files(folder, "rs")? {
            // The tests of each side are its own; they may look alike.
            let is_test = |part: &std::ffi::OsStr| part == "tests" || part == "tests.rs";
            if !file.iter().any(is_test) {
                tokens.push(Tokens::parse(&file, &read(&file)?).map_err(Failure)?);
            }
        }
    }
    Ok(tokens)
}

/// The files of a folder with this extension, `deps` and what is below it left out.
fn files(folder: &str, extension: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from(folder)];
    while let Some(folder) = open.pop() {
        let failure = || format!("cannot read the folder {}", folder.display());
        let entries = fs::read_dir(root().join(&folder));
        for entry in entries.map_err(Failure::while_doing(failure()))? {
            let entry = entry.map_err(Failure::while_doing(failure()))?;
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                if entry.file_name() != "deps" {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(root().join(file)).map_err(Failure::while_doing(format!(
        "cannot read {}",
        file.display()
    )))
}
