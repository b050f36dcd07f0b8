//! `dataverse-host`: describes, checks, discovers and syncs a connection from the command line.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
