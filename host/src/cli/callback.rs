//! Where a browser comes back to: a small server on this machine that waits for one request.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use url::{Host, Url};

use super::exit::{Exit, Failure};
use super::tell;

/// How long an answer may take to reach the browser.
const LAST_BYTES: Duration = Duration::from_secs(2);

/// A redirect URI that comes back to this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Callback {
    /// As the user wrote it: services compare it letter by letter.
    text: String,
    url: Url,
}

impl FromStr for Callback {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if url.scheme() != "http" || loopback(&url).is_empty() || !bare {
            return Err(
                "say http://, localhost, 127.0.0.1 or [::1], a port, and at most a path; nothing \
                 else can be waited for here"
                    .to_owned(),
            );
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }
}

impl Callback {
    fn with_port(&self, port: u16) -> Self {
        let mut url = self.url.clone();
        // Only addresses that cannot have a port refuse one.
        let _unrefused = url.set_port(Some(port));
        let text = if self.text.ends_with('/') {
            url.as_str()
        } else {
            url.as_str().trim_end_matches('/')
        };
        Self {
            text: text.to_owned(),
            url,
        }
    }
}

/// The addresses of this machine that a URL's host stands for; none if it is another's.
fn loopback(url: &Url) -> Vec<IpAddr> {
    match url.host() {
        Some(Host::Domain("localhost")) => {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        }
        Some(Host::Ipv4(address)) if address.is_loopback() => vec![address.into()],
        Some(Host::Ipv6(address)) if address.is_loopback() => vec![address.into()],
        _ => Vec::new(),
    }
}

/// Listens where a browser will come back to.
pub(super) struct Listener {
    callback: Callback,
    sockets: Vec<TcpListener>,
}

impl Listener {
    /// Takes the port on loopback addresses only. `localhost` is either address family, as the
    /// browser likes; one of them is enough.
    pub(super) async fn bind(callback: &Callback) -> Result<Self, Failure> {
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
                    "cannot wait at {}: {error}; free the port, or choose another with \
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

    /// The redirect URI, with the port that was taken.
    pub(super) fn redirect_uri(&self) -> &str {
        &self.callback.text
    }

    /// Waits for the request that brings this `state` back. Anything else is refused and waited
    /// on: whoever knows the port could send it.
    pub(super) async fn wait(&self, state: &str) -> Result<Arrival, Failure> {
        let (arrived, mut arrivals) = mpsc::channel(1);
        let waiting = Arc::new(Waiting {
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
            accepting.spawn(serve(stream, Arc::clone(&waiting)));
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

/// What is waited for.
struct Waiting {
    callback: Url,
    state: String,
    arrived: mpsc::Sender<Arrival>,
}

/// The browser has come back, and waits for a page.
pub(super) struct Arrival {
    /// The whole URL that it came back to.
    pub(super) callback: String,
    answer: oneshot::Sender<Page>,
    sent: oneshot::Receiver<()>,
    connections: JoinSet<()>,
}

impl Arrival {
    /// Shows how it ended, and waits until the browser has it.
    pub(super) async fn answer(self, page: Page) {
        // A browser that has gone away needs no page.
        let _gone = self.answer.send(page);
        let _ended = tokio::time::timeout(LAST_BYTES, self.sent).await;
        drop(self.connections);
    }
}

/// What the browser is shown at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Done,
    Failed,
    Foreign,
    Nothing,
}

impl Page {
    fn response(self) -> Response<Full<Bytes>> {
        let (status, title, text) = match self {
            Self::Done => (StatusCode::OK, "Done", "You can close this window."),
            Self::Failed => (
                StatusCode::OK,
                "It did not work",
                "The terminal says why. You can close this window.",
            ),
            Self::Foreign => (
                StatusCode::BAD_REQUEST,
                "Refused",
                "This answer does not belong to the sign-in that is being waited for. Open the \
                 page that the terminal shows.",
            ),
            Self::Nothing => (StatusCode::NOT_FOUND, "Not found", "There is nothing here."),
        };
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>\n"
        );
        let mut response = Response::new(Full::from(html));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        // The address holds a code: it is not to be kept or passed on.
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
            (header::CONNECTION, "close"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

async fn serve(stream: TcpStream, waiting: Arc<Waiting>) {
    let (sending, sent) = oneshot::channel::<()>();
    let sent = std::sync::Mutex::new(Some(sent));
    let service = service_fn(|request: Request<Incoming>| {
        let sent = sent.lock().ok().and_then(|mut sent| sent.take());
        respond(request, &waiting, sent)
    });
    let served = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // A browser may break off; the next connection is as good.
    drop((served, sending));
}

async fn respond(
    request: Request<Incoming>,
    waiting: &Waiting,
    sent: Option<oneshot::Receiver<()>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let page = match (waiting.judge(request.method(), request.uri()), sent) {
        (Ok(callback), Some(sent)) => {
            let (answer, page) = oneshot::channel();
            let arrival = Arrival {
                callback,
                answer,
                sent,
                connections: JoinSet::new(),
            };
            match waiting.arrived.send(arrival).await {
                Ok(()) => page.await.unwrap_or(Page::Failed),
                Err(_) => Page::Foreign,
            }
        }
        (Ok(_), None) => Page::Nothing,
        (Err(page), _) => page,
    };
    Ok(page.response())
}

impl Waiting {
    /// The URL that the browser came back to, if it is the one that is waited for.
    fn judge(&self, method: &Method, uri: &http::Uri) -> Result<String, Page> {
        if uri.path() != self.callback.path() || method != Method::GET {
            return Err(Page::Nothing);
        }
        let query = uri.query().unwrap_or_default();
        let state: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| name == "state")
            .map(|(_, value)| value)
            .collect();
        if !matches!(state.as_slice(), [state] if *state == self.state) {
            tell("note: an answer that does not belong to this sign-in was refused");
            return Err(Page::Foreign);
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

    #[test]
    fn only_this_machine_is_waited_at() {
        for good in [
            "http://localhost:33333",
            "http://127.0.0.1:1/a/b",
            "http://[::1]:5/",
            "http://localhost",
        ] {
            assert!(good.parse::<Callback>().is_ok(), "{good}");
        }
        for bad in [
            "https://localhost:33333",
            "http://0.0.0.0:33333",
            "http://localhost.example:1",
            "http://192.168.0.1:1",
            "http://localhost:1/?a=b",
            "http://localhost:1/#a",
            "http://user@localhost:1",
            "urn:ietf:wg:oauth:2.0:oob",
            "localhost:33333",
        ] {
            assert!(bad.parse::<Callback>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_redirect_uri_stays_as_it_was_written() {
        for (text, with_port) in [
            ("http://localhost:0", "http://localhost:7"),
            ("http://localhost:0/", "http://localhost:7/"),
            ("http://127.0.0.1:0/callback", "http://127.0.0.1:7/callback"),
        ] {
            let callback: Callback = text.parse().unwrap();
            assert_eq!(callback.text, text);
            assert_eq!(callback.with_port(7).text, with_port);
        }
    }

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{request} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn one_answer_is_taken_and_others_are_refused() {
        let callback: Callback = "http://localhost:0/back".parse().unwrap();
        let listener = Listener::bind(&callback).await.unwrap();
        let address = listener.sockets[0].local_addr().unwrap();
        // A connection that says nothing, as browsers open them in advance, holds up nobody.
        let _silent = TcpStream::connect(address).await.unwrap();
        let browser = tokio::spawn(async move {
            for (request, status) in [
                ("GET /favicon.ico", "404"),
                ("POST /back?state=right", "404"),
                ("GET /back", "400"),
                ("GET /back?state=wrong&code=evil", "400"),
                ("GET /back?state=right&state=wrong", "400"),
            ] {
                let answer = ask(address, request).await;
                assert!(
                    answer.starts_with(&format!("HTTP/1.1 {status}")),
                    "{answer}"
                );
                assert!(!answer.contains("evil"), "{answer}");
            }
            ask(address, "GET /back?code=a%20b&state=right").await
        });
        let arrival = listener.wait("right").await.unwrap();
        let expected = format!("{}?code=a%20b&state=right", listener.redirect_uri());
        assert_eq!(arrival.callback, expected);
        arrival.answer(Page::Done).await;
        let shown = browser.await.unwrap();
        assert!(shown.contains("You can close this window."), "{shown}");
        assert!(shown.contains("no-store"), "{shown}");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_told() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let callback: Callback = format!("http://localhost:{port}").parse().unwrap();
        let Err(failure) = Listener::bind(&callback).await else {
            panic!("took a port that was taken");
        };
        assert_eq!(failure.exit(), Exit::Local);
        assert!(failure.to_string().contains("--callback"), "{failure}");
    }
}
