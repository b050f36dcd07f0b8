//! Finds the compiler for the component.
//!
//! The component is built for `wasm32-unknown-unknown`, so that it imports only what its world
//! names. Two compilers can do that: the installed one, if it has the target or rustup can add
//! it; or Debian's, which brings the source of the standard library and builds that too.

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian;
use crate::run::{Failure, cargo, output, root};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

const FLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

/// With SIMD, pages are scanned 16 bytes at a time instead of byte by byte.
const SIMD: &str = "-Ctarget-feature=+simd128";

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LIBRARY: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-22";
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];

/// A compiler that can build the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The installed cargo, which has the target.
    Installed,
    /// Debian's, building the standard library as well.
    Debian,
}

impl Toolchain {
    /// Finds a compiler, installing the target or the packages if that is possible.
    pub(crate) fn find() -> Result<Self, Failure> {
        if has_target() {
            return Ok(Self::Installed);
        }
        if output(Command::new("rustup").arg("--version")).is_some() {
            eprintln!("Adding the target {TARGET} …");
            let added = Command::new("rustup")
                .args(["target", "add", TARGET])
                .current_dir(root())
                .output();
            if added.is_ok_and(|output| output.status.success()) && has_target() {
                return Ok(Self::Installed);
            }
        }
        if !debian_is_complete() {
            debian::install(&DEBIAN_PACKAGES);
        }
        if debian_is_complete() {
            return Ok(Self::Debian);
        }
        Err(Failure(format!(
            "no compiler for WebAssembly found: run `rustup target add {TARGET}`, or, on \
             Debian, `apt-get install --no-install-recommends {}` as root",
            DEBIAN_PACKAGES.join(" ")
        )))
    }

    /// A `cargo build` for the component's target, into this folder.
    pub(crate) fn cargo_build(self, folder: &Path) -> Command {
        let mut command = match self {
            Self::Installed => cargo(),
            Self::Debian => {
                let mut command = Command::new(DEBIAN_CARGO);
                command
                    .current_dir(root())
                    .env("RUSTC", DEBIAN_RUSTC)
                    // Debian's compiler is a stable one; building the library needs this.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER)
                    .env_remove("RUSTUP_TOOLCHAIN")
                    .env_remove("RUSTC_WRAPPER");
                command
            }
        };
        command
            .args(["build", "--target", TARGET])
            .env(FLAGS, flags());
        if self == Self::Debian {
            command.arg("-Zbuild-std=std,panic_abort");
        }
        command.arg("--target-dir").arg(folder);
        command
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed => write!(
                f,
                "The component is built by the installed cargo for {TARGET}."
            ),
            Self::Debian => write!(
                f,
                "The component is built by Debian's {DEBIAN_CARGO} for {TARGET}, with the \
                 standard library from source."
            ),
        }
    }
}

/// Compiler flags in addition to the profile.
fn flags() -> String {
    let mut flags = vec![SIMD.to_owned()];
    // Without this, the component contains the path of every source file on this machine.
    flags.extend(package_sources().into_iter().filter_map(|folder| {
        let folder = folder.to_str()?;
        // Flags are separated by spaces.
        let has_spaces = folder.contains(char::is_whitespace);
        (!has_spaces).then(|| format!("--remap-path-prefix={folder}="))
    }));
    flags.join(" ")
}

/// The folders in which cargo keeps the sources of packages, one for each registry.
fn package_sources() -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let mut folders: Vec<PathBuf> = home
        .and_then(|home| fs::read_dir(home.join("registry/src")).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    // Another order of flags would compile everything again.
    folders.sort_unstable();
    folders
}

/// Whether the installed compiler has the target's standard library.
fn has_target() -> bool {
    let arguments = ["--print", "target-libdir", "--target", TARGET];
    output(Command::new("rustc").args(arguments).current_dir(root()))
        .is_some_and(|directory| Path::new(directory.trim()).is_dir())
}

fn debian_is_complete() -> bool {
    [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_LIBRARY, DEBIAN_LINKER]
        .iter()
        .all(|path| Path::new(path).exists())
}
