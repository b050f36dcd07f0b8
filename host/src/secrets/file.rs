//! Secrets in one private file of the user.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::durable::{Locked, create_directory};
use super::{MAX_BYTES, Secret, SecretError, SecretStore, blocking, is_secret_name};

/// Keeps secrets in one private JSON file of names and texts (mode 0600), in a directory that
/// no other user may change. A file that others could have read or written is refused, with what to
/// do about it. On systems without such modes (Windows), the file is as protected as its
/// directory.
///
/// A changed secret is durable when [`put`](SecretStore::put) returns. Processes may change secrets
/// concurrently.
#[derive(Debug, Clone)]
pub struct SecretFile {
    path: PathBuf,
}

impl SecretFile {
    /// The secrets of this file. If it does not exist, the first secret creates it, and its
    /// directory with mode 0700.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl SecretStore for SecretFile {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        let (path, name) = (self.path.clone(), name.to_owned());
        blocking(move || read(&path)?.remove(&name).ok_or(SecretError::NotFound)).await
    }

    async fn put(&self, name: &str, value: Secret) -> Result<(), SecretError> {
        if !is_secret_name(name) {
            return Err(SecretError::Denied);
        }
        let (path, name) = (self.path.clone(), name.to_owned());
        blocking(move || write(&path, &name, &value)).await
    }
}

fn write(path: &Path, name: &str, value: &Secret) -> Result<(), SecretError> {
    let failed = |error: std::io::Error| unavailable(path, &error.to_string());
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    create_directory(directory).map_err(failed)?;
    require_private_directory(directory)?;
    let file = Locked::take(path).map_err(failed)?;
    // Read under the lock: another process may just have stored a secret.
    let mut secrets = read(path)?;
    secrets.insert(name.to_owned(), value.clone());
    let texts: BTreeMap<&str, &str> = secrets
        .iter()
        .map(|(name, secret)| (name.as_str(), secret.expose()))
        .collect();
    let text = serde_json::to_vec_pretty(&texts).map(Zeroizing::new);
    let mut text = text.map_err(|error| unavailable(path, &error.to_string()))?;
    text.push(b'\n');
    if text.len() as u64 > MAX_BYTES {
        return Err(unavailable(path, "it would be larger than 1 MiB"));
    }
    file.replace(&text).map_err(failed)
}

/// All secrets of the file; none if it does not exist.
fn read(path: &Path) -> Result<BTreeMap<String, Secret>, SecretError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Err(SecretError::Denied);
        }
        Err(error) => return Err(unavailable(path, &error.to_string())),
    };
    require_private_file(path, &file)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unavailable(path, &error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(unavailable(path, "it is larger than 1 MiB"));
    }
    // The parser's message would quote the text.
    let secrets: BTreeMap<String, String> = serde_json::from_slice(&bytes).map_err(|error| {
        let line = error.line();
        unavailable(
            path,
            &format!(
                "line {line} does not fit a JSON object of names and texts; correct it, or remove \
                 the file and set its secrets again"
            ),
        )
    })?;
    let secrets = secrets.into_iter();
    Ok(secrets
        .map(|(name, value)| (name, Secret::new(value)))
        .collect())
}

/// Checks the open file, so that the file that is checked is the one that is read.
#[cfg(unix)]
fn require_private_file(path: &Path, file: &File) -> Result<(), SecretError> {
    use std::os::unix::fs::MetadataExt;
    let found = file
        .metadata()
        .map_err(|error| unavailable(path, &error.to_string()))?;
    if !found.is_file() {
        return Err(unavailable(path, "it is not a file"));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(unavailable(path, "it belongs to another user"));
    }
    if found.mode() & 0o077 != 0 {
        let mode = found.mode() & 0o777;
        let name = path.display();
        return Err(unavailable(
            path,
            &format!(
                "its mode {mode:04o} lets other users read or change it; make it private with \
                 `chmod 600 {name}`, and replace its secrets if others could have read them"
            ),
        ));
    }
    Ok(())
}

/// Who may change the directory could replace the file.
#[cfg(unix)]
fn require_private_directory(directory: &Path) -> Result<(), SecretError> {
    use std::os::unix::fs::MetadataExt;
    const STICKY: u32 = 0o1000;
    let found =
        std::fs::metadata(directory).map_err(|error| unavailable(directory, &error.to_string()))?;
    let mode = found.mode();
    if mode & 0o022 != 0 && mode & STICKY == 0 {
        let name = directory.display();
        return Err(unavailable(
            directory,
            &format!(
                "its mode {:04o} lets other users change it and replace the secrets; make it \
                 private with `chmod go-w {name}`",
                mode & 0o777
            ),
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn require_private_file(_path: &Path, _file: &File) -> Result<(), SecretError> {
    Ok(())
}

#[cfg(not(unix))]
fn require_private_directory(_directory: &Path) -> Result<(), SecretError> {
    Ok(())
}

fn unavailable(path: &Path, reason: &str) -> SecretError {
    SecretError::Unavailable(format!("{}: {reason}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn secrets_are_kept_and_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new").join("secrets.json");
        let store = SecretFile::new(&path);
        assert_eq!(store.get("token").await, Err(SecretError::NotFound));
        store.put("token", Secret::new("one")).await.unwrap();
        let key = "-----BEGIN\n\"ü\"\u{1}\n";
        store.put("key", Secret::new(key)).await.unwrap();
        store.put("token", Secret::new("two")).await.unwrap();

        let again = SecretFile::new(&path);
        assert_eq!(again.get("token").await.unwrap().expose(), "two");
        assert_eq!(again.get("key").await.unwrap().expose(), key);
        let outside = store.put("../x", Secret::new("x")).await;
        assert_eq!(outside, Err(SecretError::Denied));
    }

    /// What a crash half-way through a change left behind.
    #[tokio::test]
    async fn an_unfinished_change_is_ignored() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.json");
        let store = SecretFile::new(&path);
        store.put("token", Secret::new("one")).await.unwrap();
        std::fs::write(directory.path().join(".secrets.json.new"), "{\"tok").unwrap();
        assert_eq!(store.get("token").await.unwrap().expose(), "one");
        store.put("token", Secret::new("two")).await.unwrap();
        assert_eq!(store.get("token").await.unwrap().expose(), "two");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn concurrent_changes_are_all_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.json");
        let changes: Vec<_> = (0..20)
            .map(|number| {
                let store = SecretFile::new(&path);
                tokio::spawn(async move {
                    let name = format!("token-{number}");
                    store.put(&name, Secret::new(name.clone())).await.unwrap();
                })
            })
            .collect();
        for change in changes {
            change.await.unwrap();
        }
        let store = SecretFile::new(&path);
        for number in 0..20 {
            let name = format!("token-{number}");
            assert_eq!(store.get(&name).await.unwrap().expose(), name);
        }
    }

    #[tokio::test]
    async fn unreadable_files_are_reported_without_their_content() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.json");
        let store = SecretFile::new(&path);
        store.put("token", Secret::new("hunter2")).await.unwrap();
        for broken in [
            "{\n\"token\": [\"hunter2\"]}",
            "\n\"hunter2\"",
            "{\n hunter2",
        ] {
            std::fs::write(&path, broken).unwrap();
            for failure in [
                store.get("token").await.unwrap_err(),
                store.put("token", Secret::new("x")).await.unwrap_err(),
            ] {
                let text = failure.to_string();
                assert!(text.contains("secrets.json: line 2"), "{text}");
                assert!(!text.contains("hunter2"), "{text}");
            }
            assert_eq!(std::fs::read_to_string(&path).unwrap(), broken);
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn files_that_others_can_access_are_refused() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let change = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let above = tempfile::tempdir().unwrap();
        let directory = above.path().join("kept");
        let path = directory.join("secrets.json");
        let store = SecretFile::new(&path);
        store.put("token", Secret::new("hunter2")).await.unwrap();
        assert_eq!((mode(&directory), mode(&path)), (0o700, 0o600));

        for open in [0o640, 0o604, 0o622] {
            change(&path, open);
            for failure in [
                store.get("token").await.unwrap_err(),
                store.put("token", Secret::new("x")).await.unwrap_err(),
            ] {
                let text = failure.to_string();
                assert!(
                    text.contains("chmod 600") && !text.contains("hunter2"),
                    "{text}"
                );
            }
        }
        change(&path, 0o600);
        assert_eq!(store.get("token").await.unwrap().expose(), "hunter2");

        change(&directory, 0o770);
        let failure = store.put("token", Secret::new("x")).await.unwrap_err();
        assert!(failure.to_string().contains("chmod go-w"), "{failure}");
        assert_eq!(store.get("token").await.unwrap().expose(), "hunter2");
    }
}
