//! Responses of the Web API.

use super::guid::Guid;
use crate::call::Retry;
use crate::error::Error;
use crate::host::{Header, Response as HttpResponse};

/// A successful response, its body inflated.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, such as `OData-EntityId`, `ETag` or `Preference-Applied`.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Vec<u8>,
    /// How many requests at once the service recommends (reference 9.1).
    pub dop_hint: Option<u32>,
    /// Of a batch: the outcome of each item.
    pub(super) outcomes: Vec<Outcome>,
}

/// The outcome of one item of a batch.
#[derive(Debug)]
pub enum Outcome {
    /// The outcome of a single request.
    One(Result<Response, Failure>),
    /// The outcome of a change set: a response for each request, or why none was carried out.
    ChangeSet(Result<Vec<Response>, ChangeSetFailure>),
}

/// Why a request failed.
#[derive(Debug)]
pub struct Failure {
    /// The error.
    pub error: Box<Error>,
    pub(super) retry: Retry,
}

/// Why a change set failed. What its error says of the changes holds for tables that undo the
/// others when one fails: all but elastic tables (reference 8.3).
#[derive(Debug)]
pub struct ChangeSetFailure {
    /// Which of its requests failed, counted from 0, if the service named it.
    pub request: Option<usize>,
    /// Why.
    pub failure: Failure,
}

impl Response {
    pub(super) fn new(response: HttpResponse) -> Self {
        Self {
            dop_hint: response
                .header("x-ms-dop-hint")
                .and_then(|hint| hint.trim().parse().ok()),
            status: response.status,
            headers: response.headers,
            body: response.body,
            outcomes: Vec::new(),
        }
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_str())
    }

    /// The key of the row that was written, if the service names it by its key and not by an
    /// alternate one (reference 7.1, 7.2).
    pub fn row_key(&self) -> Option<Guid> {
        Guid::in_entity_id(self.header("OData-EntityId")?)
    }
}

impl Outcome {
    /// Why it failed, if it did.
    pub(super) fn failure_mut(&mut self) -> Option<&mut Failure> {
        match self {
            Self::One(result) => result.as_mut().err(),
            Self::ChangeSet(result) => result.as_mut().err().map(|it| &mut it.failure),
        }
    }
}

impl Failure {
    pub(super) fn new(error: Error, retry: Retry) -> Self {
        Self {
            error: Box::new(error),
            retry,
        }
    }

    /// Whether another attempt may succeed.
    pub fn is_temporary(&self) -> bool {
        match self.retry {
            Retry::Never => false,
            // A request of a batch is sent again alone, and its token renewed then if need be.
            Retry::WithNewCredential | Retry::Limited | Retry::WithinBudget => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(name: &'static str, value: &str) -> Response {
        Response::new(HttpResponse {
            status: 200,
            headers: vec![Header::new(name, value)],
            body: Vec::new(),
        })
    }

    #[test]
    fn a_dop_hint_that_is_no_number_counts_as_absent() {
        for (value, expected) in [(" 4 ", Some(4)), ("many", None), ("-1", None)] {
            assert_eq!(response("X-MS-DOP-Hint", value).dop_hint, expected);
        }
    }

    #[test]
    fn the_key_of_a_row_is_read_unless_an_alternate_key_names_it() {
        let root = "https://contoso.crm.dynamics.com/api/data/v9.2/";
        let key = "00000000-0000-0000-0000-000000000001";
        let entity_id = response("odata-entityid", &format!("{root}accounts({key})"));
        assert_eq!(entity_id.row_key().unwrap().to_string(), key);
        let alternate = response("OData-EntityId", &format!("{root}accounts(number='7')"));
        assert_eq!(alternate.row_key(), None);
        assert_eq!(response("ETag", "W/\"1\"").header("etag"), Some("W/\"1\""));
    }
}
