//! A TLS proxy for a server without TLS.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A certificate authority that no system trusts.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    #[expect(
        clippy::new_without_default,
        reason = "each call makes a different one"
    )]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// Its certificate, for clients that shall trust it.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// The configuration of a server named `localhost` that offers these protocols.
    fn server(&self, protocols: &[&str]) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &self.0).unwrap();
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                key.serialize_der().try_into().unwrap(),
            )
            .unwrap();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        config
    }
}

/// A proxy on this machine that accepts TLS and forwards the plain bytes.
pub struct TlsProxy {
    listener: Option<TcpListener>,
    origin: String,
    connections: Arc<AtomicUsize>,
    negotiated: Arc<Mutex<Vec<String>>>,
    task: Option<JoinHandle<()>>,
}

impl TlsProxy {
    /// Listens at a free port. Forwards nothing yet.
    pub async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self {
            listener: Some(listener),
            origin: format!("https://localhost:{port}"),
            connections: Arc::default(),
            negotiated: Arc::default(),
            task: None,
        }
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The protocol that each connection negotiated.
    pub fn negotiated(&self) -> Vec<String> {
        self.negotiated.lock().unwrap().clone()
    }

    /// Forwards everything to `target`, an `http` origin.
    pub fn forward(&mut self, target: &str, authority: &Authority, protocols: &[&str]) {
        let listener = self.listener.take().expect("a proxy has one target");
        let acceptor = TlsAcceptor::from(Arc::new(authority.server(protocols)));
        let target = target.strip_prefix("http://").unwrap().to_owned();
        let connections = Arc::clone(&self.connections);
        let negotiated = Arc::clone(&self.negotiated);
        self.task = Some(tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, target) = (acceptor.clone(), target.clone());
                let negotiated = Arc::clone(&negotiated);
                tokio::spawn(async move {
                    // A client that does not trust the certificate has closed the connection.
                    let Ok(mut inside) = acceptor.accept(socket).await else {
                        return;
                    };
                    let protocol = inside.get_ref().1.alpn_protocol().unwrap_or_default();
                    let protocol = String::from_utf8_lossy(protocol).into_owned();
                    negotiated.lock().unwrap().push(protocol);
                    let mut outside = TcpStream::connect(target).await.unwrap();
                    let _ended = copy_bidirectional(&mut inside, &mut outside).await;
                });
            }
        }));
    }
}

impl Drop for TlsProxy {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
