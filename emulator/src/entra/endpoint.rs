//! The authority's HTTP surface: token endpoint, discovery document, keys.

use std::collections::HashMap;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Application, Entra, error::EntraError, normal_origin};

/// The two forms of the endpoint differ in how the resource is named and in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    V1,
    V2,
}

impl Entra {
    /// Answers a request to the authority; `base` is its own origin as the client named it.
    pub(crate) fn respond(
        &self,
        base: &str,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Response<Body> {
        let Some((tenant, endpoint)) = path.trim_start_matches('/').split_once('/') else {
            return not_found();
        };
        let dialect = match endpoint {
            "oauth2/v2.0/token" => Dialect::V2,
            "oauth2/token" => Dialect::V1,
            "v2.0/.well-known/openid-configuration" | ".well-known/openid-configuration" => {
                let found = self.tenant(tenant).map(|id| discovery(base, id));
                return found.map_or_else(|error| self.refuse(base, error), |body| ok(&body));
            }
            "discovery/v2.0/keys" | "discovery/keys" => return ok(&self.signer.key_set()),
            _ => return not_found(),
        };
        if method != Method::POST {
            return self.refuse(base, EntraError::only_post(method.as_str()));
        }
        match self.token(base, dialect, tenant, headers, body) {
            Ok(body) => ok(&body),
            Err(error) => self.refuse(base, error),
        }
    }

    fn refuse(&self, base: &str, error: EntraError) -> Response<Body> {
        error.into_response(base, self.clock.now())
    }

    fn tenant(&self, name: &str) -> Result<Uuid, EntraError> {
        if ["common", "organizations", "consumers"].contains(&name) {
            return Err(EntraError::no_tenant());
        }
        let id = Uuid::try_parse(name).ok();
        self.read(|directory| {
            let mut tenants = directory.tenants.iter();
            tenants
                .find(|tenant| {
                    Some(tenant.id) == id
                        || tenant
                            .domains
                            .iter()
                            .any(|domain| domain.eq_ignore_ascii_case(name))
                })
                .map(|tenant| tenant.id)
        })
        .ok_or_else(|| EntraError::unknown_tenant(name))
    }

    fn token(
        &self,
        base: &str,
        dialect: Dialect,
        tenant: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Value, EntraError> {
        let form = Form::read(headers, body);
        let tenant = self.tenant(tenant)?;
        match form.require("grant_type")? {
            "client_credentials" => self.client_credentials(base, dialect, tenant, &form),
            other => Err(EntraError::unsupported_grant(other)),
        }
    }

    /// Client credentials with a secret (reference §2.2).
    fn client_credentials(
        &self,
        base: &str,
        dialect: Dialect,
        tenant: Uuid,
        form: &Form,
    ) -> Result<Value, EntraError> {
        let application = self.application(form.require("client_id")?, tenant)?;
        self.authenticate(&application, form)?;
        let audience = match dialect {
            Dialect::V1 => form.require("resource")?,
            Dialect::V2 => {
                let scope = form.require("scope")?;
                scope
                    .strip_suffix("/.default")
                    .filter(|resource| !resource.is_empty() && !resource.contains(' '))
                    .ok_or_else(|| EntraError::invalid_scope(scope))?
            }
        };
        let known = self.read(|directory| directory.resources.contains(&normal_origin(audience)));
        if !known {
            return Err(EntraError::unknown_resource(audience, tenant));
        }
        let token = self.issue(base, tenant, &application, audience);
        let seconds = self.lifetime;
        let now = self.clock.now();
        Ok(match dialect {
            Dialect::V2 => json!({
                "token_type": "Bearer",
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": token,
            }),
            Dialect::V1 => json!({
                "token_type": "Bearer",
                "expires_in": seconds.to_string(),
                "ext_expires_in": seconds.to_string(),
                "expires_on": (now + seconds).to_string(),
                "not_before": now.to_string(),
                "resource": audience,
                "access_token": token,
            }),
        })
    }

    fn application(&self, client_id: &str, tenant: Uuid) -> Result<Application, EntraError> {
        let id = Uuid::try_parse(client_id).ok();
        let found = self.read(|directory| {
            let mut applications = directory.applications.iter();
            applications
                .find(|app| Some(app.client_id) == id && app.tenant == tenant)
                .cloned()
        });
        let application =
            found.ok_or_else(|| EntraError::unknown_application(client_id, &tenant.to_string()))?;
        if application.disabled {
            return Err(EntraError::disabled_application(
                application.client_id,
                &application.name,
            ));
        }
        Ok(application)
    }

    fn authenticate(&self, application: &Application, form: &Form) -> Result<(), EntraError> {
        let Some(secret) = form.get("client_secret") else {
            return Err(if form.get("client_assertion").is_some() {
                EntraError::unsupported_assertion()
            } else {
                EntraError::no_credential()
            });
        };
        let now = self.clock.now();
        let known = application
            .secrets
            .iter()
            .find(|known| known.expose() == secret);
        match known {
            None => Err(EntraError::wrong_secret(application.client_id)),
            Some(known) if known.expires.is_some_and(|end| end <= now) => {
                Err(EntraError::expired_secret(application.client_id))
            }
            Some(_) => Ok(()),
        }
    }
}

/// The parameters of a token request, with client id and secret from HTTP Basic where given.
struct Form(HashMap<String, String>);

impl Form {
    fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let mut fields = HashMap::new();
        if content_type.is_some_and(|t| t.starts_with("application/x-www-form-urlencoded")) {
            fields.extend(url::form_urlencoded::parse(body).into_owned());
        }
        if let Some((id, secret)) = basic_credentials(headers) {
            fields.insert("client_id".to_owned(), id);
            fields.insert("client_secret".to_owned(), secret);
        }
        Self(fields)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    fn require(&self, name: &str) -> Result<&str, EntraError> {
        self.get(name)
            .ok_or_else(|| EntraError::missing_parameter(name))
    }
}

/// RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let unescape = |part: &str| {
        let spaced = part.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8()
            .map(Into::into)
            .ok()
    };
    Some((unescape(id)?, unescape(secret)?))
}

fn discovery(base: &str, tenant: Uuid) -> Value {
    json!({
        "issuer": format!("{base}/{tenant}/"),
        "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

fn ok(body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    set_headers(response.headers_mut());
    response
}

fn not_found() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// The headers of every JSON answer of the authority.
pub(super) fn set_headers(headers: &mut HeaderMap) {
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-cache"),
    );
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}
