//! The types of sign-in, and how they are read from settings.

use std::fmt;

use url::Url;

use super::document::Fields;
use super::name::{SecretName, guid};

/// How the connector signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// As an application with a credential of its own (reference 2.2, 2.3).
    Application(Application),
    /// For one person, whose sign-in was completed before (reference 2.4, 2.6).
    Delegated(Delegated),
    /// With an access token that the platform keeps valid.
    AccessToken(SecretName),
}

/// An application and its credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The application (client) ID, a GUID in lower case.
    pub client_id: String,
    /// How it authenticates.
    pub credential: Credential,
    /// What the token is for; by default the environment and `/.default`.
    pub scope: Option<String>,
}

/// How an application authenticates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// By the client secret that this secret holds.
    Secret(SecretName),
    /// By an assertion signed with its private key.
    Certificate(Certificate),
    /// By an assertion of another identity provider, which this secret holds.
    Assertion(SecretName),
}

/// A certificate and what is signed with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The secret that holds certificate and private key as PEM.
    pub secret: SecretName,
    /// How assertions are signed.
    pub algorithm: Algorithm,
}

/// How assertions are signed (reference 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PSS with SHA-256; the certificate is named by its SHA-256 thumbprint.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256; the certificate is named by its SHA-1 thumbprint.
    Rs256,
}

/// One person, through an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegated {
    /// The application (client) ID, a GUID in lower case.
    pub client_id: String,
    /// The secret that holds the person's refresh token. Each renewal replaces it.
    pub refresh_token: SecretName,
    /// The secret that holds the client secret of a confidential application; a public one
    /// has none.
    pub secret: Option<SecretName>,
    /// What the token is for, without `offline_access`; by default the environment and
    /// `/user_impersonation`.
    pub scope: Option<String>,
}

impl Auth {
    /// The application (client) ID, if an application signs in.
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::Application(application) => Some(&application.client_id),
            Self::Delegated(delegated) => Some(&delegated.client_id),
            Self::AccessToken(_) => None,
        }
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let Some(kind) = fields.required_text("type", Kind::parse) else {
            // Without it, the other settings have no meaning.
            fields.ignore_rest();
            return None;
        };
        match kind {
            Kind::ClientSecret => application(fields, |fields| {
                let secret = fields.required_text("secret", SecretName::parse)?;
                Some(Credential::Secret(secret))
            }),
            Kind::Certificate => application(fields, |fields| {
                let secret = fields.required_text("certificate", SecretName::parse);
                let algorithm = fields.text("algorithm", Algorithm::parse);
                Some(Credential::Certificate(Certificate {
                    secret: secret?,
                    algorithm: algorithm.unwrap_or(Algorithm::Ps256),
                }))
            }),
            Kind::WorkloadIdentity => application(fields, |fields| {
                let assertion = fields.required_text("assertion", SecretName::parse)?;
                Some(Credential::Assertion(assertion))
            }),
            Kind::Delegated => delegated(fields).map(Self::Delegated),
            Kind::AccessToken => fields
                .required_text("token", SecretName::parse)
                .map(Self::AccessToken),
        }
    }
}

/// For messages: how the connector signs in, as the end of a sentence.
impl fmt::Display for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application(Application {
                client_id,
                credential,
                ..
            }) => {
                let (proof, secret) = match credential {
                    Credential::Secret(secret) => ("secret", secret),
                    Credential::Certificate(certificate) => ("certificate", &certificate.secret),
                    Credential::Assertion(secret) => ("assertion", secret),
                };
                write!(
                    f,
                    "as application {client_id} using {proof} \"{}\"",
                    secret.as_str()
                )
            }
            Self::Delegated(delegated) => write!(
                f,
                "on behalf of one person through application {} using refresh token \"{}\"",
                delegated.client_id,
                delegated.refresh_token.as_str()
            ),
            Self::AccessToken(secret) => {
                write!(f, "using access token \"{}\"", secret.as_str())
            }
        }
    }
}

enum Kind {
    ClientSecret,
    Certificate,
    WorkloadIdentity,
    Delegated,
    AccessToken,
}

impl Kind {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "client-secret" => Self::ClientSecret,
            "certificate" => Self::Certificate,
            "workload-identity" => Self::WorkloadIdentity,
            "delegated" => Self::Delegated,
            "access-token" => Self::AccessToken,
            _ => {
                return Err(
                    "must be \"client-secret\", \"certificate\", \"workload-identity\", \
                     \"delegated\" or \"access-token\""
                        .to_owned(),
                );
            }
        })
    }
}

impl Algorithm {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "PS256" => Ok(Self::Ps256),
            "RS256" => Ok(Self::Rs256),
            _ => Err("must be \"PS256\" or \"RS256\"".to_owned()),
        }
    }
}

fn application(
    fields: &mut Fields<'_>,
    credential: impl FnOnce(&mut Fields<'_>) -> Option<Credential>,
) -> Option<Auth> {
    let client_id = client_id(fields);
    let credential = credential(fields);
    let scope = fields.text("scope", application_scope);
    Some(Auth::Application(Application {
        client_id: client_id?,
        credential: credential?,
        scope,
    }))
}

fn delegated(fields: &mut Fields<'_>) -> Option<Delegated> {
    let client_id = client_id(fields);
    let refresh_token = fields.required_text("refreshToken", SecretName::parse);
    let secret = fields.text("secret", SecretName::parse);
    let scope = fields.text("scope", delegated_scope);
    if secret.is_some() && secret == refresh_token {
        fields.reject(
            "secret",
            "must be another secret than \"refreshToken\", which each renewal replaces",
        );
    }
    Some(Delegated {
        client_id: client_id?,
        refresh_token: refresh_token?,
        secret,
        scope,
    })
}

fn client_id(fields: &mut Fields<'_>) -> Option<String> {
    fields.required_text("clientId", |text| {
        guid(text).ok_or_else(|| {
            "must be the application (client) ID, a GUID such as \
             00001111-aaaa-2222-bbbb-3333cccc4444"
                .to_owned()
        })
    })
}

/// An application gets everything that was granted to it beforehand, so only `/.default` is valid.
fn application_scope(text: &str) -> Result<String, String> {
    let plain = text.chars().all(|c| c.is_ascii_graphic());
    if plain && text.ends_with("/.default") {
        Ok(text.to_owned())
    } else {
        Err("must end with /.default, such as https://contoso.crm.dynamics.com/.default".to_owned())
    }
}

/// One or more scopes; `offline_access` is always added.
fn delegated_scope(text: &str) -> Result<String, String> {
    let scopes: Vec<&str> = text
        .split_ascii_whitespace()
        .filter(|scope| *scope != "offline_access")
        .collect();
    if !scopes.is_empty() && scopes.iter().all(|scope| is_scope(scope)) {
        Ok(scopes.join(" "))
    } else {
        Err("must be one or more scopes separated by spaces, such as \
             https://contoso.crm.dynamics.com/user_impersonation"
            .to_owned())
    }
}

/// A word such as `openid`, or an address with a word at its end.
fn is_scope(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let address = || Url::parse(text).is_ok_and(|url| url.username().is_empty());
    text.chars().all(word) || (text.chars().all(|c| c.is_ascii_graphic()) && address())
}
