//! A browser without a screen: keeps cookies, reads forms, stops at redirects.

use std::{cell::RefCell, collections::HashMap};

use hyper::{Method, StatusCode};
use url::form_urlencoded::Serializer;

use crate::support::{Response, Service};

/// A browser that has opened a page.
pub(crate) struct Browser<'a> {
    service: &'a Service,
    cookies: RefCell<HashMap<String, String>>,
    page: Response,
}

impl<'a> Browser<'a> {
    pub(crate) async fn open(service: &'a Service, address: &str) -> Self {
        let empty = Response {
            status: StatusCode::NO_CONTENT,
            headers: hyper::HeaderMap::new(),
            text: String::new(),
        };
        let mut browser = Self {
            service,
            cookies: RefCell::default(),
            page: empty,
        };
        browser.go(address).await;
        browser
    }

    /// Opens another page, with the cookies kept.
    pub(crate) async fn go(&mut self, address: &str) {
        self.page = self.send(Method::GET, address, "").await;
    }

    /// Fills the page's form in and presses the button of this action.
    pub(crate) async fn press(&mut self, action: &str, fields: &[(&str, &str)]) {
        let target = attribute(self.tag("<form"), "action");
        let mut form: Vec<(String, String)> = self
            .page
            .text
            .split("<input")
            .skip(1)
            .map(|rest| rest.split('>').next().unwrap_or_default())
            .map(|tag| (attribute(tag, "name"), attribute(tag, "value")))
            .filter(|(name, _)| fields.iter().all(|(known, _)| known != name))
            .collect();
        for (name, value) in fields.iter().copied().chain([("action", action)]) {
            form.push((name.to_owned(), value.to_owned()));
        }
        assert!(
            self.page.text.contains(&format!("value=\"{action}\"")),
            "no button '{action}' on {}",
            self.page.text
        );
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let address = format!("{}{target}", self.service.emulator.authority_url());
        self.page = self.send(Method::POST, &address, &body).await;
    }

    /// Signs in with name and password.
    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) {
        self.press("name", &[("loginfmt", name)]).await;
        self.press("password", &[("passwd", password)]).await;
    }

    /// The text of the page.
    pub(crate) fn text(&self) -> &str {
        &self.page.text
    }

    pub(crate) fn page(&self) -> &Response {
        &self.page
    }

    /// The parameters of the address that the browser is sent to.
    pub(crate) fn sent_back(&self) -> HashMap<String, String> {
        assert_eq!(self.page.status, 302, "{}", self.page.text);
        let address = url::Url::parse(self.page.header("location")).unwrap();
        let fragment = address.fragment().unwrap_or_default().as_bytes().to_vec();
        address
            .query_pairs()
            .chain(url::form_urlencoded::parse(&fragment))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    fn tag(&self, start: &str) -> &str {
        let from = self.page.text.find(start);
        let rest = from.and_then(|from| self.page.text.get(from..));
        rest.and_then(|rest| rest.split('>').next())
            .unwrap_or_else(|| panic!("no {start} on {}", self.page.text))
    }

    async fn send(&self, method: Method, address: &str, body: &str) -> Response {
        let cookies = self
            .cookies
            .borrow()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ");
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("cookie", cookies.as_str()),
            ("authorization", ""),
        ];
        let response = self.service.try_send(method, address, &headers, body).await;
        let response = response.unwrap();
        for line in response.headers.get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies
                .borrow_mut()
                .insert(name.to_owned(), value.to_owned());
        }
        response
    }
}

/// An attribute of a tag, unescaped.
fn attribute(tag: &str, name: &str) -> String {
    let start = format!(" {name}=\"");
    let value = tag.split_once(&start).map_or("", |(_, rest)| rest);
    value
        .split('"')
        .next()
        .unwrap_or_default()
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}
