//! The project's own commands: `cargo xtask build|demo|test|bench|lint|setup`.

mod bench;
mod browser;
mod component;
mod contract;
mod debian;
mod demo;
mod lint;
mod optimiser;
mod run;
mod test;
mod toolchain;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::run::Failure;

/// Builds, demonstrates, tests and measures the Dataverse connector.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Finds, or installs, the compiler and the optimiser of the component, and reports them.
    Setup,
    /// Builds the component to `target/component/`, with its contract (WIT) beside it, and the
    /// programs.
    Build,
    /// Shows the connector at work: check, discovery, full sync, changes, incremental sync.
    Demo(demo::Options),
    /// Runs every test.
    Test(test::Options),
    /// Measures the connector against its budgets.
    Bench(bench::Options),
    /// Checks formatting, lints, licences, layers, circles and the contract.
    Lint(lint::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Setup => setup(),
        Command::Build => component::build().and_then(|()| run::build_all()),
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Lint(options) => lint::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(message)) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn setup() -> Result<(), Failure> {
    println!("{}", toolchain::Toolchain::find()?);
    if optimiser::find() {
        println!("The component is optimised by wasm-opt.");
    } else {
        println!("The component is not optimised: wasm-opt (binaryen) was not found.");
    }
    Ok(())
}
