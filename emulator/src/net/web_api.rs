//! The environment's server: sign-in, limits, faults and headers around the Web API.

use std::{
    io::Write as _,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Response as HttpResponse, StatusCode, header},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use tokio::runtime::Handle;

use super::serve::{Handler, Outcome, origin};
use crate::{
    api::{Request, Response},
    control,
    environment::{
        Environment,
        faults::{CutBody, FaultKind, edit_body, error_response},
        statistics::RequestKind,
    },
    gate::Refusal,
    ids::ORGANIZATION,
    wire::ODataError,
};

/// Largest request body, 128 MiB (reference §9.2).
const MAX_BODY: usize = 128 * 1024 * 1024;

/// Shorter bodies are not compressed.
const MIN_GZIP: usize = 1_024;

/// Longest address of a request, in characters (reference §4.12).
const MAX_ADDRESS: usize = 32_768;

impl Handler for Environment {
    fn connected(&self) {
        self.counters.connection();
    }

    async fn handle(
        self: Arc<Self>,
        peer: SocketAddr,
        request: axum::http::Request<Incoming>,
    ) -> Outcome {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        if let Some(command) = path.strip_prefix(control::PREFIX) {
            if !peer.ip().is_loopback() {
                return Some(plain(
                    StatusCode::FORBIDDEN,
                    "The control API accepts requests from this machine only.",
                ));
            }
            let body = Limited::new(body, MAX_BODY)
                .collect()
                .await
                .ok()?
                .to_bytes();
            return Some(control::handle(&self, &parts.method, command, body).await);
        }
        if self.paths.is_soap(path) {
            // Not supported, but Microsoft's own client reads the authority from its challenge.
            let origin = origin(&parts.headers, &parts.uri, self.local, &self.aliases);
            return Some(self.finish(self.challenge(&origin), &parts.headers, None));
        }
        if parts.uri.to_string().len() > MAX_ADDRESS {
            return Some(plain(StatusCode::URI_TOO_LONG, ""));
        }
        let Some((service, rest)) = self.paths.split(path) else {
            return Some(plain(StatusCode::NOT_FOUND, ""));
        };
        let origin = origin(&parts.headers, &parts.uri, self.local, &self.aliases);
        let kind = kind_of(&parts.method, rest);
        let rest = rest.to_owned();
        let mut request = Request {
            root: format!("{origin}{service}"),
            origin,
            path: rest,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            method: parts.method,
            headers: parts.headers,
            body: Bytes::new(),
        };
        self.counters.begin(kind);
        let body = Limited::new(body, MAX_BODY).collect().await;
        let outcome = match body {
            Ok(body) => {
                request.body = body.to_bytes();
                self.respond(request, kind).await
            }
            Err(_) => Some(self.finish(too_large(), &HeaderMap::new(), None)),
        };
        let (status, bytes) = outcome.as_ref().map_or((0, 0), |response| {
            let length = response.headers().get(header::CONTENT_LENGTH);
            let length = length
                .and_then(|value| value.to_str().ok()?.parse().ok())
                .unwrap_or(0);
            (response.status().as_u16(), length)
        });
        self.counters.end(status, bytes);
        outcome
    }
}

impl Environment {
    async fn respond(self: &Arc<Self>, request: Request, kind: RequestKind) -> Outcome {
        let fault = self.faults.next_for(&request.path, kind.is_data());
        let latency = Duration::from_millis(self.latency.load(Ordering::SeqCst));
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        match &fault {
            Some(FaultKind::Reset) => {
                self.counters.fault();
                return None;
            }
            Some(FaultKind::Delay { milliseconds }) => {
                tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
            }
            Some(FaultKind::Status {
                status,
                retry_after,
            }) => {
                self.counters.fault();
                let response = match status {
                    401 => self.challenge(&request.origin),
                    status => error_response(*status, retry_after.as_deref()),
                };
                return Some(self.finish(response, &request.headers, None));
            }
            _ => {}
        }
        let this = Arc::clone(self);
        let (response, headers, address) = tokio::task::spawn_blocking(move || {
            let response = this.admit_and_respond(&request);
            let address = request.address();
            (response, request.headers, address)
        })
        .await
        .ok()?;
        if fault.is_some() {
            self.counters.fault();
        }
        let mut response = response;
        if let Some(kind) = &fault {
            response.body = edit_body(kind, response.body, &address);
        }
        let this = Arc::clone(self);
        // Compressing a page takes as long as reading it: keep it off the network threads.
        tokio::task::spawn_blocking(move || this.finish(response, &headers, fault.as_ref()))
            .await
            .ok()
    }

    fn admit_and_respond(&self, request: &Request) -> Response {
        let admitted = self
            .gate
            .admit(&self.entra, &self.api.current().store, &request.headers);
        let caller = match admitted {
            Ok(caller) => caller,
            Err(Refusal::Challenge) => return self.challenge(&request.origin),
            Err(Refusal::Refused(error)) => return Response::error(&error),
        };
        let now = self.api.current().store.clock().now();
        let (response, remaining) = if let Err(error) = self.limiter.begin(caller.user, now) {
            let remaining = self.limiter.remaining(caller.user, now);
            (Response::error(&error), remaining)
        } else {
            let _turn = Handle::current().block_on(self.turns.acquire());
            let start = Instant::now();
            let response = self.api.respond(request, &caller);
            let remaining = self.limiter.end(caller.user, now, start.elapsed());
            (response, remaining)
        };
        let seconds = remaining.execution_time.as_secs_f64();
        response
            .with(
                "x-ms-ratelimit-burst-remaining-xrm-requests",
                &remaining.requests.to_string(),
            )
            .with(
                "x-ms-ratelimit-time-remaining-xrm-requests",
                &format!("{seconds:.2}"),
            )
    }

    /// 401 with the challenge that names the authority (reference §2.8).
    fn challenge(&self, origin: &str) -> Response {
        let challenge = format!(
            "Bearer authorization_uri={}, resource_id={origin}/",
            self.authorization_uri
        );
        let mut response = Response::empty(StatusCode::UNAUTHORIZED);
        response.headers.clear();
        response.with("www-authenticate", &challenge)
    }

    /// Adds the headers of every response and the encoding that the client accepts, and cuts the
    /// body for a fault.
    fn finish(
        &self,
        response: Response,
        request_headers: &HeaderMap,
        fault: Option<&FaultKind>,
    ) -> HttpResponse<Body> {
        let mut body = response.body;
        // Files are not compressed: ranges count the bytes of the file.
        let is_file = response
            .headers
            .iter()
            .any(|(name, _)| name == "x-ms-file-size");
        let gzip = !is_file && body.len() >= MIN_GZIP && accepts_gzip(request_headers);
        if gzip {
            body = compress(&body).unwrap_or(body);
        }
        let length = body.len();
        let body = match fault {
            Some(FaultKind::CutBody { after }) if *after < length => {
                let start = Some(Bytes::from(body).slice(..*after));
                Body::new(CutBody {
                    start,
                    length: u64::try_from(length).unwrap_or(0),
                })
            }
            _ => Body::from(body),
        };
        let mut http = HttpResponse::new(body);
        *http.status_mut() = response.status;
        let headers = http.headers_mut();
        for (name, value) in response.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(name, value);
            }
        }
        let request_id = uuid::Uuid::new_v4().to_string();
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            headers.insert("x-ms-service-request-id", value);
        }
        headers.insert("cache-control", HeaderValue::from_static("no-cache"));
        let hint = self.recommended_parallelism.load(Ordering::SeqCst).into();
        headers.entry("x-ms-dop-hint").or_insert(hint);
        if gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        if self.affinity_cookie {
            let cookie = format!("ARRAffinity={}; path=/; HttpOnly", ORGANIZATION.simple());
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                headers.append(header::SET_COOKIE, value);
            }
        }
        if !matches!(
            response.status,
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        ) {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        http
    }
}

fn kind_of(method: &Method, path: &str) -> RequestKind {
    let first = path.split(['/', '(', '?']).next().unwrap_or_default();
    match first {
        "$batch" => RequestKind::Batch,
        "$metadata"
        | "EntityDefinitions"
        | "RelationshipDefinitions"
        | "GlobalOptionSetDefinitions" => RequestKind::Metadata,
        ""
        | "WhoAmI"
        | "RetrieveVersion"
        | "RetrieveCurrentOrganization"
        | "RetrieveTotalRecordCount"
        | "organizations" => RequestKind::Probe,
        _ if method == Method::GET => RequestKind::Read,
        _ => RequestKind::Write,
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .any(|list| {
            list.split(',').any(|item| {
                let (name, weight) = item.split_once(';').unwrap_or((item, ""));
                matches!(name.trim(), "gzip" | "*") && !matches!(weight.trim(), "q=0" | "q=0.0")
            })
        })
}

fn compress(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 6), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

fn too_large() -> Response {
    Response::error(&ODataError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "0x8004418A",
        "The request is larger than the service accepts.",
    ))
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse<Body> {
    let mut response = HttpResponse::new(Body::from(text));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_clients_that_accept_it() {
        let headers = |value: &'static str| {
            HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))])
        };
        assert!(accepts_gzip(&headers("br, gzip;q=0.8")));
        assert!(!accepts_gzip(&headers("gzip;q=0, br")));
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
