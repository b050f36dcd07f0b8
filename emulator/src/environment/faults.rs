//! Faults on demand: what goes wrong between a client and a real service.

use std::{
    fmt::Write as _,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use axum::http::StatusCode;
use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde::{Deserialize, Serialize};

use crate::{api::Response, wire::ODataError};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum FaultKind {
    /// An error instead of the response.
    Status {
        /// The HTTP status: 401, 429, 500, 502, 503 or another error.
        status: u16,
        /// The value of the `Retry-After` header.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// The connection is closed without a response.
    Reset,
    /// The connection is closed in the middle of the body.
    CutBody {
        /// How many bytes of the body are sent.
        after: usize,
    },
    /// The body ends early, and is complete as far as HTTP can tell.
    BrokenJson,
    /// The response is delayed.
    Delay {
        /// By how many milliseconds.
        milliseconds: u64,
    },
    /// The next link leads to another origin.
    ForeignNextLink,
    /// The next link leads back to the page itself.
    LoopingNextLink,
    /// The last page of a tracked read has no delta link.
    MissingDeltaLink,
}

/// A fault and the requests it applies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Which of the next data requests is the first that fails, from 1.
    #[serde(default = "one")]
    pub at: u64,
    /// How many consecutive requests fail.
    #[serde(default = "one")]
    pub times: u64,
    /// Only requests whose path after the service root begins with this, such as `accounts`;
    /// with a path given, every kind of request counts, not only data requests.
    #[serde(default)]
    pub path: Option<String>,
}

impl Fault {
    /// A fault for the next data request.
    pub fn once(kind: FaultKind) -> Self {
        Self {
            kind,
            at: 1,
            times: 1,
            path: None,
        }
    }
}

fn one() -> u64 {
    1
}

/// The faults that have not been applied completely.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    planned: Mutex<Vec<Fault>>,
}

impl Faults {
    pub(crate) fn plan(&self, fault: Fault) {
        if fault.times > 0 {
            self.lock().push(fault);
        }
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn planned(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// The fault for this request, if any. Every fault that matches the request
    /// counts it.
    pub(crate) fn next_for(&self, path: &str, is_data: bool) -> Option<FaultKind> {
        let mut planned = self.lock();
        let mut struck = None;
        for fault in planned.iter_mut() {
            let watches = match &fault.path {
                Some(prefix) => path.starts_with(prefix.as_str()),
                None => is_data,
            };
            if !watches {
                continue;
            }
            if fault.at > 1 {
                fault.at -= 1;
            } else if struck.is_none() {
                fault.times -= 1;
                struck = Some(fault.kind.clone());
            }
        }
        planned.retain(|fault| fault.times > 0);
        struck
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The response of an error fault.
pub(crate) fn error_response(status: u16, retry_after: Option<&str>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (code, message) = match status.as_u16() {
        429 => (
            "0x80072322",
            "Number of requests exceeded the limit of 6000 over time window of 300 seconds.",
        ),
        500 => ("0x80040216", "An unexpected error occurred."),
        502..=504 => ("", "The service is temporarily unavailable."),
        // Not an error code of the service: clients would act on it.
        _ => ("", "An error was injected."),
    };
    let response = Response::error(&ODataError::new(status, code, message));
    match retry_after {
        Some(value) => response.with("retry-after", value),
        None => response,
    }
}

/// The body as changed by the fault.
pub(crate) fn edit_body(kind: &FaultKind, body: Vec<u8>, address: &str) -> Vec<u8> {
    let text = match String::from_utf8(body) {
        Ok(text) => text,
        Err(error) => return error.into_bytes(),
    };
    match kind {
        FaultKind::BrokenJson => {
            let mut end = text.len() / 2;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.get(..end).unwrap_or_default().to_owned()
        }
        FaultKind::ForeignNextLink => with_link(
            text,
            "@odata.nextLink",
            Some("http://foreign.example/api/data/v9.2/accounts"),
        ),
        FaultKind::LoopingNextLink => with_link(text, "@odata.nextLink", Some(address)),
        FaultKind::MissingDeltaLink => with_link(text, "@odata.deltaLink", None),
        _ => text,
    }
    .into_bytes()
}

/// The document with its last member of this name replaced, added or removed. A delta link makes
/// room for a next link: no page has both.
fn with_link(text: String, name: &str, link: Option<&str>) -> String {
    let mut text = text;
    for known in ["@odata.nextLink", "@odata.deltaLink"] {
        if known != name && link.is_none() {
            continue;
        }
        let Some(start) = text.rfind(&format!(",\"{known}\":\"")) else {
            continue;
        };
        let value = start + known.len() + 5;
        let length = text
            .get(value..)
            .and_then(|rest| rest.find('"'))
            .unwrap_or(0);
        text.replace_range(start..=value + length, "");
    }
    if let (Some(link), true) = (link, text.ends_with('}')) {
        text.pop();
        let _ = write!(text, ",\"{name}\":\"{link}\"}}");
    }
    text
}

/// A body that breaks off with an error, which closes the connection.
#[derive(Debug)]
pub(crate) struct CutBody {
    pub(crate) start: Option<Bytes>,
    pub(crate) length: u64,
}

impl Body for CutBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(Some(match self.start.take() {
            Some(start) => Ok(Frame::data(start)),
            None => Err(std::io::Error::other("an injected fault cuts the body off")),
        }))
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_apply_to_the_requests_they_name() {
        let faults = Faults::default();
        faults.plan(Fault {
            at: 2,
            times: 2,
            ..Fault::once(FaultKind::Reset)
        });
        faults.plan(Fault {
            path: Some("WhoAmI".into()),
            ..Fault::once(FaultKind::BrokenJson)
        });
        assert_eq!(faults.next_for("accounts", true), None);
        assert_eq!(
            faults.next_for("WhoAmI", false),
            Some(FaultKind::BrokenJson)
        );
        assert_eq!(faults.next_for("accounts", true), Some(FaultKind::Reset));
        assert_eq!(faults.next_for("accounts", true), Some(FaultKind::Reset));
        assert_eq!(faults.next_for("accounts", true), None);
        assert!(faults.planned().is_empty());
    }

    #[test]
    fn links_are_replaced_and_removed() {
        let page = r#"{"value":[{"a":"x"}],"@odata.nextLink":"http://h/a?b"}"#.to_owned();
        assert_eq!(
            with_link(page.clone(), "@odata.nextLink", Some("L")),
            r#"{"value":[{"a":"x"}],"@odata.nextLink":"L"}"#
        );
        let last = r#"{"value":[],"@odata.deltaLink":"http://h/a?d"}"#.to_owned();
        assert_eq!(
            with_link(last.clone(), "@odata.deltaLink", None),
            r#"{"value":[]}"#
        );
        assert_eq!(
            with_link(last, "@odata.nextLink", Some("L")),
            r#"{"value":[],"@odata.nextLink":"L"}"#
        );
        assert_eq!(with_link(page.clone(), "@odata.deltaLink", None), page);
    }
}
