//! Multipart bodies of `$batch`: read and written.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;

use crate::{api::Response, wire::ODataError};

/// One part of a batch.
#[derive(Debug)]
pub(super) enum Part {
    One(InnerRequest),
    ChangeSet(Vec<InnerRequest>),
}

/// A request inside a batch.
#[derive(Debug)]
pub(super) struct InnerRequest {
    pub(super) content_id: Option<String>,
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The boundary of a `multipart/mixed` content type.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("boundary") && !value.is_empty())
            .then(|| value.to_owned())
    })
}

/// The parts of a batch.
pub(super) fn parse(body: &str, boundary: &str) -> Result<Vec<Part>, ODataError> {
    // The service reads past the last line: without a line break of its own kind, or two others,
    // it meets the end of the stream (reference §8.1).
    if !body.ends_with("\r\n") && !body.ends_with("\n\n") {
        return Err(ODataError::bad_request(
            "0x80048d19",
            "Error identified in Payload provided by the user for Entity :'', For more \
             information on this error please follow this help link \
             https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : \
             System.ArgumentException: Stream was not readable.",
        ));
    }
    sections(body, boundary)?
        .into_iter()
        .map(|section| {
            let (headers, content) = headers(section)?;
            let content_type = text(&headers, "content-type").unwrap_or_default();
            match self::boundary(content_type) {
                Some(inner) => Ok(Part::ChangeSet(
                    sections(content, &inner)?
                        .into_iter()
                        .map(|section| {
                            let (headers, content) = self::headers(section)?;
                            request(&headers, content)
                        })
                        .collect::<Result<_, _>>()?,
                )),
                None => request(&headers, content).map(Part::One),
            }
        })
        .collect()
}

/// The text between the boundary lines, up to the last line break: the blank line
/// that ends the header lines of a part without a body may be the one before the boundary.
fn sections<'b>(body: &'b str, boundary: &str) -> Result<Vec<&'b str>, ODataError> {
    let delimiter = format!("--{boundary}");
    let mut sections = Vec::new();
    let mut start = None;
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        let end = at + line.len();
        let trimmed = line.trim_end();
        let closes = trimmed.strip_prefix(&delimiter) == Some("--");
        if closes || trimmed == delimiter {
            if let Some(start) = start {
                sections.push(body.get(start..at).unwrap_or_default());
            }
            if closes {
                return Ok(sections);
            }
            start = Some(end);
        }
        at = end;
    }
    Err(malformed("The multipart body has no closing boundary."))
}

/// The header lines of a section, and what follows the blank line after them.
fn headers(section: &str) -> Result<(HeaderMap, &str), ODataError> {
    let mut headers = HeaderMap::new();
    let mut rest = section;
    loop {
        let (line, after) = rest
            .split_once('\n')
            .ok_or_else(|| malformed("The header lines of a part end without a blank line."))?;
        rest = after;
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            return Ok((headers, rest));
        }
        let header = line.split_once(':').and_then(|(name, value)| {
            let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value.trim()).ok()?))
        });
        let (name, value) = header.ok_or_else(|| malformed("A part has a malformed header."))?;
        headers.append(name, value);
    }
}

fn request(part: &HeaderMap, content: &str) -> Result<InnerRequest, ODataError> {
    if text(part, "content-type").is_none_or(|kind| !kind.starts_with("application/http")) {
        return Err(malformed(
            "A part must have the Content-Type 'application/http'.",
        ));
    }
    let (line, rest) = content
        .split_once('\n')
        .ok_or_else(|| malformed("A part has no request line."))?;
    // The address is all between the first blank and the last: clients leave blanks in it.
    let (method, url) = line
        .trim_end()
        .strip_suffix(" HTTP/1.1")
        .and_then(|line| line.split_once(' '))
        .filter(|(_, url)| !url.is_empty())
        .ok_or_else(|| malformed("A part's request line must be 'METHOD address HTTP/1.1'."))?;
    let (headers, body) = headers(rest)?;
    Ok(InnerRequest {
        content_id: text(part, "content-id")
            .or(text(&headers, "content-id"))
            .map(str::to_owned),
        method: method
            .parse()
            .map_err(|_| malformed("A part has an unknown method."))?,
        url: url.to_owned(),
        headers,
        body: Bytes::copy_from_slice(body.trim_end_matches(['\r', '\n']).as_bytes()),
    })
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn malformed(message: &str) -> ODataError {
    ODataError::bad_request("0x80048d19", message)
}

/// Appends the delimiter that begins a part.
pub(super) fn push_delimiter(out: &mut Vec<u8>, boundary: &str) {
    out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
}

/// Appends the delimiter that ends the body.
pub(super) fn push_end(out: &mut Vec<u8>, boundary: &str) {
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
}

/// Appends a response as a part.
pub(super) fn push_response(out: &mut Vec<u8>, response: &Response, content_id: Option<&str>) {
    let mut head =
        String::from("Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n");
    if let Some(id) = content_id {
        let _ = write!(head, "Content-ID: {id}\r\n");
    }
    let status = response.status;
    let reason = status.canonical_reason().unwrap_or_default();
    let _ = write!(head, "\r\nHTTP/1.1 {} {reason}\r\n", status.as_u16());
    for (name, value) in &response.headers {
        let name = match name.as_str() {
            "odata-version" => "OData-Version",
            "odata-entityid" => {
                let _ = write!(head, "Location: {value}\r\n");
                "OData-EntityId"
            }
            "content-type" => "Content-Type",
            "preference-applied" => "Preference-Applied",
            "etag" => "ETag",
            "req_id" => "REQ_ID",
            other => other,
        };
        let _ = write!(head, "{name}: {value}\r\n");
    }
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&response.body);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: &str = "--b\r\nContent-Type: application/http\r\n\
        Content-Transfer-Encoding: binary\r\n\r\nGET /api/data/v9.2/accounts HTTP/1.1\r\n\
        Accept: application/json\r\n\r\n\r\n--b\r\nContent-Type: multipart/mixed; \
        boundary=\"c\"\r\n\r\n--c\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\n\
        POST accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{\"name\":\"a\"}\r\n\
        --c--\r\n\r\n--b--\r\n";

    #[test]
    fn parts_and_change_sets_are_distinguished() {
        let parts = parse(BATCH, "b").unwrap();
        let [Part::One(get), Part::ChangeSet(set)] = parts.as_slice() else {
            panic!("{parts:?}");
        };
        assert_eq!(
            (get.method.as_str(), get.url.as_str()),
            ("GET", "/api/data/v9.2/accounts")
        );
        assert_eq!(set[0].content_id.as_deref(), Some("1"));
        assert_eq!(set[0].body, "{\"name\":\"a\"}");
    }

    #[test]
    fn bare_line_feeds_are_rejected_unless_two_end_the_body() {
        let lines = BATCH.replace("\r\n", "\n");
        let error = parse(&lines, "b").unwrap_err();
        assert_eq!(error.code, "0x80048d19");
        assert!(
            error
                .message
                .ends_with("System.ArgumentException: Stream was not readable.")
        );
        assert!(parse(&format!("{lines}\n"), "b").is_ok());
        assert!(parse(BATCH.trim_end(), "b").is_err());
    }

    /// What `DynamicsWebApi` and the Python SDK of Microsoft send (reference §8.1).
    #[test]
    fn one_blank_line_ends_a_get_and_its_address_may_hold_blanks() {
        let get = "--b\r\nContent-Type: application/http\r\n\r\n\
            GET accounts?$filter=name eq 'a b' HTTP/1.1\r\nAccept: application/json\r\n";
        let parts = parse(&format!("{get}\r\n--b--\r\n"), "b").unwrap();
        let [Part::One(request)] = parts.as_slice() else {
            panic!("{parts:?}");
        };
        assert_eq!(request.url, "accounts?$filter=name eq 'a b'");
        assert!(request.body.is_empty());
        assert!(parse(&format!("{get}--b--\r\n"), "b").is_err());
    }

    #[test]
    fn boundaries_may_be_quoted() {
        assert_eq!(
            boundary("multipart/mixed; boundary=\"a b\"").as_deref(),
            Some("a b")
        );
        assert_eq!(
            boundary("Multipart/Mixed;charset=utf-8;boundary=x").as_deref(),
            Some("x")
        );
        assert_eq!(boundary("application/json"), None);
        assert!(parse("nothing\r\n", "b").is_err());
    }
}
