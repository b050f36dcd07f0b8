//! Runs other programs, and knows where files are.

use std::env;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};

/// Why a command failed: what failed, and why.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    /// Puts in front of an error what failed.
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

/// Where [`build_all`] and [`build_programs`] put a program of this workspace.
pub(crate) fn program(name: &str) -> PathBuf {
    target_directory()
        .join("release")
        .join(name)
        .with_extension(env::consts::EXE_EXTENSION)
}

/// The cargo that runs this command.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command and waits for it.
///
/// # Errors
///
/// Fails if the command cannot be started or does not succeed.
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

/// The output of a command; nothing if it cannot be started or does not succeed.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// The command-line tool of the host.
pub(crate) const HOST: &str = "dataverse-host";

/// The emulator.
pub(crate) const EMULATOR: &str = "dataverse-emulator";

/// Builds all programs of this workspace, with all that they can do.
pub(crate) fn build_all() -> Result<(), Failure> {
    run(cargo().args(["build", "--release", "--workspace"]))
}

/// Builds the two programs that the demonstration runs, without what they can do but the
/// demonstration does not need, such as the key ring.
pub(crate) fn build_programs() -> Result<(), Failure> {
    run(cargo().args(PROGRAMS))
}

/// Always with the whole workspace: cargo unites the features of all packages that are selected.
/// Another selection would compile the large dependencies once more for the tests.
pub(crate) const PROGRAMS: [&str; 8] = [
    "build",
    "--release",
    "--workspace",
    "--no-default-features",
    "--bin",
    HOST,
    "--bin",
    EMULATOR,
];

/// The workspace and its dependencies, as cargo resolves them.
pub(crate) fn metadata() -> Result<Metadata, Failure> {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .exec()
        .map_err(Failure::while_doing("cannot read the workspace"))
}
