//! The outcomes of a batch, from the parts of its response (reference 8.2).

use super::{Classifier, unreadable};
use crate::call::Retry;
use crate::dataverse::multipart::{Part, PartResponse};
use crate::dataverse::request::{Item, Request};
use crate::dataverse::response::{ChangeSetFailure, Failure, Outcome, Response};
use crate::error::{Commit, Error, ErrorKind};
use crate::host::{self, Clock};

/// The outcome of each item, from the parts of a response and its body.
pub(super) fn outcomes<C: Clock>(
    classifier: &Classifier<'_, C>,
    items: &[Item<'_>],
    parts: Vec<Part>,
    body: &[u8],
) -> Vec<Outcome> {
    let mut parts = parts.into_iter();
    let mut number = 1;
    // A service that stops at a failure does not carry out the following requests.
    let mut has_stopped = false;
    let reader = Reader { classifier, body };
    items
        .iter()
        .map(|item| {
            let first = number;
            number += item.requests().len();
            let part = parts.next();
            let outcome = match item {
                Item::One(request) => Outcome::One(reader.one(request, part, has_stopped)),
                Item::ChangeSet(requests) => {
                    Outcome::ChangeSet(reader.change_set(requests, first, part, has_stopped))
                }
            };
            has_stopped = outcome.is_failure();
            outcome
        })
        .collect()
}

impl Outcome {
    fn is_failure(&self) -> bool {
        match self {
            Self::One(result) => result.is_err(),
            Self::ChangeSet(result) => result.is_err(),
        }
    }
}

struct Reader<'r, 'c, C> {
    classifier: &'r Classifier<'c, C>,
    body: &'r [u8],
}

impl<C: Clock> Reader<'_, '_, C> {
    fn one(
        &self,
        request: &Request<'_>,
        part: Option<Part>,
        has_stopped: bool,
    ) -> Result<Response, Failure> {
        match part {
            Some(Part::Response(response)) => self.response(request, response),
            Some(Part::ChangeSet(_)) => Err(mismatch(request)),
            None => Err(missing(request, has_stopped)),
        }
    }

    /// `first` is the number of its first request in the batch.
    fn change_set(
        &self,
        requests: &[Request<'_>],
        first: usize,
        part: Option<Part>,
        has_stopped: bool,
    ) -> Result<Vec<Response>, ChangeSetFailure> {
        let Some(request) = requests.first() else {
            return Ok(Vec::new());
        };
        let whole = |failure| ChangeSetFailure {
            request: None,
            failure,
        };
        let responses = match part {
            Some(Part::ChangeSet(responses)) => responses,
            // OData allows an error without the frame of the change set (reference 8.2).
            Some(Part::Response(response)) => vec![response],
            None => return Err(whole(missing(request, has_stopped))),
        };
        let count = responses.len();
        let mut done: Vec<Option<Response>> = Vec::new();
        done.resize_with(requests.len(), || None);
        for (position, response) in responses.into_iter().enumerate() {
            let named = response.content_id.and_then(|id| id.checked_sub(first));
            let named = named.filter(|index| *index < requests.len());
            // Only a complete response is in the order of the requests.
            let index = named.or_else(|| (count == requests.len()).then_some(position));
            let failed = index.and_then(|index| requests.get(index));
            match self.response(failed.unwrap_or(request), response) {
                Err(failure) => {
                    return Err(ChangeSetFailure {
                        request: index,
                        failure,
                    });
                }
                Ok(response) => {
                    if let Some(slot) = index.and_then(|index| done.get_mut(index)) {
                        *slot = Some(response);
                    }
                }
            }
        }
        let responses: Option<Vec<Response>> = done.into_iter().collect();
        responses.ok_or_else(|| whole(mismatch(request)))
    }

    fn response(&self, request: &Request<'_>, response: PartResponse) -> Result<Response, Failure> {
        let body = self.body.get(response.body).unwrap_or_default().to_vec();
        let head = host::Response {
            status: response.status,
            headers: response.headers,
            body: Vec::new(),
        };
        self.classifier.classify_body(request, head, body)
    }
}

/// The batch has no response to the request.
fn missing(request: &Request<'_>, has_stopped: bool) -> Failure {
    let mut error = Error::new(
        ErrorKind::Unavailable,
        format!(
            "{}: the batch ended before this request; send it again",
            request.failure()
        ),
    );
    if !has_stopped && !request.only_reads() {
        error.commit = Commit::Unknown;
    }
    Failure::new(error, Retry::WithinBudget)
}

/// The part of the response that belongs to the request is of another kind.
fn mismatch(request: &Request<'_>) -> Failure {
    let reason = "its parts do not match the requests of the batch";
    let mut error = unreadable(&request.failure(), &reason);
    if !request.only_reads() {
        error.commit = Commit::Unknown;
    }
    Failure::new(error, Retry::WithinBudget)
}
