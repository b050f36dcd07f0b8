//! A response of the Web API.

use axum::http::{HeaderMap, HeaderName, StatusCode, header};

use super::Preferences;
use crate::wire::{ODataError, annotations::Annotations};

/// A response of the Web API.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// No body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
        .with("odata-version", "4.0")
    }

    /// A JSON body.
    pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Self {
        Self {
            body,
            ..Self::empty(status)
        }
        .with("content-type", "application/json; odata.metadata=minimal")
    }

    /// A text body.
    pub(crate) fn text(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::empty(StatusCode::OK)
        }
        .with("content-type", "text/plain")
    }

    /// An error body.
    pub(crate) fn error(error: &ODataError) -> Self {
        Self::annotated_error(error, &Annotations::default())
    }

    /// An error body with the annotations that the request's headers prefer.
    pub(crate) fn refusal(error: &ODataError, headers: &HeaderMap) -> Self {
        Self::annotated_error(error, &Preferences::parse(headers).annotations)
    }

    fn annotated_error(error: &ODataError, annotations: &Annotations) -> Self {
        let mut response = Self::json(error.status, error.body(annotations))
            .with("req_id", &uuid::Uuid::new_v4().to_string());
        if let Some(seconds) = error.retry_after {
            response
                .headers
                .push((header::RETRY_AFTER, seconds.to_string()));
        }
        response
    }

    /// One more header.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .push((HeaderName::from_static(name), value.to_owned()));
        self
    }

    /// One `Preference-Applied` line each.
    #[must_use]
    pub(crate) fn with_applied(mut self, applied: Vec<String>) -> Self {
        for preference in applied {
            self.headers
                .push((HeaderName::from_static("preference-applied"), preference));
        }
        self
    }
}
