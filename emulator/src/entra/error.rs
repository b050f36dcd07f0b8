//! Errors of the authority and their form (reference §2.7).

mod client;
mod grant;
mod person;

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::response::json;
use crate::time;

/// An error of the authority.
#[derive(Debug, Clone)]
pub(super) struct EntraError {
    status: StatusCode,
    error: &'static str,
    code: u32,
    description: String,
    suberror: Option<&'static str>,
}

impl EntraError {
    fn new(status: u16, error: &'static str, code: u32, description: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Self {
            status,
            error,
            code,
            description: description.into(),
            suberror: None,
        }
    }

    fn because(mut self, suberror: &'static str) -> Self {
        self.suberror = Some(suberror);
        self
    }

    /// The same error with another OAuth error code.
    #[must_use]
    pub(super) fn named(mut self, error: &'static str) -> Self {
        self.error = error;
        self
    }

    /// The OAuth error, such as `invalid_grant`.
    pub(super) fn error(&self) -> &'static str {
        self.error
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The number after `AADSTS`.
    pub(super) fn code(&self) -> u32 {
        self.code
    }

    /// Without code and identifiers: the sentence that pages show.
    pub(super) fn sentence(&self) -> &str {
        &self.description
    }

    /// `AADSTS…: …` and the lines of identifiers after it.
    pub(super) fn description(&self, ids: &Identifiers) -> String {
        format!(
            "AADSTS{}: {}\r\nTrace ID: {}\r\nCorrelation ID: {}\r\nTimestamp: {}",
            self.code, self.description, ids.trace, ids.correlation, ids.timestamp
        )
    }

    /// The response of an endpoint that programs call.
    pub(super) fn into_response(self, authority: &str, now: i64) -> Response<Body> {
        let ids = Identifiers::new(now);
        let mut body = Map::new();
        let mut add = |name: &str, value: Value| body.insert(name.to_owned(), value);
        add("error", self.error.into());
        add("error_description", self.description(&ids).into());
        add("error_codes", vec![self.code].into());
        add("timestamp", ids.timestamp.into());
        add("trace_id", ids.trace.to_string().into());
        add("correlation_id", ids.correlation.to_string().into());
        let address = format!("{authority}/error?code={}", self.code);
        add("error_uri", address.into());
        if let Some(suberror) = self.suberror {
            add("suberror", suberror.into());
        }
        json(self.status, &Value::Object(body))
    }

    pub(super) fn missing_parameter(name: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        Self::new(400, "invalid_request", 900_144, text)
    }

    pub(super) fn only_post(method: &str) -> Self {
        let text = format!(
            "The endpoint only accepts POST, OPTIONS requests. Received a {method} request."
        );
        Self::new(400, "invalid_request", 900_561, text)
    }

    pub(super) fn unknown_tenant(tenant: &str) -> Self {
        let text = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and \
             are signing into the correct cloud. Check with your subscription administrator, this \
             may happen if there are no active subscriptions for the tenant."
        );
        Self::new(400, "invalid_request", 90_002, text)
    }

    pub(super) fn no_tenant() -> Self {
        let text = "No tenant-identifying information found in either the request or implied by \
                    any provided credentials.";
        Self::new(400, "invalid_request", 50_059, text)
    }

    pub(super) fn unsupported_grant(grant: &str) -> Self {
        let text = format!("The app requested an unsupported grant type '{grant}'.");
        Self::new(400, "unsupported_grant_type", 70_003, text)
    }

    pub(super) fn unsupported_response_type(given: &str) -> Self {
        let text = format!(
            "The response_type '{given}' is not supported by this authority; the provided value \
             for the input parameter 'response_type' is not allowed for this client. Expected \
             value is 'code'."
        );
        Self::new(400, "unsupported_response_type", 70_005, text)
    }

    pub(super) fn bad_parameter(name: &str, value: &str) -> Self {
        let text =
            format!("The value '{value}' of the request's parameter '{name}' is not supported.");
        Self::new(400, "invalid_request", 90_023, text)
    }

    pub(super) fn invalid_scope(scope: &str) -> Self {
        let text = format!(
            "The provided request must include a 'scope' input parameter. The provided value for \
             the input parameter 'scope' is not valid. The scope {scope} is not valid."
        );
        Self::new(400, "invalid_scope", 70_011, text)
    }

    pub(super) fn default_with_others(scope: &str) -> Self {
        let text = format!(
            "The provided value for the input parameter 'scope' is not valid. The scope {scope} \
             is not valid. .default scope can't be combined with resource-specific scopes."
        );
        Self::new(400, "invalid_scope", 70_011, text)
    }

    pub(super) fn several_resources(scope: &str) -> Self {
        let text = format!(
            "Provided value for the input parameter scope is not valid because it contains more \
             than one resource. Scope {scope} is not valid."
        );
        Self::new(400, "invalid_scope", 28_000, text)
    }

    pub(super) fn unknown_permission(permission: &str, resource: &str) -> Self {
        let text = format!(
            "The application asked for scope '{permission}' that doesn't exist on the resource \
             '{resource}'. Contact the app vendor."
        );
        Self::new(400, "invalid_scope", 650_053, text)
    }

    pub(super) fn unknown_resource(resource: &str, tenant: &str) -> Self {
        let text = format!(
            "The resource principal named {resource} was not found in the tenant named {tenant}. \
             This can happen if the application has not been installed by the administrator of \
             the tenant or consented to by any user in the tenant. You might have sent your \
             authentication request to the wrong tenant."
        );
        Self::new(400, "invalid_resource", 500_011, text)
    }
}

/// What identifies an error in the service's logs.
#[derive(Debug, Clone)]
pub(super) struct Identifiers {
    pub(super) trace: Uuid,
    pub(super) correlation: Uuid,
    pub(super) timestamp: String,
}

impl Identifiers {
    pub(super) fn new(now: i64) -> Self {
        Self {
            trace: Uuid::new_v4(),
            correlation: Uuid::new_v4(),
            timestamp: time::entra_time(now),
        }
    }
}
