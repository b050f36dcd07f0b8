//! Binaryen's `wasm-opt`, which makes the component a tenth smaller and parts of it faster.

use std::env::temp_dir;
use std::fs;
use std::process::{self, Command};

use crate::debian;
use crate::run::{Failure, output, run};

const PROGRAM: &str = "wasm-opt";
const DEBIAN_PACKAGES: [&str; 1] = ["binaryen"];

/// For size: what must be fast was optimised for speed by the compiler, and stays so.
const PASSES: [&str; 2] = ["--merge-similar-functions", "-Oz"];

/// The WebAssembly features that the compiler uses; any other is an error.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// Whether the optimiser is installed, after an attempt to install it.
pub(crate) fn find() -> bool {
    if !is_installed() {
        debian::install(&DEBIAN_PACKAGES);
    }
    is_installed()
}

/// Optimises a module. Without an optimiser the module is returned as it is: larger and slower,
/// but equal otherwise.
pub(crate) fn optimise(module: Vec<u8>) -> Result<Vec<u8>, Failure> {
    if !find() {
        eprintln!(
            "{PROGRAM} not found: the component becomes larger and slower than necessary; install \
             {}",
            DEBIAN_PACKAGES.join(" ")
        );
        return Ok(module);
    }
    let [before, after] = ["in", "out"]
        .map(|name| temp_dir().join(format!("{PROGRAM}-{}-{name}.wasm", process::id())));
    fs::write(&before, &module).map_err(Failure::while_doing("cannot write the module"))?;
    let optimised = run(Command::new(PROGRAM)
        .args(PASSES)
        .args(FEATURES)
        .arg(&before)
        .arg("-o")
        .arg(&after))
    .and_then(|()| fs::read(&after).map_err(Failure::while_doing("cannot read the module")));
    for file in [before, after] {
        // A temporary file that stays does no harm.
        let _ = fs::remove_file(file);
    }
    optimised
}

fn is_installed() -> bool {
    output(Command::new(PROGRAM).arg("--version")).is_some()
}
