//! Error bodies of the token endpoint (reference §2.7).

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use serde_json::json;
use uuid::Uuid;

use crate::time;

/// A refusal of the token endpoint.
#[derive(Debug)]
pub(super) struct EntraError {
    status: StatusCode,
    error: &'static str,
    code: u32,
    description: String,
}

impl EntraError {
    fn new(status: u16, error: &'static str, code: u32, description: String) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Self {
            status,
            error,
            code,
            description,
        }
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
        Self::new(400, "invalid_request", 50_059, text.to_owned())
    }

    pub(super) fn unsupported_grant(grant: &str) -> Self {
        let text = format!("The app requested an unsupported grant type '{grant}'.");
        Self::new(400, "unsupported_grant_type", 70_003, text)
    }

    pub(super) fn unknown_application(client_id: &str, tenant: &str) -> Self {
        let text = format!(
            "Application with identifier '{client_id}' was not found in the directory '{tenant}'. \
             This can happen if the application has not been installed by the administrator of \
             the tenant or consented to by any user in the tenant. You may have sent your \
             authentication request to the wrong tenant."
        );
        Self::new(400, "unauthorized_client", 700_016, text)
    }

    pub(super) fn disabled_application(client_id: Uuid, name: &str) -> Self {
        let text = format!("Application '{client_id}'({name}) is disabled.");
        Self::new(400, "unauthorized_client", 7_000_112, text)
    }

    pub(super) fn no_credential() -> Self {
        let text = "The request body must contain the following parameter: 'client_assertion' or \
                    'client_secret'.";
        Self::new(401, "invalid_client", 7_000_218, text.to_owned())
    }

    pub(super) fn wrong_secret(client_id: Uuid) -> Self {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the \
             client secret value, not the client secret ID, for a secret added to app \
             '{client_id}'."
        );
        Self::new(401, "invalid_client", 7_000_215, text)
    }

    pub(super) fn expired_secret(client_id: Uuid) -> Self {
        let text = format!(
            "The provided client secret keys for app '{client_id}' are expired. Visit the Azure \
             portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider \
             using certificate credentials for added security: https://aka.ms/certCreds."
        );
        Self::new(401, "invalid_client", 7_000_222, text)
    }

    pub(super) fn unsupported_assertion() -> Self {
        let text = "Client assertion failed signature validation.";
        Self::new(401, "invalid_client", 700_027, text.to_owned())
    }

    pub(super) fn invalid_scope(scope: &str) -> Self {
        let text = format!(
            "The provided request must include a 'scope' input parameter. The provided value for \
             the input parameter 'scope' is not valid. The scope {scope} is not valid."
        );
        Self::new(400, "invalid_scope", 70_011, text)
    }

    pub(super) fn unknown_resource(resource: &str, tenant: Uuid) -> Self {
        let text = format!(
            "The resource principal named {resource} was not found in the tenant named {tenant}. \
             This can happen if the application has not been installed by the administrator of \
             the tenant or consented to by any user in the tenant. You might have sent your \
             authentication request to the wrong tenant."
        );
        Self::new(400, "invalid_resource", 500_011, text)
    }

    pub(super) fn into_response(self, authority: &str, now: i64) -> Response<Body> {
        let trace = Uuid::new_v4();
        let correlation = Uuid::new_v4();
        let timestamp = time::entra_time(now);
        let description = format!(
            "AADSTS{}: {}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\n\
             Timestamp: {timestamp}",
            self.code, self.description,
        );
        let body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("{authority}/error?code={}", self.code),
        });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        super::endpoint::set_headers(response.headers_mut());
        response
    }
}
