//! Replacing a file so that a crash leaves the old content or the new, whole.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A file that only the holder of this may replace, among all processes that go about it this
/// way. Reading needs no lock: a file is complete whenever it is there.
#[derive(Debug)]
pub(super) struct Locked {
    path: PathBuf,
    directory: PathBuf,
    temporary: PathBuf,
    _lock: File,
}

impl Locked {
    /// Waits until nobody else replaces this file. A link is followed, so that the file it points
    /// to is replaced and not the link.
    pub(super) fn take(path: &Path) -> io::Result<Self> {
        let path = match std::fs::canonicalize(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => path.to_path_buf(),
            resolved => resolved?,
        };
        let name = path
            .file_name()
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "this is no file's name"))?;
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
        let lock = for_the_owner().truncate(false).open(beside(".lock"))?;
        lock.lock()?;
        Ok(Self {
            temporary: beside(".new"),
            path,
            directory,
            _lock: lock,
        })
    }

    /// Puts this content in the file's place. When this returns, it survives a power cut.
    pub(super) fn replace(&self, content: &[u8]) -> io::Result<()> {
        let mut file = for_the_owner().truncate(true).open(&self.temporary)?;
        close_to_others(&file)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&self.temporary, &self.path)?;
        sync_directory(&self.directory)
    }
}

/// Makes a directory, and those above it, for the owner only. One that is there stays as it is.
pub(super) fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn for_the_owner() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// What a crash left behind may have been opened to others since.
#[cfg(unix)]
fn close_to_others(file: &File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn close_to_others(_file: &File) -> io::Result<()> {
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
