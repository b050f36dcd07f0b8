//! `$batch` (reference §8.1, §8.2).

mod multipart;

use std::collections::{HashMap, HashSet};

use axum::http::{Method, StatusCode};
use bytes::Bytes;
use uuid::Uuid;

use self::multipart::{InnerRequest, Part};
use super::{Api, Request, Response, Service, definitions::is_change};
use crate::{gate::Caller, store::Writer, wire::ODataError};

/// Most requests in a batch.
const MAX_REQUESTS: usize = 1_000;

/// Most characters of an address inside a batch (reference §4.12).
const MAX_ADDRESS: usize = 65_536;

/// The addresses of rows created in a change set, by Content-ID.
type Created = HashMap<String, String>;

impl Service {
    /// Carries out the requests of a batch in their order.
    pub(super) fn batch(&self, outer: &Request, caller: &Caller) -> Result<Response, ODataError> {
        let boundary = outer
            .header("content-type")
            .and_then(multipart::boundary)
            .ok_or_else(|| {
                ODataError::bad_request(
                    "0x80048d19",
                    "A batch must have the Content-Type 'multipart/mixed' with a boundary.",
                )
            })?;
        let body = std::str::from_utf8(&outer.body)
            .map_err(|_| ODataError::bad_request("0x80048d19", "The batch is no UTF-8 text."))?;
        let parts = multipart::parse(body, &boundary)?;
        let count: usize = parts
            .iter()
            .map(|part| match part {
                Part::One(_) => 1,
                Part::ChangeSet(requests) => requests.len(),
            })
            .sum();
        refuse_repeated_ids(&parts)?;
        if count > MAX_REQUESTS {
            return Err(ODataError::bad_request(
                "0x80060888",
                format!("The batch has {count} requests; at most {MAX_REQUESTS} are allowed."),
            ));
        }
        let go_on = super::Preferences::parse(&outer.headers).continue_on_error;
        let boundary = format!("batchresponse_{}", Uuid::new_v4());
        let mut out = Vec::new();
        let mut status = StatusCode::OK;
        for part in parts {
            multipart::push_delimiter(&mut out, &boundary);
            let failed = match part {
                Part::One(inner) => {
                    let response = self.one(outer, &inner, caller);
                    multipart::push_response(&mut out, &response, inner.content_id.as_deref());
                    failure(&response)
                }
                Part::ChangeSet(requests) => {
                    self.push_change_set(&mut out, outer, &requests, caller)
                }
            };
            if let Some(failed) = failed
                && !go_on
            {
                status = failed;
                break;
            }
        }
        multipart::push_end(&mut out, &boundary);
        let mut response = Response::empty(status);
        response.body = out;
        Ok(response.with(
            "content-type",
            &format!("multipart/mixed; boundary={boundary}"),
        ))
    }

    fn one(&self, outer: &Request, inner: &InnerRequest, caller: &Caller) -> Response {
        match inner_request(outer, inner, &Created::new()) {
            Ok(request) => self.respond(&request, caller),
            Err(error) => Response::refusal(&error, &inner.headers),
        }
    }

    /// Carries out a change set, all of it or nothing; returns its status if it failed.
    fn push_change_set(
        &self,
        out: &mut Vec<u8>,
        outer: &Request,
        requests: &[InnerRequest],
        caller: &Caller,
    ) -> Option<StatusCode> {
        let result = self.with(outer, |api| {
            api.with_missing_tables_created(|| {
                api.store
                    .write(|writer| api.change_set(writer, outer, requests, caller))
            })
        });
        match result {
            Ok(responses) => {
                let boundary = format!("changesetresponse_{}", Uuid::new_v4());
                let head = format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n");
                out.extend_from_slice(head.as_bytes());
                for (inner, response) in requests.iter().zip(&responses) {
                    multipart::push_delimiter(out, &boundary);
                    multipart::push_response(out, response, inner.content_id.as_deref());
                }
                multipart::push_end(out, &boundary);
                None
            }
            Err(error) => {
                let response = Response::refusal(&error, &outer.headers);
                multipart::push_response(out, &response, None);
                failure(&response)
            }
        }
    }
}

impl Api {
    fn change_set(
        &self,
        writer: &Writer<'_>,
        outer: &Request,
        requests: &[InnerRequest],
        caller: &Caller,
    ) -> Result<Vec<Response>, ODataError> {
        let mut created = Created::new();
        let mut responses = Vec::with_capacity(requests.len());
        for inner in requests {
            if inner.method == Method::GET {
                return Err(ODataError::bad_request(
                    "0x80060888",
                    "A change set must not contain a GET request.",
                ));
            }
            let request = inner_request(outer, inner, &created)?;
            if is_change(&request) {
                return Err(ODataError::bad_request(
                    "0x80060888",
                    "A change set must not change definitions.",
                ));
            }
            let acting = caller.acting_for(writer.connection(), &request.headers)?;
            let caller = acting.as_ref().unwrap_or(caller);
            let response = self.call(&request, caller)?.change(writer)?;
            let address = response
                .headers
                .iter()
                .find(|(name, _)| name.as_str() == "odata-entityid");
            if let (Some(id), Some((_, address))) = (&inner.content_id, address) {
                created.insert(id.clone(), address.clone());
            }
            responses.push(response);
        }
        Ok(responses)
    }
}

/// A Content-ID names one request of the batch.
fn refuse_repeated_ids(parts: &[Part]) -> Result<(), ODataError> {
    let mut seen = HashSet::new();
    let requests = parts.iter().flat_map(|part| match part {
        Part::One(request) => std::slice::from_ref(request),
        Part::ChangeSet(requests) => requests.as_slice(),
    });
    for id in requests.filter_map(|request| request.content_id.as_deref()) {
        if !seen.insert(id) {
            return Err(ODataError::bad_request(
                "0x80048d19",
                format!(
                    "The content ID '{id}' was found more than once in the batch. Content IDs \
                     have to be unique across all operations of a batch."
                ),
            ));
        }
    }
    Ok(())
}

fn failure(response: &Response) -> Option<StatusCode> {
    let failed = response.status.is_client_error() || response.status.is_server_error();
    failed.then_some(response.status)
}

/// The request as it would have arrived alone, with references to created rows filled in.
fn inner_request(
    outer: &Request,
    inner: &InnerRequest,
    created: &Created,
) -> Result<Request, ODataError> {
    let url = match inner.url.trim_start_matches('/').strip_prefix('$') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
            let length = rest.find('/').unwrap_or(rest.len());
            let (id, tail) = rest.split_at(length);
            format!("{}{tail}", created_row(created, id)?)
        }
        _ => inner.url.clone(),
    };
    let service = outer.root.strip_prefix(&outer.origin).unwrap_or_default();
    let path = if url.starts_with("http://") || url.starts_with("https://") {
        url.strip_prefix(&outer.root).ok_or_else(|| {
            ODataError::bad_request(
                "0x8006088a",
                format!("The address '{url}' in the batch belongs to another service."),
            )
        })?
    } else {
        url.strip_prefix(service).unwrap_or(&url)
    };
    if url.len() > MAX_ADDRESS {
        return Err(ODataError::new(
            StatusCode::URI_TOO_LONG,
            "0x8006088a",
            format!("An address in a batch has at most {MAX_ADDRESS} characters."),
        ));
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = path.trim_start_matches('/');
    if path == "$batch" {
        return Err(ODataError::bad_request(
            "0x80060888",
            "A batch must not contain a batch.",
        ));
    }
    Ok(Request {
        method: inner.method.clone(),
        origin: outer.origin.clone(),
        root: outer.root.clone(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: inner.headers.clone(),
        body: resolve_references(&inner.body, created)?,
    })
}

fn created_row<'c>(created: &'c Created, id: &str) -> Result<&'c str, ODataError> {
    created.get(id).map(String::as_str).ok_or_else(|| {
        ODataError::bad_request(
            "0x80060888",
            format!("Content-ID Reference: '${id}' does not exist in the batch context."),
        )
    })
}

/// Replaces every text `"$1"` of the body by the address of the row created as 1.
fn resolve_references(body: &Bytes, created: &Created) -> Result<Bytes, ODataError> {
    let Ok(text) = std::str::from_utf8(body) else {
        return Ok(body.clone());
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\"$") {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let inner = found.get(2..).unwrap_or_default();
        let digits = inner
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(inner.len());
        let (id, tail) = inner.split_at(digits);
        if digits > 0 && tail.starts_with('"') {
            out.push('"');
            out.push_str(created_row(created, id)?);
            rest = tail;
        } else {
            out.push_str("\"$");
            rest = inner;
        }
    }
    out.push_str(rest);
    Ok(Bytes::from(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_filled_in() {
        let created = Created::from([("1".to_owned(), "http://h/contacts(x)".to_owned())]);
        let body = Bytes::from_static(b"{\"a@odata.bind\":\"$1\",\"price\":\"$10 each\"}");
        assert_eq!(
            resolve_references(&body, &created).unwrap(),
            "{\"a@odata.bind\":\"http://h/contacts(x)\",\"price\":\"$10 each\"}"
        );
        let forward = Bytes::from_static(b"{\"a@odata.bind\":\"$2\"}");
        assert_eq!(
            resolve_references(&forward, &created).unwrap_err().message,
            "Content-ID Reference: '$2' does not exist in the batch context."
        );
    }
}
