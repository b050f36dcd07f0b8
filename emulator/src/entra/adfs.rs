//! AD FS, where on-premises servers have people sign in (reference §1.5): the v1 endpoints with
//! `resource`, and its own messages.

use axum::{body::Body, http::Response};
use serde_json::json;

use super::{error::EntraError, response::json};

/// The first segment of the path of every endpoint.
pub(super) const PATH: &str = "adfs";

/// The error as AD FS words it: with one message where Entra has several.
pub(super) fn into_response(error: &EntraError) -> Response<Body> {
    let (name, message) = wording(error);
    let body = json!({"error": name, "error_description": message});
    json(error.status(), &body)
}

/// The OAuth error and the message for it.
pub(super) fn wording(error: &EntraError) -> (&'static str, String) {
    let name = error.error();
    let message = match (error.code(), name) {
        (700_016, _) => {
            return (
                "invalid_client",
                "MSIS9607: The 'client_id' parameter in the request is invalid. No registered \
                 client is found with this identifier."
                    .to_owned(),
            );
        }
        (500_011, _) => "MSIS9602: The received 'resource' parameter is invalid. The \
                         authorization server can not find a registered resource with the \
                         specified identifier."
            .to_owned(),
        (50_011, _) => "MSIS9224: Received invalid OAuth authorization request. The received \
                        'redirect_uri' parameter is not a valid registered redirect URI for the \
                        client identifier."
            .to_owned(),
        (50_173 | 700_082, _) => "MSIS9615: The refresh token received in 'refresh_token' \
                                  parameter has expired."
            .to_owned(),
        (_, "invalid_client") => "MSIS9622: Client authentication failed. Please verify the \
                                  credential provided for client authentication is valid."
            .to_owned(),
        (_, "unsupported_grant_type") => "MSIS9611: The authorization server does not support \
                                          the requested 'grant_type'."
            .to_owned(),
        (_, "invalid_grant") => {
            "MSIS9612: The authorization code received in 'code' parameter is invalid.".to_owned()
        }
        _ => format!("MSIS9600: {}", error.sentence()),
    };
    (name, message)
}
