//! `dataverse-host`: describes, checks, discovers and syncs a connection from the command line.
//!
//! A thin layer over the library `dataverse-host`.

mod args;
mod callback;
mod commands;
mod component;
mod connection;
mod exit;
mod hints;
mod interrupt;
mod output;
mod progress;
mod secrets;
mod selection;
mod session;
mod toml_file;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use exit::{Exit, Failure};
use interrupt::unless_interrupted;
use output::log;

/// Parses the arguments, runs the command, and turns its outcome into an exit code.
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(until_interrupted(&arguments));
            // A name lookup that still hangs must not delay the end.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(Failure::new(
            Exit::Internal,
            format!("cannot start: {error}"),
        )),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            log(format_args!("error: {failure}"));
            if let Some(hint) = failure.hint() {
                log(format_args!("hint: {hint}"));
            }
            failure.exit().into()
        }
    }
}

/// Runs the command until it ends or is interrupted. The signal is handled here, because the first
/// process of a container ignores signals that it does not handle.
async fn until_interrupted(arguments: &Arguments) -> Result<Exit, Failure> {
    match arguments.command {
        // A sync finishes its current write first; a prompt on a terminal blocks, so the signal
        // must end the process at once.
        Command::Sync(_) | Command::Secret { .. } => commands::run(arguments).await,
        _ => unless_interrupted(commands::run(arguments)).await,
    }
}
