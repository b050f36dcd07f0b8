//! Signing in as an application with a client secret (reference 2.2).

use url::form_urlencoded;

use super::entra::Refusal;
use super::{Authority, Issuer, Token};
use crate::error::{Error, ErrorKind};
use crate::host::{Header, Host, Method, Secret, SecretError, Secrets};
use crate::retry::Patience;
use crate::settings::{Auth, ClientSecret, SecretName};

/// Asks the authority for a token. The secret is fetched for this, and wiped after it.
pub(super) async fn issue<H: Host>(
    issuer: &Issuer<H>,
    authority: &Authority,
    patience: Patience,
) -> Result<Token, Error> {
    let Auth::ClientSecret(credentials) = &issuer.settings.auth;
    let secret = fetch_secret(&*issuer.host, &credentials.secret)?;
    let scope = match &credentials.scope {
        Some(scope) => scope.clone(),
        None => format!("{}/.default", issuer.settings.environment.origin()),
    };
    let endpoint = authority.token_endpoint();
    let request = || {
        let headers = vec![
            Header::new("Accept", "application/json"),
            Header::new("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let body = form(credentials, &secret, &scope).into_bytes();
        issuer.request(Method::Post, &endpoint, headers, Some(body))
    };
    let asked_at = issuer.host.elapsed();
    let response = issuer
        .send(request, patience, |response| {
            Refusal::read(response, &secret).and_then(|refusal| refusal.pause())
        })
        .await
        .map_err(|error| Error::unreachable("the sign-in authority", &endpoint, &error))?;
    if let Some(refusal) = Refusal::read(&response, &secret) {
        return Err(refusal.into_error(authority, &credentials.client_id, &response, issuer));
    }
    Token::read(response.body, asked_at).ok_or_else(|| {
        Error::new(
            ErrorKind::Unavailable,
            format!(
                "the sign-in answer of {} holds no token that can be used; check \"authority\", \
                 or try again later",
                authority.origin()
            ),
        )
    })
}

fn form(credentials: &ClientSecret, secret: &Secret, scope: &str) -> String {
    // Room for everything at once: a growing buffer would leave copies of the secret behind.
    let room = 256 + 3 * (secret.reveal().len() + scope.len());
    form_urlencoded::Serializer::new(String::with_capacity(room))
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", &credentials.client_id)
        .append_pair("client_secret", secret.reveal())
        .append_pair("scope", scope)
        .finish()
}

fn fetch_secret(secrets: &impl Secrets, name: &SecretName) -> Result<Secret, Error> {
    let name = name.as_str();
    match secrets.get(name) {
        Ok(secret) if secret.reveal().trim().is_empty() => Err(Error::new(
            ErrorKind::Unauthenticated,
            format!("the secret \"{name}\" is empty; store the client secret's value under it"),
        )),
        // A line break at the end comes from an editor or `echo`, never from Entra.
        Ok(secret) => Ok(Secret::new(secret.reveal().trim())),
        Err(SecretError::NotFound) => Err(Error::new(
            ErrorKind::Unauthenticated,
            format!("there is no secret \"{name}\"; store the client secret's value under it"),
        )),
        Err(SecretError::Denied) => Err(Error::new(
            ErrorKind::Forbidden,
            format!("this connection may not read the secret \"{name}\"; allow it to"),
        )),
        Err(SecretError::Unavailable(reason)) => Err(Error::new(
            ErrorKind::Unavailable,
            format!("the secret \"{name}\" cannot be read now: {reason}"),
        )),
    }
}
