//! Searches outputs for secrets and tokens.
//!
//! Tests register the secrets that they use. Everything that the program prints or writes, and
//! every event and report of the library, is searched for the secrets of all tests.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use memchr::memmem;

/// Part of every access token: its second part is a JSON object in base64.
const TOKEN: &str = ".eyJ";

/// Returns the secrets that exist so far.
type Source = Box<dyn Fn() -> Vec<String> + Send>;

static SOURCES: Mutex<Vec<Source>> = Mutex::new(Vec::new());

/// Registers a secret.
pub fn register(secret: &str) {
    let secret = secret.to_owned();
    register_source(move || vec![secret.clone()]);
}

/// Registers secrets that are created while the tests run.
pub fn register_source(source: impl Fn() -> Vec<String> + Send + 'static) {
    sources().push(Box::new(source));
}

/// Fails if this text contains a secret or a token. `what` is the name of the text.
#[track_caller]
pub fn assert_no_secret(what: &str, text: &[u8]) {
    let secrets: Vec<String> = sources().iter().flat_map(|source| source()).collect();
    for secret in secrets.iter().map(String::as_str).chain([TOKEN]) {
        assert!(
            memmem::find(text, secret.as_bytes()).is_none(),
            "{what} contains a secret"
        );
    }
}

/// Fails if a file in this directory or below it contains a secret or a token. The directory
/// `excluded` is skipped: secrets are stored there.
#[track_caller]
pub fn assert_no_secret_in_files(directory: &Path, excluded: &Path) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path == excluded {
            continue;
        }
        if path.is_dir() {
            assert_no_secret_in_files(&path, excluded);
        } else if path.is_file() {
            assert_no_secret(&path.display().to_string(), &std::fs::read(&path).unwrap());
        }
    }
}

fn sources() -> std::sync::MutexGuard<'static, Vec<Source>> {
    SOURCES.lock().unwrap_or_else(PoisonError::into_inner)
}
