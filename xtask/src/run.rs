//! Starting other programs, and where things lie.

use std::env;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};

/// Why a task did not end well, in one sentence.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    /// Says what was being done when an error came.
    pub(crate) fn while_doing<E: Display>(what: impl Display) -> impl FnOnce(E) -> Self {
        move |error| Self(format!("{what}: {error}"))
    }
}

/// The root of the project.
pub(crate) fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root().join(directory),
        None => root().join("target"),
    }
}

/// A program of this workspace, as [`build`] leaves it.
pub(crate) fn program(name: &str) -> PathBuf {
    target_directory()
        .join("release")
        .join(name)
        .with_extension(env::consts::EXE_EXTENSION)
}

/// The cargo that runs this task.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command to its end; anything but success is a failure.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .map_err(Failure::while_doing(format!("cannot run {name}")))?;
    if status.success() {
        return Ok(());
    }
    let arguments: Vec<_> = command
        .get_args()
        .map(|text| text.to_string_lossy())
        .collect();
    Err(Failure(format!(
        "`{name} {}` failed ({status})",
        arguments.join(" ")
    )))
}

/// What a command prints, if it can be run and succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// Builds the programs of this workspace.
///
/// Always the whole workspace: cargo unites the features of what it builds together, so that
/// another choice of packages would compile the large dependencies again.
pub(crate) fn build() -> Result<(), Failure> {
    run(cargo().args(["build", "--release", "--workspace"]))
}

/// What cargo knows of this workspace and its dependencies.
pub(crate) fn metadata() -> Result<Metadata, Failure> {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .exec()
        .map_err(Failure::while_doing("cannot read the workspace"))
}
