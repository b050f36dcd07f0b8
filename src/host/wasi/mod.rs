//! The ports filled by WASI 0.2: the only place that names a WASI binding.

pub mod bindings;
mod executor;
mod http;
mod panics;

use std::time::Duration;

use self::bindings::integration::connector::secrets;
use self::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use self::bindings::wasi::random::random;
use self::executor::Readiness;
pub use self::executor::block_on;
pub use self::panics::write_panics_to_stderr;
use super::{Clock, Http, HttpError, Random, Request, Response, Secret, SecretError, Secrets};

/// The host of the component.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wasi;

impl Http for Wasi {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        http::send(request).await
    }
}

impl Secrets for Wasi {
    fn get(&self, name: &str) -> Result<Secret, SecretError> {
        secrets::get(name)
            .map(Secret::new)
            .map_err(SecretError::from)
    }

    fn put(&self, name: &str, value: &Secret) -> Result<(), SecretError> {
        secrets::put(name, value.reveal()).map_err(SecretError::from)
    }
}

impl From<secrets::SecretError> for SecretError {
    fn from(error: secrets::SecretError) -> Self {
        match error {
            secrets::SecretError::NotFound => Self::NotFound,
            secrets::SecretError::Denied => Self::Denied,
            secrets::SecretError::Unavailable(why) => Self::Unavailable(why),
        }
    }
}

impl Clock for Wasi {
    fn unix_time(&self) -> Duration {
        let now = wall_clock::now();
        Duration::new(now.seconds, now.nanoseconds)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }

    async fn sleep(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Readiness::new(monotonic_clock::subscribe_duration(nanos))
            .wait()
            .await;
    }
}

impl Random for Wasi {
    fn fill(&self, buffer: &mut [u8]) {
        let bytes = random::get_random_bytes(buffer.len() as u64);
        buffer.copy_from_slice(&bytes);
    }
}
