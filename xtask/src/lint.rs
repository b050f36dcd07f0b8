//! `cargo xtask lint`: formatting, lints, licences.

use crate::run::{Failure, cargo, run as run_command};
use crate::{layers, licences};

/// Denies what `cargo fmt`, `cargo clippy` and the licence policy find.
pub(crate) fn run() -> Result<(), Failure> {
    run_command(cargo().args(["fmt", "--all", "--check"]))?;
    run_command(cargo().args([
        "clippy",
        "--release",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]))?;
    licences::check()?;
    layers::check()
}
