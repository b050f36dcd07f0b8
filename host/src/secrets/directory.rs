//! Secrets as files in a directory, as Kubernetes mounts them.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::{Secret, SecretError, SecretStore, is_secret_name};

/// The longest file taken for a secret, in bytes.
const LONGEST: u64 = 1 << 20;

/// Reads each secret from the file of its name, without the newline at its end. Read anew at
/// every request, so that a rotated mount is seen. A changed secret is written beside and renamed
/// into place.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// The files of this directory. Whether it exists shows when a secret is asked for.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl SecretStore for Directory {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        if !is_secret_name(name) {
            return Err(SecretError::NotFound);
        }
        let path = self.path.join(name);
        on_a_thread(move || read(&path)).await
    }

    async fn put(&self, name: &str, value: Secret) -> Result<(), SecretError> {
        if !is_secret_name(name) {
            return Err(SecretError::Denied);
        }
        let (directory, name) = (self.path.clone(), name.to_owned());
        on_a_thread(move || write(&directory, &name, &value)).await
    }
}

async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SecretError> + Send + 'static,
) -> Result<T, SecretError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(SecretError::Unavailable("the reader stopped".to_owned())))
}

fn read(path: &Path) -> Result<Secret, SecretError> {
    let size = std::fs::metadata(path)
        .map_err(|error| store_error(&error, path))?
        .len();
    if size > LONGEST {
        return Err(SecretError::Unavailable(format!(
            "{} is larger than 1 MiB",
            path.display()
        )));
    }
    let bytes = Zeroizing::new(std::fs::read(path).map_err(|error| store_error(&error, path))?);
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| SecretError::Unavailable(format!("{} is not UTF-8", path.display())))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
}

fn write(directory: &Path, name: &str, value: &Secret) -> Result<(), SecretError> {
    let path = directory.join(name);
    // A name that begins with a dot is no secret's name.
    let temporary = directory.join(format!(".{name}.new"));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(value.expose().as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&temporary, &path));
    written.map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => SecretError::Denied,
        _ => store_error(&error, &path),
    })
}

fn store_error(error: &std::io::Error, path: &Path) -> SecretError {
    match error.kind() {
        ErrorKind::NotFound => SecretError::NotFound,
        ErrorKind::PermissionDenied => SecretError::Denied,
        _ => SecretError::Unavailable(format!("{}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[tokio::test]
    async fn reads_a_kubernetes_mount_and_rotates() {
        let mount = tempfile::tempdir().unwrap();
        let data = mount.path().join("..2026");
        std::fs::create_dir(&data).unwrap();
        std::fs::write(data.join("client-secret"), "s3cret\r\n").unwrap();
        std::os::unix::fs::symlink("..2026", mount.path().join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/client-secret", mount.path().join("client-secret"))
            .unwrap();

        let store = Directory::new(mount.path());
        assert_eq!(store.get("client-secret").await.unwrap().expose(), "s3cret");
        assert_eq!(store.get("absent").await, Err(SecretError::NotFound));
        assert_eq!(store.get("../passwd").await, Err(SecretError::NotFound));
        assert_eq!(store.get("..2026").await, Err(SecretError::NotFound));

        store
            .put("refresh-token", Secret::new("next\n"))
            .await
            .unwrap();
        assert_eq!(store.get("refresh-token").await.unwrap().expose(), "next");
        assert_eq!(
            store.put("../x", Secret::new("x")).await,
            Err(SecretError::Denied)
        );
    }

    #[tokio::test]
    async fn what_is_not_text_is_refused_without_showing_it() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("key"), b"abc\xff").unwrap();
        let error = Directory::new(directory.path())
            .get("key")
            .await
            .unwrap_err();
        assert!(matches!(&error, SecretError::Unavailable(text) if !text.contains("abc")));
    }
}
