//! Turns errors of the HTTP client into those of `wasi:http`.

use std::error::Error as StdError;
use std::io;

use wasmtime_wasi_http::Error;

use super::connect::ConnectError;
use super::denial::Denial;

/// Why a request has no response.
pub(crate) fn while_sending(error: &hyper_util::client::legacy::Error) -> Error {
    known_cause(Some(error)).unwrap_or(if error.is_connect() {
        Error::DestinationUnavailable
    } else {
        Error::ConnectionTerminated
    })
}

/// Why the policy refused the address, if it did.
pub(crate) fn denial(error: &hyper_util::client::legacy::Error) -> Option<Denial> {
    find_cause(error, |cause| match cause.downcast_ref()? {
        ConnectError::Prohibited(denial) => Some(*denial),
        ConnectError::Unresolved { .. } | ConnectError::TimedOut(_) => None,
    })
}

/// Why the server's TLS certificate was not accepted, if that is the cause.
pub(crate) fn untrusted(error: &hyper_util::client::legacy::Error) -> Option<String> {
    find_cause(error, |cause| match cause.downcast_ref()? {
        rustls::Error::InvalidCertificate(reason) => Some(reason.to_string()),
        _ => None,
    })
}

/// The first cause of an error that this recognises. Errors of `io` hide the error that they wrap
/// from `source`.
fn find_cause<T>(
    error: &(dyn StdError + 'static),
    recognise: impl Fn(&(dyn StdError + 'static)) -> Option<T> + Copy,
) -> Option<T> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(found) = recognise(current) {
            return Some(found);
        }
        let wrapped = current
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        if let Some(wrapped) = wrapped
            && let Some(found) = find_cause(wrapped, recognise)
        {
            return Some(found);
        }
        cause = current.source();
    }
    None
}

/// Why a response body ended early.
pub(crate) fn while_reading(error: &hyper::Error) -> Error {
    match known_cause(error.source()) {
        // However the connection ended, the body is incomplete.
        Some(Error::ConnectionTerminated) | None => Error::HttpResponseIncomplete,
        Some(known) => known,
    }
}

fn known_cause(mut cause: Option<&(dyn StdError + 'static)>) -> Option<Error> {
    while let Some(current) = cause {
        if let Some(known) = classify(current) {
            return Some(known);
        }
        cause = current.source();
    }
    None
}

fn classify(error: &(dyn StdError + 'static)) -> Option<Error> {
    if let Some(error) = error.downcast_ref::<ConnectError>() {
        return Some(match error {
            ConnectError::Prohibited(_) => Error::DestinationIpProhibited,
            ConnectError::Unresolved { reason, .. } => Error::DnsError {
                rcode: Some(reason.clone()),
                info_code: None,
            },
            ConnectError::TimedOut(_) => Error::ConnectionTimeout,
        });
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(tls(error));
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        if error.is_parse() || error.is_parse_too_large() {
            return Some(Error::HttpProtocolError);
        }
        if error.is_incomplete_message() {
            return Some(Error::HttpResponseIncomplete);
        }
        return None;
    }
    let error = error.downcast_ref::<io::Error>()?;
    // `source` of such an error skips the error that it wraps.
    if let Some(inner) = error.get_ref() {
        let inner: &(dyn StdError + 'static) = inner;
        if let Some(known) = classify(inner) {
            return Some(known);
        }
    }
    Some(match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            Error::DestinationUnavailable
        }
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Error::ConnectionTerminated,
        _ => return None,
    })
}

fn tls(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Error::TlsCertificateError
        }
        rustls::Error::AlertReceived(alert) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        _ => Error::TlsProtocolError,
    }
}
