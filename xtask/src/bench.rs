//! `cargo xtask bench`: measures the connector against its budgets.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;

use crate::component;
use crate::run::{
    Failure, HOST, PROGRAMS, build_all, cargo, program, run as run_command, target_directory,
};

/// How long the programs of the demonstration may take to build on two quiet cores, with nothing
/// compiled before.
const BUILD_BUDGET: Duration = Duration::from_mins(6);

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Measures how long a cold build of the demonstration takes, instead of the connector. Takes
    /// minutes.
    #[arg(long, conflicts_with = "arguments")]
    build: bool,
    /// Passed on to the measuring program; `-- --help` lists its options.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Builds everything and runs the measurements, or measures the build.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if options.build {
        return measure_build();
    }
    component::build()?;
    build_all()?;
    run_command(
        Command::new(program("dataverse-benches"))
            .arg("--component")
            .arg(component::connector())
            .arg("--host")
            .arg(program(HOST))
            .args(&options.arguments),
    )
}

/// Builds what the demonstration runs in an empty folder. Sources of dependencies are downloaded
/// before, so that the network does not count.
fn measure_build() -> Result<(), Failure> {
    let folder = target_directory().join("cold-build");
    remove(&folder)?;
    run_command(cargo().arg("fetch"))?;
    // The three builds of a first `cargo xtask demo`: this program, the component, the programs.
    let mut xtask = cargo();
    xtask.args(["build", "--profile", "tools", "--package", "xtask"]);
    xtask.arg("--target-dir").arg(&folder);
    let mut components = component::compile(&folder.join("wasm"))?;
    let mut programs = cargo();
    programs.args(PROGRAMS).arg("--timings");
    programs.arg("--target-dir").arg(&folder);

    let begun = Instant::now();
    for build in [&mut xtask, &mut components, &mut programs] {
        run_command(build)?;
    }
    let taken = begun.elapsed();

    let report = "cargo-timings/cargo-timing.html";
    let kept = target_directory().join("build-timing.html");
    fs::copy(folder.join(report), &kept)
        .map_err(Failure::while_doing("cannot keep the report of the build"))?;
    remove(&folder)?;
    println!("| what | measured | budget | kept |");
    println!("|---|---|---|---|");
    println!(
        "| cold build of the demonstration | {} s | at most {} s on two cores | {} |",
        taken.as_secs(),
        BUILD_BUDGET.as_secs(),
        if taken <= BUILD_BUDGET {
            "yes"
        } else {
            "**no**"
        }
    );
    println!("\nTime per package: {}", kept.display());
    Ok(())
}

fn remove(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Failure(format!(
            "cannot remove {}: {error}",
            folder.display()
        ))),
        _ => Ok(()),
    }
}
