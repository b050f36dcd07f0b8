//! The authority's server.

use std::{net::SocketAddr, sync::Arc};

use axum::http::Request;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;

use super::serve::{Handler, Outcome, origin};
use crate::entra::{Arrival, Entra};

/// Handles requests to the authority.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) entra: Arc<Entra>,
    pub(crate) local: SocketAddr,
}

/// Largest token request.
const MAX_TOKEN_REQUEST: usize = 64 * 1024;

impl Handler for Authority {
    async fn handle(self: Arc<Self>, _peer: SocketAddr, request: Request<Incoming>) -> Outcome {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, MAX_TOKEN_REQUEST)
            .collect()
            .await
            .ok()?
            .to_bytes();
        let base = origin(&parts.headers, &parts.uri, self.local, &[]);
        Some(self.entra.respond(&Arrival {
            base: &base,
            method: &parts.method,
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body: &body,
        }))
    }
}
