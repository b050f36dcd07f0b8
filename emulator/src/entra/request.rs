//! A parsed request to the authority.

use std::collections::HashMap;

use axum::http::{HeaderMap, Method, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::error::EntraError;

/// A request as it arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    /// The authority's own origin as the client named it.
    pub(crate) base: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl<'a> Arrival<'a> {
    /// The value of a cookie.
    pub(super) fn cookie(&self, name: &str) -> Option<&'a str> {
        self.headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// The parameters of the query.
    pub(super) fn query_parameters(&self) -> Parameters {
        Parameters(
            url::form_urlencoded::parse(self.query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The parameters of a form, with client id and secret from HTTP Basic where given.
    pub(super) fn form(&self) -> Parameters {
        let content_type = self
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let mut fields = HashMap::new();
        if content_type.is_some_and(|t| t.starts_with("application/x-www-form-urlencoded")) {
            fields.extend(url::form_urlencoded::parse(self.body).into_owned());
        }
        if let Some((id, secret)) = basic_credentials(self.headers) {
            fields.insert("client_id".to_owned(), id);
            fields.insert("client_secret".to_owned(), secret);
        }
        Parameters(fields)
    }
}

/// Parameters by name. An empty one counts as absent.
#[derive(Debug, Clone)]
pub(super) struct Parameters(HashMap<String, String>);

impl Parameters {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn require(&self, name: &str) -> Result<&str, EntraError> {
        self.get(name)
            .ok_or_else(|| EntraError::missing_parameter(name))
    }
}

/// RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let unescape = |part: &str| {
        let spaced = part.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8()
            .map(Into::into)
            .ok()
    };
    Some((unescape(id)?, unescape(secret)?))
}
