//! The project's own commands: `cargo xtask build|demo|test|bench|lint|setup`.

mod bench;
mod browser;
mod component;
mod debian;
mod demo;
mod layers;
mod licences;
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
    /// Finds, or installs, what the component is built with, and says what it found.
    Setup,
    /// Builds the component to `target/component/dataverse_connector.wasm`, and the programs.
    Build,
    /// Shows the whole thing at work: check, discover, full sync, change, incremental sync.
    Demo(demo::Options),
    /// Runs every test.
    Test(test::Options),
    /// Measures the connector against its budgets.
    Bench(bench::Options),
    /// Checks formatting, lints and the licences of all dependencies.
    Lint,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Setup => setup(),
        Command::Build => component::build().and_then(|()| run::build()),
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Lint => lint::run(),
    };
    match outcome {
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
        println!("It is optimised by wasm-opt.");
    } else {
        println!("It is not optimised: wasm-opt (binaryen) is not here.");
    }
    Ok(())
}
