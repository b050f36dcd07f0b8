//! Secrets and tokens that the tests use, and that nothing may show.
//!
//! Everything that a run of the program prints or leaves behind, and every event and report that
//! the library hands over, is held against all of them, whichever test it belongs to.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use memchr::memmem;

/// What no access token lacks: its second part is a JSON object in base64.
const TOKEN: &str = ".eyJ";

/// Tells the secrets that there are by now.
type Source = Box<dyn Fn() -> Vec<String> + Send>;

static SOURCES: Mutex<Vec<Source>> = Mutex::new(Vec::new());

/// Watches over a secret from now on.
pub fn watch(secret: &str) {
    let secret = secret.to_owned();
    watch_over(move || vec![secret.clone()]);
}

/// Watches over secrets that are still being made.
pub fn watch_over(source: impl Fn() -> Vec<String> + Send + 'static) {
    sources().push(Box::new(source));
}

/// Fails if a secret or a token stands in this text.
#[track_caller]
pub fn assert_none(place: &str, text: &[u8]) {
    let secrets: Vec<String> = sources().iter().flat_map(|source| source()).collect();
    for secret in secrets.iter().map(String::as_str).chain([TOKEN]) {
        assert!(
            memmem::find(text, secret.as_bytes()).is_none(),
            "a secret stands in {place}"
        );
    }
}

/// Fails if a secret or a token stands in a file of this directory, or in one below it, except
/// below `kept`, where secrets belong.
#[track_caller]
pub fn assert_none_below(directory: &Path, kept: &Path) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path == kept {
            continue;
        }
        if path.is_dir() {
            assert_none_below(&path, kept);
        } else if path.is_file() {
            assert_none(&path.display().to_string(), &std::fs::read(&path).unwrap());
        }
    }
}

fn sources() -> std::sync::MutexGuard<'static, Vec<Source>> {
    SOURCES.lock().unwrap_or_else(PoisonError::into_inner)
}
