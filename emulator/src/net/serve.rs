//! Accepting connections.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, Request, Response},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{net::TcpListener, task::JoinSet};

/// What a handler does with a request: a response, or nothing, which closes the connection.
pub(crate) type Outcome = Option<Response<Body>>;

/// Handles requests of one listener.
pub(crate) trait Handler: Send + Sync + 'static {
    /// A connection was accepted.
    fn connected(&self) {}

    /// Handles a request; `peer` is the other end of the connection.
    fn handle(
        self: Arc<Self>,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Outcome> + Send;
}

/// Closes the connection instead of responding.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is closed without a response")
    }
}

impl std::error::Error for Closed {}

/// Serves until the task is aborted; open connections end with it.
pub(crate) async fn serve<H: Handler>(listener: TcpListener, handler: Arc<H>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Probably out of file handles: wait until some are closed.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        handler.connected();
        let handler = Arc::clone(&handler);
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let handler = Arc::clone(&handler);
                async move { handler.handle(peer, request).await.ok_or(Closed) }
            });
            // The client closed the connection: there is nothing to do.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Scheme and host as the client named them. A proxy in front tells the scheme, or
/// HTTP/2 does; otherwise it is that of the alias with this host.
pub(crate) fn origin(
    headers: &HeaderMap,
    uri: &axum::http::Uri,
    local: SocketAddr,
    aliases: &[String],
) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host")
        .map(str::to_owned)
        .or_else(|| uri.authority().map(ToString::to_string))
        .unwrap_or_else(|| local.to_string());
    let secure = format!("https://{host}");
    match text("x-forwarded-proto").or(uri.scheme_str()) {
        Some("https") => secure,
        None if aliases.contains(&secure) => secure,
        _ => format!("http://{host}"),
    }
}
