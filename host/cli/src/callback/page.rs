//! The pages that a browser shows when it returns.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// What the browser shows at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Done,
    Failed,
    Refused,
    NotFound,
}

impl Page {
    pub(super) fn response(self) -> Response<Full<Bytes>> {
        let (status, title, text) = match self {
            Self::Done => (StatusCode::OK, "Done", "You can close this window."),
            Self::Failed => (
                StatusCode::OK,
                "Failed",
                "The terminal shows the reason. You can close this window.",
            ),
            Self::Refused => (
                StatusCode::BAD_REQUEST,
                "Refused",
                "This response does not belong to the current sign-in. Open the page that the \
                 terminal shows.",
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "Not found",
                "This page does not exist.",
            ),
        };
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>\n"
        );
        let mut response = Response::new(Full::from(html));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        // The address contains a code: it must not be stored or passed on.
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
            (header::CONNECTION, "close"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
