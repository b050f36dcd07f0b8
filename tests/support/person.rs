//! A simulated user of the sign-in pages, without a browser: submits forms, stores cookies,
//! follows redirects.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use url::Url;
use url::form_urlencoded::Serializer;

/// A user who looks at a page.
pub struct Person {
    client: Client<HttpConnector, Full<Bytes>>,
    cookies: BTreeMap<String, String>,
    address: Url,
    page: String,
}

impl Person {
    /// Opens a page.
    pub async fn open(address: &str) -> Self {
        let mut person = Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            cookies: BTreeMap::new(),
            address: Url::parse(address).unwrap(),
            page: String::new(),
        };
        person.send(None).await;
        person
    }

    /// The HTML of the page.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// Signs in with name and password.
    pub async fn sign_in(&mut self, name: &str, password: &str) {
        self.submit("name", &[("loginfmt", name)]).await;
        self.submit("password", &[("passwd", password)]).await;
    }

    /// Fills in the form of the page and submits it with the button of this action.
    pub async fn submit(&mut self, action: &str, fields: &[(&str, &str)]) {
        let button = format!("value=\"{action}\"");
        assert!(self.page.contains(&button), "no {action} in {}", self.page);
        let form = tags(&self.page, "<form ")
            .next()
            .expect("the page has a form");
        self.address = self.address.join(&attribute(form, "action")).unwrap();
        let mut body = Serializer::new(String::new());
        for input in tags(&self.page, "<input ") {
            let name = attribute(input, "name");
            if attribute(input, "type") == "hidden" {
                body.append_pair(&name, &attribute(input, "value"));
            }
        }
        body.extend_pairs(fields).append_pair("action", action);
        let body = body.finish();
        self.send(Some(body)).await;
    }

    async fn send(&mut self, mut body: Option<String>) {
        loop {
            let cookies: Vec<_> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let request = Request::builder()
                .method(if body.is_some() { "POST" } else { "GET" })
                .uri(self.address.as_str())
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::COOKIE, cookies.join("; "))
                .body(Full::from(body.take().unwrap_or_default()))
                .unwrap();
            let response = self.client.request(request).await.unwrap();
            let (parts, content) = response.into_parts();
            for cookie in parts.headers.get_all(header::SET_COOKIE) {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let content = content.collect().await.unwrap().to_bytes();
            self.page = String::from_utf8(content.to_vec()).unwrap();
            let Some(next) = parts.headers.get(header::LOCATION) else {
                return;
            };
            self.address = self.address.join(next.to_str().unwrap()).unwrap();
        }
    }
}

/// The tags that begin with `start`, without their brackets.
fn tags<'a>(page: &'a str, start: &'static str) -> impl Iterator<Item = &'a str> {
    page.split(start)
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
}

fn attribute(tag: &str, name: &str) -> String {
    let value = tag
        .split_once(&format!("{name}=\""))
        .and_then(|(_, rest)| rest.split('"').next());
    value.unwrap_or_default().replace("&amp;", "&")
}
