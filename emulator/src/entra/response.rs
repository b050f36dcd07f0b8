//! Responses of the authority: JSON for programs, pages and redirects for browsers.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use maud::Markup;
use serde_json::Value;

pub(super) fn json(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    set(
        response.headers_mut(),
        header::CONTENT_TYPE,
        "application/json; charset=utf-8",
    );
    never_cached(response.headers_mut());
    response
}

/// A page. Its policy forbids scripts, frames and foreign content.
pub(super) fn page(status: StatusCode, content: Markup) -> Response<Body> {
    page_with_script(status, content, "")
}

pub(super) fn page_with_script(
    status: StatusCode,
    content: Markup,
    script: &str,
) -> Response<Body> {
    let mut response = Response::new(Body::from(content.into_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    set(headers, header::CONTENT_TYPE, "text/html; charset=utf-8");
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; {script}frame-ancestors 'none'; \
         base-uri 'none'"
    );
    set(headers, header::CONTENT_SECURITY_POLICY, &policy);
    set(headers, header::REFERRER_POLICY, "no-referrer");
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    never_cached(headers);
    response
}

/// Redirects the browser.
pub(super) fn redirect(address: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    set(headers, header::LOCATION, address);
    set(headers, header::REFERRER_POLICY, "no-referrer");
    never_cached(headers);
    response
}

pub(super) fn not_found() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// Adds a cookie that only the authority's own pages see.
pub(super) fn with_cookie(mut response: Response<Body>, name: &str, value: &str) -> Response<Body> {
    let cookie = format!("{name}={value}; path=/; HttpOnly; SameSite=Lax");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Tokens and pages must not be cached.
fn never_cached(headers: &mut HeaderMap) {
    set(headers, header::CACHE_CONTROL, "no-store, no-cache");
    set(headers, header::PRAGMA, "no-cache");
}

/// Sets a header; a value that cannot stand in one is left out.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
