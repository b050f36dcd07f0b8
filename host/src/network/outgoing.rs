//! Outgoing requests of one instance, within what its connector stated and the platform allows.

use std::sync::Arc;

use http::{HeaderName, Request, Response, header};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpHooks,
};

use super::denial::Denial;
use super::gateway::Gateway;
use super::origin::Origin;

/// What one instance may reach: the implementation of `wasi:http/outgoing-handler`.
pub(crate) struct Outgoing {
    pub(super) gateway: Arc<Gateway>,
    /// Empty before the connector has stated its origins: then every request is denied.
    pub(crate) origins: Vec<Origin>,
}

type Exchange = (
    Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

impl Outgoing {
    /// An instance that can reach nothing yet.
    pub(crate) fn without_origins(gateway: Arc<Gateway>) -> Self {
        Self {
            gateway,
            origins: Vec::new(),
        }
    }

    fn denial(&self, uri: &http::Uri) -> Option<Denial> {
        let covered = |origins: &[Origin]| origins.iter().any(|origin| origin.covers(uri));
        if !covered(&self.origins) {
            return Some(Denial::Unstated);
        }
        let allowed = self.gateway.allowed_origins.as_deref().is_none_or(covered);
        (!allowed).then_some(Denial::NotAllowed)
    }
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _sent: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Exchange, Error>> + Send> {
        let gateway = Arc::clone(&self.gateway);
        if let Some(reason) = self.denial(request.uri()) {
            gateway.metrics.record_denied(request.uri(), reason);
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        Box::new(async move {
            let response = gateway.send(request, options.unwrap_or_default()).await?;
            Ok((response, Box::new(async { Ok(()) }) as Box<_>))
        })
    }

    /// The client sets it where the protocol has it: not in HTTP/2.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name: &HeaderName| {
            DEFAULT_FORBIDDEN_HEADERS.contains(name)
                || *name == header::TE
                || *name == header::TRAILER
        })
    }
}
