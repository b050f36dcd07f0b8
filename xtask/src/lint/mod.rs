//! `cargo xtask lint`: formatting, lints, licences, and the shape of the project.

mod arrows;
mod circles;
mod contract;
mod dependencies;
mod layers;
mod licences;
mod modules;
mod shape;
#[cfg(test)]
mod tests;
mod twins;

use clap::Args;

use crate::run::{Failure, cargo, run as run_command};

/// What to check.
#[derive(Args)]
pub(crate) struct Options {
    /// Only the shape of the project: layers, circles, shared code and the contract. Takes
    /// seconds, because nothing is compiled.
    #[arg(long)]
    shape: bool,
}

/// Fails on what `cargo fmt`, `cargo clippy`, the licence policy and the declared shape of the
/// project refuse.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if !options.shape {
        run_command(cargo().args(["fmt", "--all", "--check"]))?;
        run_command(cargo().args(CLIPPY))?;
        licences::check()?;
    }
    shape::check()
}

/// All features, so that code behind one is checked as well.
const CLIPPY: [&str; 8] = [
    "clippy",
    "--release",
    "--workspace",
    "--all-targets",
    "--all-features",
    "--",
    "--deny",
    "warnings",
];
