//! The control API under `/__emulator/`: what only a test may do to a service.
//!
//! | request | effect |
//! |---|---|
//! | `GET statistics`, `DELETE statistics` | counters of what was served; reset the counters |
//! | `POST clock/advance` `{"seconds":n}` | moves the organization's clock |
//! | `POST tokens/expire` | every access token issued so far is rejected from now on |
//! | `POST delta-tokens/expire` | every delta link issued so far is rejected with `0x80044352` |
//! | `GET faults`, `POST faults`, `DELETE faults` | list the planned faults; plan one; remove all |
//! | `PUT latency` `{"milliseconds":n}` | delays every response of the Web API |
//! | `PUT parallelism` `{"requests":n}` | sets the recommended parallelism in `x-ms-dop-hint` |
//! | `PUT limits` `{"requests":n,"executionSeconds":n,"concurrency":n}` or `null` | enforces service protection limits |
//! | `POST applications` `{"clientId","secret","role"}` | registers an application; without a role it is not a user of the organization |
//! | `POST applications` `{"clientId","secret","privileges":[{"name","depth"}]}` | the same with a role of its own that grants exactly these; again to change them |
//! | `PATCH applications/{id}` | changes secret, redirect URIs and more; `{"disabled":true}` denies it tokens |
//! | `POST`, `DELETE applications/{id}/certificates`, `…/federated-credentials`, `…/consents` | adds one; removes all |
//! | `POST people`, `PATCH people/{name}`, `DELETE people/{name}` | who may sign in, and what prevents it |
//! | `POST people/{name}/revoke` | revokes every grant of a person |
//! | `PUT consent-policy` `{"administratorOnly":true}` | people must ask an administrator for consent |
//! | `GET tokens`, `POST refresh-tokens/expire` | how many were issued; expire them |
//! | `PUT token-lifetime`, `PUT device-code-interval`, `PUT refresh-token-grace` `{"seconds":n}` | how long they are valid |
//! | `PATCH users/{id}` `{"disabled":true}` | disables a user of the organization |
//! | `POST grants`, `DELETE grants` `{"role","privilege","depth"}` | grants or revokes a privilege |
//! | `PUT columns` `{"table","column":{…}}`, `DELETE columns` `{"table","column":"…"}` | adds or replaces a column; removes one |
//! | `PUT tables` `{"table","changeTracking","auditing"}` | switches change tracking on, and auditing on or off |
//! | `PUT secured-columns` `{"table","column","secured":true}` | secures a column, or not |
//! | `PUT record-count-age` `{"seconds":n}` | counts of rows are cached for so long |
//! | `PUT metadata-lag` `{"seconds":n}` | what is added from now on stays invisible for so long |
//! | `POST day` `{"seed":n,"changes":n}` | a day's work: creates, updates and deletes rows |

mod access;
mod commands;
mod day;
mod definitions;
mod directory;
mod error;
mod parameters;
mod people;

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, Method, Response, StatusCode, header},
};
use bytes::Bytes;
use serde_json::json;

pub use day::DayReport;
pub use error::ControlError;

use crate::environment::Environment;

/// Where the control API is.
pub(crate) const PREFIX: &str = "/__emulator/";

/// Handles a request to the control API.
pub(crate) async fn handle(
    environment: &Arc<Environment>,
    method: &Method,
    command: &str,
    body: Bytes,
) -> Response<Body> {
    let environment = Arc::clone(environment);
    let (method, command) = (method.clone(), command.trim_end_matches('/').to_owned());
    let work = move || commands::run(&environment, &method, &command, &body);
    let (status, body) = match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => (StatusCode::OK, value),
        Ok(Err(error)) => (error.status(), json!({"error": error.to_string()})),
        Err(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({"error": "the command failed"}),
        ),
    };
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
