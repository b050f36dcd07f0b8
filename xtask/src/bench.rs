//! `cargo xtask bench`: the connector against its budgets.

use clap::Args;

use crate::component;
use crate::run::{Failure, build, program, run as run_command};

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Passed on to the measuring program; `-- --help` tells what it takes.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Builds everything and runs the measurements.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    component::build()?;
    build()?;
    run_command(
        std::process::Command::new(program("dataverse-benches"))
            .arg("--component")
            .arg(component::connector())
            .arg("--host")
            .arg(program("dataverse-host"))
            .args(&options.arguments),
    )
}
