//! Routing of the authority's requests.

use axum::{
    body::Body,
    http::{Method, Response, StatusCode},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Arrival, Entra, adfs,
    error::EntraError,
    place::{Dialect, Place},
    response::{json, not_found, page},
    sign_in::{authorize::Refused, pages, session::Purpose},
};

impl Entra {
    /// Handles a request to the authority.
    pub(crate) fn respond(&self, arrival: &Arrival<'_>) -> Response<Body> {
        let path = arrival.path.trim_matches('/');
        match path {
            "devicelogin" | "common/oauth2/deviceauth" => {
                return match self.place(arrival.base, Dialect::V2, "common") {
                    Ok(place) => self.begin(arrival, &place, Purpose::Device(None)),
                    Err(error) => self.error_page(&error),
                };
            }
            "common/login" | "adfs/ls" => return self.form(arrival),
            "error" => return explanation(arrival),
            _ => {}
        }
        let Some((name, endpoint)) = path.split_once('/') else {
            return not_found();
        };
        if name == adfs::PATH {
            return self.respond_as_adfs(arrival, endpoint);
        }
        let place = self.place(arrival.base, dialect(endpoint), name);
        let outcome = match endpoint {
            "oauth2/v2.0/token"
            | "oauth2/token"
            | "oauth2/v2.0/devicecode"
            | "oauth2/devicecode" => {
                place.and_then(|place| self.program_endpoint(arrival, &place, endpoint))
            }
            "v2.0/.well-known/openid-configuration" | ".well-known/openid-configuration" => {
                place.map(|place| discovery(&place))
            }
            "discovery/v2.0/keys" | "discovery/keys" => Ok(self.signer.key_set()),
            "oauth2/v2.0/authorize" | "oauth2/authorize" => {
                return match place {
                    Ok(place) => self.authorize(arrival, &place),
                    Err(error) => self.error_page(&error),
                };
            }
            "v2.0/adminconsent" | "adminconsent" => {
                let query = arrival.query_parameters();
                let consent = place.and_then(|place| {
                    let consent = self.admin_consent(&place, &query)?;
                    Ok((place, Purpose::AdminConsent(consent)))
                });
                return match consent {
                    Ok((place, purpose)) => self.begin(arrival, &place, purpose),
                    Err(error) => self.error_page(&error),
                };
            }
            _ => return not_found(),
        };
        match outcome {
            Ok(body) => json(StatusCode::OK, &body),
            Err(error) => error.into_response(arrival.base, self.clock.now()),
        }
    }

    fn respond_as_adfs(&self, arrival: &Arrival<'_>, endpoint: &str) -> Response<Body> {
        let place = self.adfs_place(arrival.base);
        let outcome = match endpoint {
            "oauth2/token" | "oauth2/devicecode" => {
                self.program_endpoint(arrival, &place, endpoint)
            }
            ".well-known/openid-configuration" => Ok(adfs_discovery(&place)),
            "discovery/keys" => Ok(self.signer.key_set()),
            "oauth2/authorize" => return self.authorize(arrival, &place),
            _ => return not_found(),
        };
        match outcome {
            Ok(body) => json(StatusCode::OK, &body),
            Err(error) => adfs::into_response(&error),
        }
    }

    fn authorize(&self, arrival: &Arrival<'_>, place: &Place<'_>) -> Response<Body> {
        let parameters = if arrival.method == Method::POST {
            arrival.form()
        } else {
            arrival.query_parameters()
        };
        match self.authorization(place, &parameters) {
            Ok(wanted) => self.begin(arrival, place, Purpose::Authorize(wanted)),
            Err(Refused::OnPage(error)) => self.error_page(&error),
            Err(Refused::ToApplication(reply, error)) => self.send_error(place, &reply, &error),
        }
    }

    /// The endpoints that programs post to.
    fn program_endpoint(
        &self,
        arrival: &Arrival<'_>,
        place: &Place<'_>,
        endpoint: &str,
    ) -> Result<Value, EntraError> {
        if arrival.method != Method::POST {
            return Err(EntraError::only_post(arrival.method.as_str()));
        }
        if endpoint.ends_with("devicecode") {
            self.device_code(place, &arrival.form())
        } else {
            self.token(place, &arrival.form())
        }
    }

    /// The place that the first segment of a path names.
    pub(super) fn place<'a>(
        &self,
        base: &'a str,
        dialect: Dialect,
        name: &'a str,
    ) -> Result<Place<'a>, EntraError> {
        let tenant = match name {
            "common" | "organizations" => None,
            // Personal accounts are not in organizations.
            "consumers" => return Err(EntraError::no_tenant()),
            name => Some(self.read(|directory| directory.tenant(name))?),
        };
        Ok(Place {
            base,
            dialect,
            name,
            tenant,
        })
    }

    /// AD FS: one organization, whose people sign in there.
    pub(super) fn adfs_place<'a>(&self, base: &'a str) -> Place<'a> {
        Place {
            base,
            dialect: Dialect::AdFs,
            name: adfs::PATH,
            tenant: Some(self.read(|directory| directory.home)),
        }
    }
}

/// The page of `error_uri`.
fn explanation(arrival: &Arrival<'_>) -> Response<Body> {
    let query = arrival.query_parameters();
    let title = format!("Error code {}", query.get("code").unwrap_or("(none)"));
    let text = "Microsoft's list of authentication error codes tells what it means.";
    page(StatusCode::OK, pages::message(&title, text))
}

fn dialect(endpoint: &str) -> Dialect {
    if endpoint.contains("v2.0") {
        Dialect::V2
    } else {
        Dialect::V1
    }
}

/// Where the endpoints and keys are, for clients to discover. Where people of any tenant may sign
/// in, the issuer has a placeholder and the endpoints keep the name.
fn discovery(place: &Place<'_>) -> Value {
    let base = place.base;
    let tenant = place.tenant.as_ref().map(Uuid::to_string);
    let name = tenant.as_deref().unwrap_or(place.name);
    let version = match place.dialect {
        Dialect::V2 => "/v2.0",
        Dialect::V1 | Dialect::AdFs => "",
    };
    let issuer = match version {
        "" => format!("{base}/{}/", tenant.as_deref().unwrap_or("{tenantid}")),
        version => format!(
            "{base}/{}{version}",
            tenant.as_deref().unwrap_or("{tenantid}")
        ),
    };
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/{name}/oauth2{version}/authorize"),
        "token_endpoint": format!("{base}/{name}/oauth2{version}/token"),
        "device_authorization_endpoint": format!("{base}/{name}/oauth2{version}/devicecode"),
        "jwks_uri": format!("{base}/{name}/discovery{version}/keys"),
        "token_endpoint_auth_methods_supported": [
            "client_secret_post", "client_secret_basic", "private_key_jwt"
        ],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "preferred_username",
            "name", "tid", "ver"
        ],
    })
}

fn adfs_discovery(place: &Place<'_>) -> Value {
    let base = place.base;
    json!({
        "issuer": format!("{base}/adfs"),
        "access_token_issuer": format!("{base}/adfs/services/trust"),
        "authorization_endpoint": format!("{base}/adfs/oauth2/authorize/"),
        "token_endpoint": format!("{base}/adfs/oauth2/token/"),
        "device_authorization_endpoint": format!("{base}/adfs/oauth2/devicecode"),
        "jwks_uri": format!("{base}/adfs/discovery/keys"),
        "token_endpoint_auth_methods_supported": [
            "client_secret_post", "client_secret_basic", "private_key_jwt"
        ],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}
