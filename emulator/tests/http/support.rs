//! A small client over real sockets.

use bytes::Bytes;
use dataverse_emulator::{CLIENT_ID, CLIENT_SECRET, Emulator, TENANT_ID};
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

/// An emulator with a signed-in client.
pub(crate) struct Service {
    pub(crate) emulator: Emulator,
    client: Client<HttpConnector, Full<Bytes>>,
    token: String,
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The code and message of an error.
    pub(crate) fn error(&self) -> (String, String) {
        let error = &self.json()["error"];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (text("code"), text("message"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn rows(&self) -> Vec<Value> {
        self.json()["value"].as_array().cloned().unwrap_or_default()
    }

    /// A link such as `@odata.nextLink`.
    pub(crate) fn link(&self, name: &str) -> Option<String> {
        self.json()[name].as_str().map(str::to_owned)
    }
}

impl Service {
    /// An organization without rows of its own.
    pub(crate) async fn start() -> Self {
        Self::with(Emulator::builder().start().await.unwrap()).await
    }

    pub(crate) async fn with(emulator: Emulator) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let mut service = Self {
            emulator,
            client,
            token: String::new(),
        };
        service.sign_in().await;
        service
    }

    pub(crate) async fn sign_in(&mut self) {
        let response = self.request_token(&[]).await;
        let token = response.json()["access_token"].clone();
        self.token = token.as_str().unwrap().into();
    }

    /// Requests a token, with some parameters changed (or removed, by an empty value).
    pub(crate) async fn request_token(&self, changes: &[(&str, &str)]) -> Response {
        let mut tenant = TENANT_ID.to_string();
        let mut fields = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", CLIENT_ID.to_string()),
            ("client_secret", CLIENT_SECRET.to_owned()),
            ("scope", format!("{}/.default", self.emulator.base_url())),
        ];
        for (name, value) in changes {
            match *name {
                "tenant" => tenant = (*value).to_owned(),
                name => {
                    fields.retain(|(known, _)| *known != name);
                    if !value.is_empty() {
                        fields.push((name, (*value).to_owned()));
                    }
                }
            }
        }
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let address = format!(
            "{}/{tenant}/oauth2/v2.0/token",
            self.emulator.authority_url()
        );
        let request = Request::post(address)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::from(body))
            .unwrap();
        self.exchange(request).await.unwrap()
    }

    /// The address of a resource. It may contain blanks and quotes.
    pub(crate) fn address(&self, path: &str) -> String {
        let path = path
            .replace(' ', "%20")
            .replace('"', "%22")
            .replace('[', "%5B");
        format!(
            "{}/api/data/v9.2/{}",
            self.emulator.base_url(),
            path.replace(']', "%5D")
        )
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, &[], "").await
    }

    pub(crate) async fn get_preferring(&self, path: &str, prefer: &str) -> Response {
        self.send(Method::GET, path, &[("prefer", prefer)], "")
            .await
    }

    /// Follows a link verbatim.
    pub(crate) async fn follow(&self, link: &str, prefer: &str) -> Response {
        self.try_send(Method::GET, link, &[("prefer", prefer)], "")
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.send(Method::POST, path, &[], &body.to_string()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Response {
        self.send(Method::PATCH, path, &[], &body.to_string()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Response {
        self.send(Method::DELETE, path, &[], "").await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        self.try_send(method, &self.address(path), headers, body)
            .await
            .unwrap()
    }

    /// Sends a request with the token; fails without a complete response.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        address: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Response, String> {
        let mut request = Request::builder().method(method).uri(address);
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        let json = !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type");
        if json {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.exchange(request.body(Full::from(body.to_owned())).unwrap())
            .await
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response, String> {
        let received = self
            .client
            .request(request)
            .await
            .map_err(|error| error.to_string())?;
        let (parts, body) = received.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|error| error.to_string())?
            .to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok(Response {
            status: parts.status,
            headers: parts.headers,
            text,
        })
    }

    /// Creates a row and returns its key.
    pub(crate) async fn create(&self, set: &str, body: &Value) -> String {
        let response = self.post(set, body).await;
        assert_eq!(response.status, 204, "{}", response.text);
        let address = response.header("odata-entityid");
        let key = address.rsplit_once('(').unwrap().1;
        key.trim_end_matches(')').to_owned()
    }
}
