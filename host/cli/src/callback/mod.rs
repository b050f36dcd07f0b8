//! Where a browser returns to: a small server on this machine that waits for one request.

mod page;
mod uri;

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use url::Url;

use crate::exit::{Exit, Failure};
use crate::output::log;
use uri::loopback;

pub(crate) use page::Page;
pub(crate) use uri::Callback;

/// How long a response may take to reach the browser.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Listens where a browser will return to.
pub(crate) struct Listener {
    callback: Callback,
    sockets: Vec<TcpListener>,
}

impl Listener {
    /// Listens on loopback addresses only. `localhost` means both address families; one of them is
    /// enough.
    pub(crate) async fn bind(callback: &Callback) -> Result<Self, Failure> {
        let mut port = callback.url.port_or_known_default().unwrap_or_default();
        let mut sockets = Vec::new();
        let mut refused = None;
        for address in loopback(&callback.url) {
            match TcpListener::bind(SocketAddr::new(address, port)).await {
                Ok(socket) => {
                    // The other family takes the same port.
                    port = socket.local_addr().map_or(port, |local| local.port());
                    sockets.push(socket);
                }
                Err(error) if error.kind() == ErrorKind::AddrInUse => {
                    sockets.clear();
                    refused = Some(error);
                    break;
                }
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if sockets.is_empty() => Err(Failure::new(
                Exit::Local,
                format!(
                    "cannot listen at {}: {error}; free the port, or choose another with \
                     --callback, which must be registered with the application",
                    callback.text
                ),
            )),
            _ => Ok(Self {
                callback: callback.with_port(port),
                sockets,
            }),
        }
    }

    /// The redirect URI, with its actual port.
    pub(crate) fn redirect_uri(&self) -> &str {
        &self.callback.text
    }

    /// Waits for the request with this `state`. Every other request is refused: any program on this
    /// machine could send one.
    pub(crate) async fn wait(&self, state: &str) -> Result<Arrival, Failure> {
        let (arrived, mut arrivals) = mpsc::channel(1);
        let expected = Arc::new(Expected {
            callback: self.callback.url.clone(),
            state: state.to_owned(),
            arrived,
        });
        let mut accepting = JoinSet::new();
        loop {
            let stream = tokio::select! {
                arrival = arrivals.recv() => match arrival {
                    Some(mut arrival) => {
                        arrival.connections = accepting;
                        return Ok(arrival);
                    }
                    None => return Err(Failure::new(Exit::Internal, "the listener ended early")),
                },
                stream = self.accept() => stream?,
            };
            accepting.spawn(serve(stream, Arc::clone(&expected)));
        }
    }

    async fn accept(&self) -> Result<TcpStream, Failure> {
        let accepted = match self.sockets.as_slice() {
            [first, second, ..] => tokio::select! {
                accepted = first.accept() => accepted,
                accepted = second.accept() => accepted,
            },
            [only] => only.accept().await,
            [] => std::future::pending().await,
        };
        accepted.map(|(stream, _)| stream).map_err(|error| {
            let place = self.redirect_uri();
            Failure::new(Exit::Local, format!("cannot listen at {place}: {error}"))
        })
    }
}

/// The request that is expected.
struct Expected {
    callback: Url,
    state: String,
    arrived: mpsc::Sender<Arrival>,
}

/// The browser has returned, and waits for a page.
pub(crate) struct Arrival {
    /// The whole URL that it returned to.
    pub(crate) callback: String,
    page: oneshot::Sender<Page>,
    sent: oneshot::Receiver<()>,
    connections: JoinSet<()>,
}

impl Arrival {
    /// Shows a page, and waits until the browser has received it.
    pub(crate) async fn respond(self, page: Page) {
        // The browser may have closed the connection.
        let _gone = self.page.send(page);
        let _ended = tokio::time::timeout(RESPONSE_TIMEOUT, self.sent).await;
        drop(self.connections);
    }
}

async fn serve(stream: TcpStream, expected: Arc<Expected>) {
    let (sending, sent) = oneshot::channel::<()>();
    let sent = std::sync::Mutex::new(Some(sent));
    let service = service_fn(|request: Request<Incoming>| {
        let sent = sent.lock().ok().and_then(|mut sent| sent.take());
        respond(request, &expected, sent)
    });
    let served = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // A browser may close the connection early and open another.
    drop((served, sending));
}

async fn respond(
    request: Request<Incoming>,
    expected: &Expected,
    sent: Option<oneshot::Receiver<()>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let page = match (expected.accept(request.method(), request.uri()), sent) {
        (Ok(callback), Some(sent)) => {
            let (page, response) = oneshot::channel();
            let arrival = Arrival {
                callback,
                page,
                sent,
                connections: JoinSet::new(),
            };
            match expected.arrived.send(arrival).await {
                Ok(()) => response.await.unwrap_or(Page::Failed),
                Err(_) => Page::Refused,
            }
        }
        (Ok(_), None) => Page::NotFound,
        (Err(page), _) => page,
    };
    Ok(page.response())
}

impl Expected {
    /// The URL that the browser returned to, if it belongs to the expected request.
    fn accept(&self, method: &Method, uri: &http::Uri) -> Result<String, Page> {
        if uri.path() != self.callback.path() || method != Method::GET {
            return Err(Page::NotFound);
        }
        let query = uri.query().unwrap_or_default();
        let state: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| name == "state")
            .map(|(_, value)| value)
            .collect();
        if !matches!(state.as_slice(), [state] if *state == self.state) {
            log("note: rejected a response that does not belong to this sign-in");
            return Err(Page::Refused);
        }
        let mut callback = self.callback.clone();
        callback.set_query(Some(query));
        Ok(callback.into())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn request(address: SocketAddr, line: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{line} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    #[tokio::test]
    async fn only_the_response_with_the_state_is_accepted() {
        let callback: Callback = "http://localhost:0/back".parse().unwrap();
        let listener = Listener::bind(&callback).await.unwrap();
        let address = listener.sockets[0].local_addr().unwrap();
        // Browsers open connections in advance; a silent one must not block the others.
        let _silent = TcpStream::connect(address).await.unwrap();
        let browser = tokio::spawn(async move {
            for (line, status) in [
                ("GET /favicon.ico", "404"),
                ("POST /back?state=right", "404"),
                ("GET /back", "400"),
                ("GET /back?state=wrong&code=evil", "400"),
                ("GET /back?state=right&state=wrong", "400"),
            ] {
                let response = request(address, line).await;
                assert!(
                    response.starts_with(&format!("HTTP/1.1 {status}")),
                    "{response}"
                );
                assert!(!response.contains("evil"), "{response}");
            }
            request(address, "GET /back?code=a%20b&state=right").await
        });
        let arrival = listener.wait("right").await.unwrap();
        let expected = format!("{}?code=a%20b&state=right", listener.redirect_uri());
        assert_eq!(arrival.callback, expected);
        arrival.respond(Page::Done).await;
        let shown = browser.await.unwrap();
        assert!(shown.contains("You can close this window."), "{shown}");
        assert!(shown.contains("no-store"), "{shown}");
    }

    #[tokio::test]
    async fn a_port_in_use_is_reported() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let callback: Callback = format!("http://localhost:{port}").parse().unwrap();
        let Err(failure) = Listener::bind(&callback).await else {
            panic!("bound a port in use");
        };
        assert_eq!(failure.exit(), Exit::Local);
        assert!(failure.to_string().contains("--callback"), "{failure}");
    }
}
