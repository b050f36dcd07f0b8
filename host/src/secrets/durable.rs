//! Replacing a file atomically: a crash leaves the old content or the new.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// An exclusive lock for replacing a file, among all processes that use it. Reading needs no lock:
/// an existing file is always complete.
#[derive(Debug)]
pub(super) struct Locked {
    path: PathBuf,
    directory: PathBuf,
    temporary: PathBuf,
    _lock: File,
}

impl Locked {
    /// Waits until no other process holds the lock. A link is followed, so that its target is
    /// replaced and not the link.
    pub(super) fn take(path: &Path) -> io::Result<Self> {
        let path = match std::fs::canonicalize(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => path.to_path_buf(),
            resolved => resolved?,
        };
        let name = path.file_name().ok_or_else(|| {
            io::Error::new(ErrorKind::InvalidInput, "the path does not name a file")
        })?;
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let beside = |suffix: &str| {
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(name);
            hidden.push(suffix);
            directory.join(hidden)
        };
        let lock = private_file().truncate(false).open(beside(".lock"))?;
        lock.lock()?;
        Ok(Self {
            temporary: beside(".new"),
            path,
            directory,
            _lock: lock,
        })
    }

    /// Replaces the file's content. When this returns, it survives a power cut.
    pub(super) fn replace(&self, content: &[u8]) -> io::Result<()> {
        let mut file = private_file().truncate(true).open(&self.temporary)?;
        make_private(&file)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&self.temporary, &self.path)?;
        sync_directory(&self.directory)
    }
}

/// Creates a directory, and its parents, for the owner only. An existing one stays as it is.
pub(super) fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A file that a crash left behind may have another mode by now.
#[cfg(unix)]
fn make_private(file: &File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_private(_file: &File) -> io::Result<()> {
    Ok(())
}

/// A renamed file is durable only when its directory is.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}
