//! The only way out: one pooled HTTP client per connection profile, behind the policy.
//!
//! `wasmtime-wasi-http` by itself opens a connection for every request and trusts a fixed list of
//! certificate authorities. Here connections are kept, HTTP/2 is spoken where it is offered, and
//! nothing leaves but to the allowed origins at permitted addresses. The pool is never shared
//! between profiles: what a server attaches to a connection stays with one tenant.

mod address;
mod body;
mod connect;
mod failure;
mod metrics;
mod origin;
mod proxy;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Request, Response, header};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpHooks,
};

use body::WatchedBody;
use connect::Connector;

pub use metrics::{Denial, Denied, Metrics};
pub use origin::{Origin, OriginError};
pub use proxy::{Proxy, ProxyError};
pub use tls::Trust;

/// How long the host waits on the network. A connector may ask for less, never for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For name resolution, TCP and TLS together. Default 10 s.
    pub connect: Duration,
    /// From the sent request to the head of the response. Default 150 s: Dataverse-like services
    /// give a query up to two minutes.
    pub first_byte: Duration,
    /// Without a byte of a body. Default 60 s.
    pub between_bytes: Duration,
    /// For one exchange as a whole. Default 15 min.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(150),
            between_bytes: Duration::from_mins(1),
            total: Duration::from_mins(15),
        }
    }
}

impl Timeouts {
    /// The same within what the clock can count: `Duration::MAX` stands for no limit.
    fn countable(self) -> Self {
        const LONGEST: Duration = Duration::from_hours(365 * 24);
        Self {
            connect: self.connect.min(LONGEST),
            first_byte: self.first_byte.min(LONGEST),
            between_bytes: self.between_bytes.min(LONGEST),
            total: self.total.min(LONGEST),
        }
    }
}

/// What a connection profile may do on the network.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// Whom to trust.
    pub trust: Trust,
    /// Whether names may resolve to addresses inside private networks.
    pub allow_private: bool,
    /// The way to all hosts but this machine, if they are not reached directly. Variables of the
    /// environment such as `HTTPS_PROXY` are not read.
    pub proxy: Option<Proxy>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// The platform's own allow-list. When given, a request must be covered by it *and* by the
    /// origins that the connector states for its settings.
    pub allowed_origins: Option<Vec<Origin>>,
}

/// Why a profile's network cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// A certificate authority cannot be used.
    #[error("{origin} cannot be used as a certificate authority: {reason}")]
    Certificate {
        /// Where the certificate came from.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The TLS library refused its configuration.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// The pooled client of one connection profile.
pub(crate) struct Gateway {
    client: Client<Connector, WasiBody>,
    timeouts: Timeouts,
    allowed_origins: Option<Vec<Origin>>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Gateway {
    pub(crate) fn new(network: &Network) -> Result<Self, NetworkError> {
        let metrics = Arc::new(Metrics::default());
        let timeouts = network.timeouts.countable();
        let connector = Connector::new(
            network.trust.client_config()?,
            network.proxy.clone(),
            network.allow_private,
            timeouts.connect,
            Arc::clone(&metrics),
        );
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            // The default windows of 64 KiB would hold a page of megabytes to one window per
            // round trip.
            .http2_initial_stream_window_size(2 << 20)
            .http2_initial_connection_window_size(8 << 20)
            .http2_keep_alive_interval(Duration::from_secs(30))
            .build(connector);
        Ok(Self {
            client,
            timeouts,
            allowed_origins: network.allowed_origins.clone(),
            metrics,
        })
    }

    async fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let at_most = |asked: Option<Duration>, own: Duration| asked.map_or(own, |d| d.min(own));
        let first_byte = at_most(options.first_byte_timeout, self.timeouts.first_byte);
        let between_bytes = at_most(options.between_bytes_timeout, self.timeouts.between_bytes);
        let connect = at_most(options.connect_timeout, self.timeouts.connect);

        let end = Instant::now() + self.timeouts.total;
        let head = (Instant::now() + connect + first_byte).min(end);
        self.metrics.count_request();
        let uri = request.uri().clone();
        let response = tokio::time::timeout_at(head, self.client.request(request))
            .await
            .map_err(|_| Error::HttpResponseTimeout)?
            .map_err(|error| {
                if let Some(reason) = failure::denial(&error) {
                    self.metrics.count_denied(&uri, reason);
                }
                failure::while_sending(&error)
            })?;
        let metrics = Arc::clone(&self.metrics);
        Ok(response.map(|body| WatchedBody::new(body, between_bytes, end, metrics).boxed_unsync()))
    }
}

/// What one instance may reach: the implementation of `wasi:http/outgoing-handler`.
pub(crate) struct Outgoing {
    gateway: Arc<Gateway>,
    /// Empty before the connector has stated its origins: then nothing may leave.
    pub(crate) origins: Vec<Origin>,
}

type Exchange = (
    Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

impl Outgoing {
    /// An instance that reaches nothing yet.
    pub(crate) fn cut_off(gateway: Arc<Gateway>) -> Self {
        Self {
            gateway,
            origins: Vec::new(),
        }
    }

    fn denial(&self, uri: &http::Uri) -> Option<Denial> {
        let covered = |origins: &[Origin]| origins.iter().any(|origin| origin.covers(uri));
        if !covered(&self.origins) {
            return Some(Denial::Unstated);
        }
        let allowed = self.gateway.allowed_origins.as_deref().is_none_or(covered);
        (!allowed).then_some(Denial::NotAllowed)
    }
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _sent: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Exchange, Error>> + Send> {
        let gateway = Arc::clone(&self.gateway);
        if let Some(reason) = self.denial(request.uri()) {
            gateway.metrics.count_denied(request.uri(), reason);
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        Box::new(async move {
            let response = gateway.send(request, options.unwrap_or_default()).await?;
            Ok((response, Box::new(async { Ok(()) }) as Box<_>))
        })
    }

    /// The client writes it where the protocol has it: not in HTTP/2.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name: &HeaderName| {
            DEFAULT_FORBIDDEN_HEADERS.contains(name)
                || *name == header::TE
                || *name == header::TRAILER
        })
    }
}

#[cfg(test)]
mod tests;
