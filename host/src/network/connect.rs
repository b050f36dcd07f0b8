//! How a connection is made: resolve, check the address, connect, TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use tower_service::Service;

use super::address::refusal;
use super::denial::Denial;
use super::metrics::Metrics;
use super::origin::is_loopback_host;
use super::proxy::Proxy;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Why there is no connection, where the operating system reports no error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the policy does not allow the address: {0:?}")]
    Prohibited(Denial),
    #[error("the name {host} cannot be resolved: {reason}")]
    Unresolved { host: String, reason: String },
    #[error("no connection within {0:?}")]
    TimedOut(Duration),
}

type Direct = HttpsConnector<HttpConnector<Resolver>>;

/// Connects over TCP and TLS, only to permitted addresses, within a time.
#[derive(Clone)]
pub(crate) struct Connector {
    direct: Direct,
    /// Through the proxy, which resolves the name.
    tunnel: Option<HttpsConnector<Tunnel<HttpConnector>>>,
    allow_private: bool,
    timeout: Duration,
    metrics: Arc<Metrics>,
}

impl Connector {
    pub(crate) fn new(
        tls: rustls::ClientConfig,
        proxy: Option<Proxy>,
        allow_private: bool,
        timeout: Duration,
        metrics: Arc<Metrics>,
    ) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver { allow_private });
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tunnel = proxy.map(|proxy| {
            let mut tcp = HttpConnector::new();
            tcp.set_nodelay(true);
            over_tls(tls.clone(), Tunnel::new(proxy.uri, tcp))
        });
        Self {
            direct: over_tls(tls, tcp),
            tunnel,
            allow_private,
            timeout,
            metrics,
        }
    }
}

fn over_tls<C>(tls: rustls::ClientConfig, transport: C) -> HttpsConnector<C> {
    HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(transport)
}

impl Service<Uri> for Connector {
    type Response = <Direct as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = BoxFuture<Self::Response, BoxError>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if let Some(tunnel) = &mut self.tunnel {
            std::task::ready!(tunnel.poll_ready(context))?;
        }
        self.direct.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // An address instead of a name does not pass through the resolver.
        let host = uri.host().unwrap_or_default();
        let loopback = is_loopback_host(host);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>()
            && let Some(denial) = refusal(loopback, self.allow_private, address)
        {
            return Box::pin(async move { Err(ConnectError::Prohibited(denial).into()) });
        }
        let connecting = match &mut self.tunnel {
            Some(tunnel) if !loopback => tunnel.call(uri),
            _ => self.direct.call(uri),
        };
        let (timeout, metrics) = (self.timeout, Arc::clone(&self.metrics));
        Box::pin(async move {
            let connection = tokio::time::timeout(timeout, connecting)
                .await
                .map_err(|_| ConnectError::TimedOut(timeout))??;
            metrics.count_connection();
            Ok(connection)
        })
    }
}

/// The system's resolver. A result is refused as a whole when one of its addresses is not
/// permitted: a legitimate name has no such address.
#[derive(Clone)]
pub(crate) struct Resolver {
    allow_private: bool,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = ConnectError;
    type Future = BoxFuture<Self::Response, ConnectError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let host = name.as_str();
            let unresolved = |reason: String| ConnectError::Unresolved {
                host: host.to_owned(),
                reason,
            };
            let found = tokio::net::lookup_host((host, 0))
                .await
                .map_err(|error: io::Error| unresolved(error.to_string()))?;
            permitted(host, allow_private, found)
        })
    }
}

fn permitted(
    host: &str,
    allow_private: bool,
    found: impl Iterator<Item = SocketAddr>,
) -> Result<std::vec::IntoIter<SocketAddr>, ConnectError> {
    let loopback = is_loopback_host(host);
    let addresses: Vec<_> = found.collect();
    for found in &addresses {
        if let Some(denial) = refusal(loopback, allow_private, found.ip()) {
            return Err(ConnectError::Prohibited(denial));
        }
    }
    Ok(addresses.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_forbidden_address_refuses_the_whole_result() {
        let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), 0);
        let resolved = |host, ips: &[&str]| {
            permitted(host, false, ips.iter().map(|ip| at(ip))).map(Iterator::count)
        };
        assert_eq!(
            resolved("org.example", &["8.8.8.8", "2603:1020::1"]).unwrap(),
            2
        );
        assert!(resolved("org.example", &["8.8.8.8", "127.0.0.1"]).is_err());
        assert!(resolved("org.example", &["::ffff:169.254.169.254"]).is_err());
        assert_eq!(resolved("localhost", &["127.0.0.1", "::1"]).unwrap(), 2);
        assert!(resolved("localhost", &["8.8.8.8"]).is_err());
    }
}
