//! The pooled HTTP client of one connection profile.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::body::WatchedBody;
use super::connect::Connector;
use super::failure;
use super::metrics::Metrics;
use super::origin::Origin;
use super::policy::{Network, Timeouts};
use super::tls::NetworkError;

/// The pooled client of one connection profile.
pub(crate) struct Gateway {
    client: Client<Connector, WasiBody>,
    timeouts: Timeouts,
    pub(super) allowed_origins: Option<Vec<Origin>>,
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
            // With the default windows of 64 KiB, a page of megabytes would take one round trip per
            // window.
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

    pub(super) async fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let at_most =
            |requested: Option<Duration>, own: Duration| requested.map_or(own, |d| d.min(own));
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
                    self.metrics.record_denied(&uri, reason);
                }
                if let Some(reason) = failure::untrusted(&error) {
                    self.metrics.record_untrusted(&uri, reason);
                }
                failure::while_sending(&error)
            })?;
        self.metrics.throttling.observe(&response);
        let metrics = Arc::clone(&self.metrics);
        Ok(response.map(|body| WatchedBody::new(body, between_bytes, end, metrics).boxed_unsync()))
    }
}
