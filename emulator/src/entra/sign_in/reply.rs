//! Replies to an application by way of the browser.

use axum::{
    body::Body,
    http::{Response, StatusCode},
};

use super::pages;
use crate::entra::{
    error::EntraError,
    issued::opaque,
    response::{page_with_script, redirect},
};

/// Where and how an application gets its reply.
#[derive(Debug, Clone)]
pub(in crate::entra) struct Reply {
    pub(in crate::entra) redirect_uri: String,
    pub(in crate::entra) mode: ResponseMode,
    pub(in crate::entra) state: Option<String>,
}

/// The `response_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::entra) enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

impl Reply {
    /// Sends these parameters, and the state, where the application wants them.
    pub(in crate::entra) fn send(&self, parameters: &[(&str, &str)]) -> Response<Body> {
        let mut parameters = parameters.to_vec();
        parameters.extend(self.state.as_deref().map(|state| ("state", state)));
        match self.mode {
            ResponseMode::FormPost => form_post(&self.redirect_uri, &parameters),
            ResponseMode::Query | ResponseMode::Fragment => {
                let text = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(parameters)
                    .finish();
                let mark = match self.mode {
                    ResponseMode::Fragment => '#',
                    _ if self.redirect_uri.contains('?') => '&',
                    _ => '?',
                };
                redirect(&format!("{}{mark}{text}", self.redirect_uri))
            }
        }
    }
}

impl ResponseMode {
    pub(in crate::entra) fn parse(name: &str) -> Result<Self, EntraError> {
        match name {
            "query" => Ok(Self::Query),
            "fragment" => Ok(Self::Fragment),
            "form_post" => Ok(Self::FormPost),
            other => Err(EntraError::bad_parameter("response_mode", other)),
        }
    }
}

/// A page that posts these parameters to another address.
fn form_post(address: &str, parameters: &[(&str, &str)]) -> Response<Body> {
    let nonce = opaque();
    let content = pages::form_post(address, parameters, &nonce);
    let script = format!("script-src 'nonce-{nonce}'; ");
    page_with_script(StatusCode::OK, content, &script)
}
