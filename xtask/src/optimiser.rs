//! Binaryen's `wasm-opt`: it makes the component a tenth smaller and some of it faster.

use std::env::temp_dir;
use std::fs;
use std::process::{self, Command};

use crate::debian;
use crate::run::{Failure, output, run};

const PROGRAM: &str = "wasm-opt";
const DEBIAN_PACKAGES: [&str; 1] = ["binaryen"];

/// For size: the compiler has made fast what must be, and this takes nothing from that.
const PASSES: [&str; 2] = ["--merge-similar-functions", "-Oz"];

/// What the compiler was allowed to use; everything else is refused.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// Whether the optimiser is here, after trying to install it where that is possible.
pub(crate) fn find() -> bool {
    if !is_here() {
        debian::install(&DEBIAN_PACKAGES);
    }
    is_here()
}

/// The module made faster and smaller; as it is where there is no optimiser, which costs size
/// and speed but nothing else.
pub(crate) fn optimise(module: Vec<u8>) -> Result<Vec<u8>, Failure> {
    if !find() {
        eprintln!(
            "{PROGRAM} is not here, so the component is larger and slower than it could be: \
             install {} to mend that",
            DEBIAN_PACKAGES.join(" ")
        );
        return Ok(module);
    }
    let [before, after] = ["in", "out"]
        .map(|name| temp_dir().join(format!("{PROGRAM}-{}-{name}.wasm", process::id())));
    fs::write(&before, &module).map_err(Failure::while_doing("cannot keep the module"))?;
    let optimised = run(Command::new(PROGRAM)
        .args(PASSES)
        .args(FEATURES)
        .arg(&before)
        .arg("-o")
        .arg(&after))
    .and_then(|()| fs::read(&after).map_err(Failure::while_doing("cannot read the module")));
    for file in [before, after] {
        // Left behind, it is one more file in the folder for them.
        let _ = fs::remove_file(file);
    }
    optimised
}

fn is_here() -> bool {
    output(Command::new(PROGRAM).arg("--version")).is_some()
}
