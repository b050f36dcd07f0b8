//! The outcomes of a batch, from the parts of its response (reference 8.2).

use super::{Classifier, unreadable};
use crate::call::Retry;
use crate::dataverse::multipart::{Part, PartResponse};
use crate::dataverse::request::{Item, Request};
use crate::dataverse::response::{ChangeSetFailure, Failure, Outcome, Response};
use crate::error::{Commit, Error, ErrorKind};
use crate::host::{self, Clock};

/// The outcome of each item, from the parts of a response and its body. None if there are other
/// parts than the items can have: which one belongs to which item is then uncertain.
pub(super) fn outcomes<C: Clock>(
    classifier: &Classifier<'_, C>,
    items: &[Item<'_>],
    parts: Vec<Part>,
    body: &[u8],
) -> Option<Vec<Outcome>> {
    let count = parts.len();
    let mut parts = parts.into_iter();
    let mut number = 1;
    let mut rejections = 0;
    // A service that stops at the first failure does not carry out the following requests. A
    // response that ends in another way has lost the parts that are missing.
    let mut has_stopped = false;
    let reader = Reader { classifier, body };
    let mut outcomes = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let first = number;
        number += item.requests().len();
        let part = parts.next();
        let mut outcome = match item {
            Item::One(request) => Outcome::One(reader.one(request, part, has_stopped)?),
            Item::ChangeSet(requests) => {
                Outcome::ChangeSet(reader.change_set(requests, first, part, has_stopped))
            }
        };
        if outcome
            .failure_mut()
            .is_some_and(|it| it.error.fault.is_some())
        {
            rejections += 1;
            has_stopped = rejections == 1 && index + 1 == count;
        }
        outcomes.push(outcome);
    }
    parts.next().is_none().then_some(outcomes)
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
    ) -> Option<Result<Response, Failure>> {
        match part {
            Some(Part::Response(response)) => Some(self.response(request, response)),
            Some(Part::ChangeSet(_)) => None,
            None => Some(Err(missing(request, has_stopped))),
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
    let reason = if has_stopped {
        "the batch ended before this request; send it again"
    } else {
        "the response to the batch has no part for it; find out whether it was carried out before \
         you send it again"
    };
    let mut error = Error::new(
        ErrorKind::Unavailable,
        format!("{}: {reason}", request.failure()),
    );
    if !has_stopped && !request.only_reads() {
        error.commit = Commit::Unknown;
    }
    Failure::new(error, Retry::WithinBudget)
}

/// The responses within a change set are not those to its requests.
fn mismatch(request: &Request<'_>) -> Failure {
    let reason = "its parts do not match the requests of the change set";
    let mut error = unreadable(&request.failure(), &reason);
    if !request.only_reads() {
        error.commit = Commit::Unknown;
    }
    Failure::new(error, Retry::WithinBudget)
}
