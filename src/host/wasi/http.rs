//! An HTTP client over `wasi:http/outgoing-handler`.

use super::super::{Header, HttpError, Method, Request, Response};
use super::bindings::wasi::http::outgoing_handler;
use super::bindings::wasi::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method as WasiMethod, OutgoingBody,
    OutgoingRequest, RequestOptions, Scheme,
};
use super::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use super::executor::Readiness;

/// How much of a body is read at once.
const CHUNK: u64 = 256 * 1024;

pub(super) async fn send(request: Request) -> Result<Response, HttpError> {
    let fields = Fields::new();
    for Header { name, value } in &request.headers {
        fields
            .append(name, value.as_bytes())
            .map_err(|error| HttpError::Protocol(format!("header {name}: {error}")))?;
    }
    let outgoing = OutgoingRequest::new(fields);
    let target = &request.target;
    let scheme = if target.secure {
        Scheme::Https
    } else {
        Scheme::Http
    };
    outgoing
        .set_method(&request.method.into())
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(&target.authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&target.path_and_query)))
        .map_err(|()| HttpError::Protocol("the request line is not valid".into()))?;

    let options = RequestOptions::new();
    let timeout = u64::try_from(request.idle_timeout.as_nanos()).unwrap_or(u64::MAX);
    // A host that does not support a timeout returns an error, and uses its own.
    let _ = options.set_connect_timeout(Some(timeout));
    let _ = options.set_first_byte_timeout(Some(timeout));
    let _ = options.set_between_bytes_timeout(Some(timeout));

    // Without a body the outgoing body is never taken: some hosts delay or lose a request while an
    // unwritten body is open.
    let upload = match &request.body {
        Some(bytes) => {
            let body = outgoing
                .body()
                .map_err(|()| HttpError::Protocol("the request cannot have a body".into()))?;
            Some((body, bytes))
        }
        None => None,
    };
    let response = outgoing_handler::handle(outgoing, Some(options)).map_err(HttpError::from)?;
    if let Some((body, bytes)) = upload {
        write_body(body, bytes).await;
    }

    let incoming = loop {
        match response.get() {
            Some(Ok(result)) => break result.map_err(HttpError::from)?,
            Some(Err(())) => return Err(HttpError::Protocol("the response was read twice".into())),
            None => Readiness::new(response.subscribe()).wait().await,
        }
    };
    read_response(&incoming, request.max_body).await
}

/// Sends the body. A service may respond before it has read everything, so a failure here is
/// not reported: the response decides.
async fn write_body(body: OutgoingBody, bytes: &[u8]) {
    if let Ok(stream) = body.write() {
        let _ = write_all(&stream, bytes).await;
    }
    let _ = OutgoingBody::finish(body, None);
}

async fn write_all(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    let writable = Readiness::new(stream.subscribe());
    while !bytes.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if room == 0 {
            writable.wait().await;
            continue;
        }
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now)?;
        bytes = later;
    }
    stream.flush()?;
    while stream.check_write()? == 0 {
        writable.wait().await;
    }
    Ok(())
}

async fn read_response(
    incoming: &IncomingResponse,
    max_body: usize,
) -> Result<Response, HttpError> {
    let status = incoming.status();
    let headers = incoming
        .headers()
        .entries()
        .into_iter()
        .filter_map(|(name, value)| Some(Header::new(name, String::from_utf8(value).ok()?)))
        .collect();
    let mut response = Response {
        status,
        headers,
        body: Vec::new(),
    };

    let declared: Option<usize> = response
        .header("content-length")
        .and_then(|length| length.parse().ok());
    if declared.is_some_and(|length| length > max_body) {
        return Err(HttpError::TooLarge(max_body));
    }
    // A failed reservation is an error; a failed push would end the component.
    response
        .body
        .try_reserve_exact(declared.unwrap_or(0))
        .map_err(|_| HttpError::TooLarge(declared.unwrap_or(0)))?;

    let body = incoming
        .consume()
        .map_err(|()| HttpError::Protocol("the response has no body".into()))?;
    {
        let stream = body
            .stream()
            .map_err(|()| HttpError::Protocol("the body of the response cannot be read".into()))?;
        read_all(&stream, &mut response.body, max_body).await?;
    }
    drop(IncomingBody::finish(body));
    if declared.is_some_and(|length| length != response.body.len()) {
        return Err(HttpError::Lost);
    }
    Ok(response)
}

async fn read_all(
    stream: &InputStream,
    body: &mut Vec<u8>,
    max_body: usize,
) -> Result<(), HttpError> {
    let readable = Readiness::new(stream.subscribe());
    loop {
        match stream.read(CHUNK) {
            Ok(chunk) if chunk.is_empty() => readable.wait().await,
            Ok(chunk) => {
                if body.len() + chunk.len() > max_body {
                    return Err(HttpError::TooLarge(max_body));
                }
                body.try_reserve(chunk.len())
                    .map_err(|_| HttpError::TooLarge(body.len()))?;
                body.extend_from_slice(&chunk);
            }
            Err(StreamError::Closed) => return Ok(()),
            Err(StreamError::LastOperationFailed(_)) => return Err(HttpError::Lost),
        }
    }
}

impl From<Method> for WasiMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::Get,
            Method::Post => Self::Post,
            Method::Patch => Self::Patch,
            Method::Put => Self::Put,
            Method::Delete => Self::Delete,
        }
    }
}

impl From<ErrorCode> for HttpError {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => Self::Denied,
            ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
                Self::Dns
            }
            ErrorCode::ConnectionRefused
            | ErrorCode::DestinationUnavailable
            | ErrorCode::DestinationIpUnroutable
            | ErrorCode::ConnectionLimitReached => Self::Connect,
            ErrorCode::ConnectionTimeout
            | ErrorCode::ConnectionReadTimeout
            | ErrorCode::ConnectionWriteTimeout
            | ErrorCode::HttpResponseTimeout => Self::Timeout,
            ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => Self::Lost,
            ErrorCode::TlsCertificateError => {
                Self::Tls("the certificate is not trusted or does not match the name".into())
            }
            ErrorCode::TlsProtocolError => {
                Self::Tls("the handshake failed or the certificate is not trusted".into())
            }
            ErrorCode::TlsAlertReceived(alert) => Self::Tls(
                alert
                    .alert_message
                    .unwrap_or_else(|| "the service rejected it".into()),
            ),
            ErrorCode::InternalError(Some(why)) => Self::Protocol(why),
            other => Self::Protocol(format!("{other:?}")),
        }
    }
}
