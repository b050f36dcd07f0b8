//! How an application authenticates.

use url::Url;

use super::certificate::SigningCertificate;
use super::form::Form;
use super::store::fetch;
use crate::error::Error;
use crate::host::{Host, Secret};
use crate::settings::{Application, Credential, SecretName};

/// The type of an assertion that is a JWT (RFC 7523).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Adds the application's credential for one request to `endpoint`.
pub(super) fn with_credential<H: Host>(
    form: Form,
    application: &Application,
    endpoint: &Url,
    host: &H,
) -> Result<Form, Error> {
    match &application.credential {
        Credential::Secret(name) => with_secret(form, name, host),
        Credential::Certificate(certificate) => {
            let pem = fetch(
                host,
                &certificate.secret,
                "the certificate and its private key as PEM",
            )?;
            let assertion = SigningCertificate::read(&pem, &certificate.secret)?.assertion(
                certificate.algorithm,
                &application.client_id,
                endpoint.as_str(),
                host,
            )?;
            Ok(with_assertion(form, assertion))
        }
        Credential::Assertion(name) => {
            let assertion = fetch(host, name, "an assertion of the other identity provider")?;
            Ok(with_assertion(form, assertion))
        }
    }
}

/// Adds a client secret (reference 2.2).
pub(super) fn with_secret<H: Host>(form: Form, name: &SecretName, host: &H) -> Result<Form, Error> {
    let secret = fetch(host, name, "the client secret's value")?;
    Ok(form.with_secret("client_secret", secret))
}

/// Adds a signed assertion (reference 2.3).
fn with_assertion(form: Form, assertion: Secret) -> Form {
    form.with("client_assertion_type", JWT_BEARER)
        .with_secret("client_assertion", assertion)
}
