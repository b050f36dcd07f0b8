//! JSON documents of the connector, shown as it wrote them.

use serde_json::value::RawValue;

use crate::exit::{Exit, Failure};

/// A document to be embedded unchanged.
pub(super) fn raw(json: &str) -> Result<&RawValue, Failure> {
    serde_json::from_str(json).map_err(|_| invalid("a document"))
}

pub(super) fn invalid(what: &str) -> Failure {
    Failure::new(
        Exit::Internal,
        format!("the connector sent {what} that is not JSON"),
    )
}
