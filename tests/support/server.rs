//! An HTTP server that records requests and responds to them, or forwards them to the emulator.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request that the server received.
#[derive(Clone, Debug)]
pub struct ReceivedRequest {
    pub method: Method,
    /// Path and query.
    pub path: String,
    pub headers: HeaderMap,
}

impl ReceivedRequest {
    /// Whether it requests rows.
    pub fn is_data(&self) -> bool {
        let without_rows = [
            "/WhoAmI",
            "/RetrieveTotalRecordCount",
            "/RetrieveVersion",
            "/EntityDefinitions",
            "/organizations",
            "/$metadata",
        ];
        self.method == Method::GET
            && self.path.contains("/api/data/")
            && !self.path.ends_with('/')
            && !without_rows.iter().any(|name| self.path.contains(name))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// The response to a request.
pub type ResponseFuture = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// A server on this machine, with an origin of its own.
pub struct TestServer {
    listener: Option<TcpListener>,
    origin: String,
    received: Arc<Mutex<Vec<ReceivedRequest>>>,
    task: Option<JoinHandle<()>>,
}

impl TestServer {
    /// Listens at a free port. Responds to nothing yet.
    pub async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        Self {
            listener: Some(listener),
            origin,
            received: Arc::default(),
            task: None,
        }
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.received.lock().unwrap().clone()
    }

    /// Responds to every request with this function.
    pub fn respond(
        &mut self,
        respond: impl Fn(&ReceivedRequest, Bytes) -> ResponseFuture + Send + Sync + 'static,
    ) {
        let listener = self.listener.take().expect("a server has one behaviour");
        let received = Arc::clone(&self.received);
        let respond = Arc::new(respond);
        let router = Router::new().fallback(move |request: Request| {
            let (received, respond) = (Arc::clone(&received), Arc::clone(&respond));
            async move {
                let (parts, body) = request.into_parts();
                let body = body
                    .collect()
                    .await
                    .map(http_body_util::Collected::to_bytes)
                    .unwrap_or_default();
                let path = parts
                    .uri
                    .path_and_query()
                    .map_or("", |path| path.as_str())
                    .to_owned();
                let request = ReceivedRequest {
                    method: parts.method,
                    path,
                    headers: parts.headers,
                };
                received.lock().unwrap().push(request.clone());
                respond(&request, body).await
            }
        });
        self.task = Some(tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        }));
    }

    /// Forwards every request to `target`. `edit` changes the response, whose body is not
    /// compressed.
    pub fn forward(
        &mut self,
        target: &str,
        edit: impl Fn(&ReceivedRequest, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) {
        let client: Client<HttpConnector, Full<Bytes>> =
            Client::builder(TokioExecutor::new()).build_http();
        let target = target.to_owned();
        let edit = Arc::new(edit);
        self.respond(move |received, body| {
            let (client, received, edit) = (client.clone(), received.clone(), Arc::clone(&edit));
            let address = format!("{target}{}", received.path);
            Box::pin(async move {
                let mut request = http::Request::builder()
                    .method(received.method.clone())
                    .uri(address);
                for (name, value) in &received.headers {
                    // A compressed body could not be edited.
                    if name != header::ACCEPT_ENCODING {
                        request = request.header(name, value);
                    }
                }
                let Ok(response) = client
                    .request(request.body(Full::from(body)).unwrap())
                    .await
                else {
                    return status(StatusCode::BAD_GATEWAY);
                };
                let (mut parts, body) = response.into_parts();
                let body = body
                    .collect()
                    .await
                    .map(http_body_util::Collected::to_bytes)
                    .unwrap_or_default();
                parts.headers.remove(header::CONTENT_LENGTH);
                edit(&received, Response::from_parts(parts, body)).map(Body::from)
            })
        });
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
