//! Secrets as files in a directory, as Kubernetes mounts them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::durable::Locked;
use super::{MAX_BYTES, Secret, SecretError, SecretStore, blocking, is_secret_name};

/// Reads each secret from the file of its name, without the newline at its end, and at every
/// request again, so that a rotated mount is seen. A changed secret is written to a new file and
/// renamed.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// The files of this directory. A missing directory is reported when a secret is requested.
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
        blocking(move || read(&path)).await
    }

    async fn put(&self, name: &str, value: Secret) -> Result<(), SecretError> {
        if !is_secret_name(name) {
            return Err(SecretError::Denied);
        }
        let (directory, name) = (self.path.clone(), name.to_owned());
        blocking(move || write(&directory, &name, &value)).await
    }
}

fn read(path: &Path) -> Result<Secret, SecretError> {
    let size = std::fs::metadata(path)
        .map_err(|error| store_error(&error, path))?
        .len();
    if size > MAX_BYTES {
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
    // The temporary file's name begins with a dot, so it is not a secret's name.
    Locked::take(&path)
        .and_then(|file| file.replace(value.expose().as_bytes()))
        .map_err(|error| match error.kind() {
            // A read-only mount.
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => SecretError::Denied,
            ErrorKind::NotFound => SecretError::Unavailable(format!(
                "the directory {} does not exist; create it",
                directory.display()
            )),
            _ => SecretError::Unavailable(format!("{}: {error}", path.display())),
        })
}

fn store_error(error: &std::io::Error, path: &Path) -> SecretError {
    match error.kind() {
        ErrorKind::NotFound => SecretError::NotFound,
        ErrorKind::PermissionDenied => SecretError::Denied,
        ErrorKind::IsADirectory => SecretError::Unavailable(format!(
            "{} is a directory; replace it by a file",
            path.display()
        )),
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
        std::fs::create_dir(mount.path().join("key")).unwrap();
        let not_a_file = store.get("key").await.unwrap_err().to_string();
        assert!(
            not_a_file.ends_with("; replace it by a file"),
            "{not_a_file}"
        );

        store
            .put("refresh-token", Secret::new("next\n"))
            .await
            .unwrap();
        assert_eq!(store.get("refresh-token").await.unwrap().expose(), "next");
        assert_eq!(
            store.put("../x", Secret::new("x")).await,
            Err(SecretError::Denied)
        );
        let absent = Directory::new(mount.path().join("absent"));
        let nowhere = absent.put("key", Secret::new("x")).await.unwrap_err();
        assert!(nowhere.to_string().ends_with("; create it"), "{nowhere}");
    }

    #[tokio::test]
    async fn invalid_text_is_refused_without_printing_it() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("key"), b"abc\xff").unwrap();
        let error = Directory::new(directory.path())
            .get("key")
            .await
            .unwrap_err();
        assert!(matches!(&error, SecretError::Unavailable(text) if !text.contains("abc")));
    }
}
