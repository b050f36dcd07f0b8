//! A server between the connector and the emulator that sees, counts and changes what passes.

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

/// A request that came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: Method,
    /// Path and query.
    pub path: String,
    pub headers: HeaderMap,
}

impl Seen {
    /// Whether rows were asked for.
    pub fn is_data(&self) -> bool {
        let plain = [
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
            && !plain.iter().any(|name| self.path.contains(name))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// What a place does with a request: the answer it gives.
pub type Doing = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// A listening place of this machine, an origin of its own.
pub struct Place {
    listener: Option<TcpListener>,
    origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: Option<JoinHandle<()>>,
}

impl Place {
    /// Takes a free port. Nothing is answered yet.
    pub async fn take() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        Self {
            listener: Some(listener),
            origin,
            seen: Arc::default(),
            task: None,
        }
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What came so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Answers every request in one way.
    pub fn answer(&mut self, answer: impl Fn(&Seen, Bytes) -> Doing + Send + Sync + 'static) {
        let listener = self.listener.take().expect("a place does one thing");
        let seen = Arc::clone(&self.seen);
        let answer = Arc::new(answer);
        let router = Router::new().fallback(move |request: Request| {
            let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
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
                let came = Seen {
                    method: parts.method,
                    path,
                    headers: parts.headers,
                };
                seen.lock().unwrap().push(came.clone());
                answer(&came, body).await
            }
        });
        self.task = Some(tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        }));
    }

    /// Passes everything on to `target`, and what comes back through `edit`, which gets the
    /// body as plain text.
    pub fn forward(
        &mut self,
        target: &str,
        edit: impl Fn(&Seen, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) {
        let client: Client<HttpConnector, Full<Bytes>> =
            Client::builder(TokioExecutor::new()).build_http();
        let target = target.to_owned();
        let edit = Arc::new(edit);
        self.answer(move |seen, body| {
            let (client, seen, edit) = (client.clone(), seen.clone(), Arc::clone(&edit));
            let address = format!("{target}{}", seen.path);
            Box::pin(async move {
                let mut request = http::Request::builder()
                    .method(seen.method.clone())
                    .uri(address);
                for (name, value) in &seen.headers {
                    // Compressed text could not be edited.
                    if name != header::ACCEPT_ENCODING {
                        request = request.header(name, value);
                    }
                }
                let Ok(answer) = client
                    .request(request.body(Full::from(body)).unwrap())
                    .await
                else {
                    return status(StatusCode::BAD_GATEWAY);
                };
                let (mut parts, body) = answer.into_parts();
                let body = body
                    .collect()
                    .await
                    .map(http_body_util::Collected::to_bytes)
                    .unwrap_or_default();
                parts.headers.remove(header::CONTENT_LENGTH);
                edit(&seen, Response::from_parts(parts, body)).map(Body::from)
            })
        });
    }
}

impl Drop for Place {
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
