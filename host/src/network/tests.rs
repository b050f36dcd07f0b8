//! The pool and the policy against real sockets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Empty, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpHooks};

use super::*;

fn gateway(network: &Network) -> Arc<Gateway> {
    Arc::new(Gateway::new(network).unwrap())
}

fn outgoing(gateway: &Arc<Gateway>, origin: &str) -> Outgoing {
    Outgoing {
        gateway: Arc::clone(gateway),
        origins: vec![origin.parse().unwrap()],
    }
}

async fn get(outgoing: &mut Outgoing, uri: &str) -> Result<Response<WasiBody>, Error> {
    let body = Empty::<Bytes>::new()
        .map_err(|never| match never {})
        .boxed_unsync();
    let request = Request::get(uri).body(body).unwrap();
    let sending = outgoing.send_request(request, None, Box::new(async { Ok(()) }));
    Box::into_pin(sending).await.map(|(response, _)| response)
}

async fn text(response: Response<WasiBody>) -> Result<String, Error> {
    let bytes = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

/// Sends this text on every connection, then closes it.
async fn raw_server(response: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let _request = socket.read(&mut request).await;
                let _sent = socket.write_all(response.as_bytes()).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn requests_share_a_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let hello = service_fn(|_| async {
                Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::from("hello")))
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(socket), hello),
            );
        }
    });
    let gateway = gateway(&Network::default());
    for _ in 0..2 {
        // Two sessions of one profile.
        let mut outgoing = outgoing(&gateway, "http://127.0.0.1:*");
        for _ in 0..10 {
            let response = get(&mut outgoing, &format!("http://{address}/x"))
                .await
                .unwrap();
            assert_eq!(text(response).await.unwrap(), "hello");
        }
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
    let metrics = &gateway.metrics;
    assert_eq!((metrics.requests(), metrics.connections()), (20, 1));
    assert_eq!(metrics.bytes_received(), 100);
}

/// A server of HTTP/2 under this name, with an authority of its own. Says which version a request
/// came in and whether it had a `Host`.
async fn tls_server(name: &str) -> (SocketAddr, Trust) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(
        vec![leaf.der().clone()],
        key.serialize_der().try_into().unwrap(),
    )
    .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(socket) = acceptor.accept(socket).await else {
                    return;
                };
                let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
                    let host = request.headers().contains_key(header::HOST);
                    let seen = format!("{:?} {host}", request.version());
                    Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::from(seen)))
                });
                let _closed = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(socket), service)
                    .await;
            });
        }
    });
    let mut trust = Trust::default();
    trust
        .add_pem(authority.pem().as_bytes(), "test.pem")
        .unwrap();
    trust.only_own();
    (address, trust)
}

#[tokio::test]
async fn http2_over_tls_with_a_private_authority() {
    let (address, trust) = tls_server("localhost").await;
    let trusting = gateway(&Network {
        trust,
        ..Network::default()
    });
    let origin = format!("https://localhost:{}", address.port());
    let mut allowed = outgoing(&trusting, &origin);
    for _ in 0..5 {
        let response = get(&mut allowed, &format!("{origin}/x")).await.unwrap();
        assert_eq!(text(response).await.unwrap(), "HTTP/2.0 false");
    }
    assert_eq!(trusting.metrics.connections(), 1);

    let distrusting = gateway(&Network::default());
    let refused = get(&mut outgoing(&distrusting, &origin), &format!("{origin}/x")).await;
    assert!(
        matches!(refused, Err(Error::TlsCertificateError)),
        "{refused:?}"
    );
    let untrusted = distrusting.metrics.last_untrusted().unwrap();
    assert_eq!(untrusted.origin, origin);
    assert!(untrusted.reason.contains("UnknownIssuer"), "{untrusted}");
}

/// A proxy that connects every tunnel to this address, and refuses those to port 1.
async fn proxy_to(address: SocketAddr) -> (Proxy, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let connects = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&connects);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let recorded = Arc::clone(&recorded);
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(socket.read_u8().await.unwrap());
                }
                let request = String::from_utf8(request).unwrap();
                let line = request.lines().next().unwrap().to_owned();
                let refused = line.contains(":1 ");
                recorded.lock().unwrap().push(line);
                if refused {
                    let no = b"HTTP/1.1 403 Forbidden\r\n\r\n";
                    return socket.write_all(no).await.unwrap();
                }
                let mut server = tokio::net::TcpStream::connect(address).await.unwrap();
                socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _closed = tokio::io::copy_bidirectional(&mut socket, &mut server).await;
            });
        }
    });
    (proxy.parse().unwrap(), connects)
}

#[tokio::test]
async fn a_proxy_serves_all_hosts_but_loopback() {
    let (address, trust) = tls_server("org.example").await;
    let (proxy, connects) = proxy_to(address).await;
    let gateway = gateway(&Network {
        trust,
        proxy: Some(proxy),
        // A platform that wants no timeouts.
        timeouts: Timeouts {
            connect: Duration::MAX,
            first_byte: Duration::MAX,
            between_bytes: Duration::MAX,
            total: Duration::MAX,
        },
        ..Network::default()
    });
    let mut there = outgoing(&gateway, "https://org.example");
    for _ in 0..3 {
        let response = get(&mut there, "https://org.example/x").await.unwrap();
        assert_eq!(text(response).await.unwrap(), "HTTP/2.0 false");
    }
    let refused = get(
        &mut outgoing(&gateway, "https://org.example:1"),
        "https://org.example:1/",
    )
    .await;
    assert!(
        matches!(refused, Err(Error::DestinationUnavailable)),
        "{refused:?}"
    );

    // Addresses and loopback hosts follow the same rules as without a proxy.
    let private = get(
        &mut outgoing(&gateway, "https://10.0.0.1"),
        "https://10.0.0.1/",
    )
    .await;
    assert!(
        matches!(private, Err(Error::DestinationIpProhibited)),
        "{private:?}"
    );
    let here = raw_server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let mut loopback = outgoing(&gateway, "http://127.0.0.1:*");
    assert!(get(&mut loopback, &format!("http://{here}/")).await.is_ok());

    let connects = connects.lock().unwrap().clone();
    let expected = [
        "CONNECT org.example:443 HTTP/1.1",
        "CONNECT org.example:1 HTTP/1.1",
    ];
    assert_eq!(connects, expected);
}

#[tokio::test]
async fn a_cut_body_is_an_error() {
    for response in [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        let address = raw_server(response).await;
        let gateway = gateway(&Network::default());
        let response = get(
            &mut outgoing(&gateway, "http://127.0.0.1:*"),
            &format!("http://{address}/"),
        )
        .await
        .unwrap();
        let cut = text(response).await;
        assert!(matches!(cut, Err(Error::HttpResponseIncomplete)), "{cut:?}");
    }
}

#[tokio::test]
async fn failures_have_their_own_codes() {
    let gateway = gateway(&Network {
        timeouts: Timeouts {
            connect: Duration::from_millis(100),
            first_byte: Duration::from_millis(100),
            between_bytes: Duration::from_millis(100),
            ..Timeouts::default()
        },
        ..Network::default()
    });
    let mut allowed = outgoing(&gateway, "http://127.0.0.1:*");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}/", listener.local_addr().unwrap());
    let response = get(&mut allowed, &silent).await;
    assert!(
        matches!(response, Err(Error::HttpResponseTimeout)),
        "{response:?}"
    );
    drop(listener);
    let response = get(&mut allowed, &silent).await;
    assert!(
        matches!(response, Err(Error::ConnectionRefused)),
        "{response:?}"
    );

    let address = raw_server("not HTTP at all\r\n\r\n").await;
    let response = get(&mut allowed, &format!("http://{address}/")).await;
    assert!(
        matches!(response, Err(Error::HttpProtocolError)),
        "{response:?}"
    );
    let address = raw_server("").await;
    let response = get(&mut allowed, &format!("http://{address}/")).await;
    assert!(
        matches!(
            response,
            Err(Error::ConnectionTerminated | Error::HttpResponseIncomplete)
        ),
        "{response:?}"
    );

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stalling = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        let _request = socket.read(&mut request).await;
        socket
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
            .await
            .unwrap();
        std::future::pending::<()>().await;
    });
    let body = text(get(&mut allowed, &stalling).await.unwrap()).await;
    assert!(
        matches!(body, Err(Error::ConnectionReadTimeout)),
        "{body:?}"
    );
    server.abort();
}

#[tokio::test]
async fn requests_that_the_policy_refuses_are_not_sent() {
    let address = raw_server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let here = format!("http://{address}/?secret=1");
    let open = gateway(&Network::default());
    let response = get(&mut Outgoing::without_origins(Arc::clone(&open)), &here).await;
    assert!(
        matches!(response, Err(Error::HttpRequestDenied)),
        "no origins stated: {response:?}"
    );
    let response = get(&mut outgoing(&open, "https://org.example.com"), &here).await;
    assert!(
        matches!(response, Err(Error::HttpRequestDenied)),
        "{response:?}"
    );
    assert_eq!((open.metrics.denied(), open.metrics.requests()), (2, 0));
    let denied = |origin: &str, reason| {
        let origin = origin.to_owned();
        Some(Denied { origin, reason })
    };
    assert_eq!(
        open.metrics.last_denied(),
        denied(&format!("http://{address}"), Denial::Unstated)
    );

    let platform = gateway(&Network {
        allowed_origins: Some(vec!["https://org.example.com".parse().unwrap()]),
        ..Network::default()
    });
    let response = get(&mut outgoing(&platform, "http://127.0.0.1:*"), &here).await;
    assert!(
        matches!(response, Err(Error::HttpRequestDenied)),
        "platform's list: {response:?}"
    );
    assert_eq!(
        platform.metrics.last_denied(),
        denied(&format!("http://{address}"), Denial::NotAllowed)
    );

    // An allowed origin whose address is not.
    let (metadata, private) = ("169.254.169.254", "10.0.0.1");
    let mapped = "::ffff:a00:1";
    for (origin, reason) in [
        (
            "https://169.254.169.254",
            Denial::Address(metadata.parse().unwrap()),
        ),
        (
            "https://10.0.0.1",
            Denial::Private(private.parse().unwrap()),
        ),
        (
            "https://[::ffff:a00:1]",
            Denial::Private(mapped.parse().unwrap()),
        ),
    ] {
        let response = get(&mut outgoing(&open, origin), &format!("{origin}/")).await;
        assert!(
            matches!(response, Err(Error::DestinationIpProhibited)),
            "{origin}: {response:?}"
        );
        assert_eq!(open.metrics.last_denied(), denied(origin, reason));
    }
    assert_eq!(open.metrics.connections(), 0);
    assert!(
        get(&mut outgoing(&open, "http://127.0.0.1:*"), &here)
            .await
            .is_ok()
    );
}
