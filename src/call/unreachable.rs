//! Errors for requests without a response.

use url::Url;

use crate::error::{Error, ErrorKind};
use crate::host::HttpError;

/// The error when a request to `url` gets no response; `failure` says what failed, such as
/// `cannot read accounts`.
pub(crate) fn unreachable(failure: &str, url: &Url, error: &HttpError) -> Error {
    let origin = url.origin().ascii_serialization();
    let (kind, advice) = match error {
        HttpError::Denied => (
            ErrorKind::InvalidSettings,
            "allow the origin in the host, or correct the address in the settings",
        ),
        HttpError::Dns => (
            ErrorKind::Unavailable,
            "check the address in the settings and the DNS configuration of this machine",
        ),
        HttpError::Connect => (
            ErrorKind::Unavailable,
            "check the address, the network, and any firewall or proxy in between",
        ),
        HttpError::Tls(_) => (
            ErrorKind::Unavailable,
            "check the server's certificate, the certificate authorities that the host trusts, \
             the clock of this machine, and any proxy that inspects TLS",
        ),
        HttpError::Timeout | HttpError::Lost => (
            ErrorKind::Unavailable,
            "try again later, or set a longer request timeout",
        ),
        HttpError::TooLarge(_) => (ErrorKind::Unsupported, "request less at once"),
        HttpError::Protocol(_) => (
            ErrorKind::Unavailable,
            "check any proxy in between, or try again later",
        ),
    };
    Error::new(
        kind,
        format!("{failure}: {origin} cannot be reached: {error}; {advice}"),
    )
}
