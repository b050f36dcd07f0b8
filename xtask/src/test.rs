//! `cargo xtask test`: runs every test.

use clap::Args;

use crate::run::{Failure, build_all, cargo, run as run_command};
use crate::{browser, component};

/// What to test.
#[derive(Args)]
pub(crate) struct Options {
    /// Passed on to the test programs, such as a part of a test's name.
    #[arg(trailing_var_arg = true)]
    filter: Vec<String>,
}

/// Builds the component and runs the tests of all packages, the end-to-end tests against it.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    component::build()?;
    // The end-to-end tests run the programs as well.
    build_all()?;
    browser::find();
    let selections = [
        ["--release", "--workspace", "--exclude", "xtask"],
        // This program is built with its own profile.
        ["--profile", "tools", "--package", "xtask"],
    ];
    for selection in selections {
        let mut tests = cargo();
        tests.arg("test").args(selection);
        if !options.filter.is_empty() {
            tests.arg("--").args(&options.filter);
        }
        run_command(&mut tests)?;
    }
    Ok(())
}
