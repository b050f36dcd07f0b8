//! The ports: everything that the connector needs from outside, as traits that a host implements.
//!
//! In the component WASI implements them (`wasi`, the only place that names a WASI
//! binding); in native tests, a simulated host with a virtual clock and a seeded network.
//! Everything is single-threaded: futures need not be `Send`.

mod http;
mod secret;
mod started;
#[cfg(target_family = "wasm")]
pub mod wasi;

use std::future::Future;
use std::time::Duration;

pub use http::{Header, HttpError, Method, Request, Response, Target};
pub use secret::{Secret, SecretError};
pub use started::Started;

/// Sends HTTP requests.
pub trait Http {
    /// Sends one request and reads the whole response. Redirects are not followed.
    ///
    /// The request is sent when the future is first polled; dropping the future abandons it.
    fn send(&self, request: Request) -> impl Future<Output = Result<Response, HttpError>>;
}

/// Reads and keeps secrets by name.
pub trait Secrets {
    /// The value of the named secret.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn get(&self, name: &str) -> Result<Secret, SecretError>;

    /// Stores a new value under the name; when this returns, the value is durable.
    ///
    /// # Errors
    /// Why it cannot be stored.
    fn put(&self, name: &str, value: &Secret) -> Result<(), SecretError>;
}

/// Tells the time and waits.
pub trait Clock {
    /// Time since 1970-01-01T00:00:00Z.
    fn unix_time(&self) -> Duration;

    /// Time since some fixed instant; never goes back.
    fn elapsed(&self) -> Duration;

    /// Returns once `duration` has passed.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;
}

/// Gives unpredictable bytes.
pub trait Random {
    /// Fills the buffer with bytes fit for cryptography.
    fn fill(&self, buffer: &mut [u8]);
}

/// All ports together.
pub trait Host: Http + Secrets + Clock + Random + 'static {}

impl<T: Http + Secrets + Clock + Random + 'static> Host for T {}
