//! One typed description of a connection, read from JSON.

mod document;
mod environment;
mod origins;
mod parse;
mod purpose;

use std::time::Duration;

pub use environment::{ApiVersion, EnvironmentUrl};
pub(crate) use origins::cloud_authority;
pub use origins::{Origin, Origins};
pub use purpose::{Profile, Purpose, WriteOperation};

use crate::error::Error;

/// All that a connection needs to know, except the values of its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the environment answers.
    pub environment: EnvironmentUrl,
    /// The version of the Web API that is spoken.
    pub api_version: ApiVersion,
    /// The directory that holds the application, when it is named.
    pub tenant: Option<Tenant>,
    /// Who issues tokens, when it is named.
    pub authority: Option<Origin>,
    /// How the connector signs in.
    pub auth: Auth,
    /// What the connection is for.
    pub purpose: Purpose,
    /// How long it is patient.
    pub retry: RetrySettings,
    /// How much it asks for at once.
    pub limits: Limits,
}

impl Settings {
    /// Reads settings from a JSON document.
    ///
    /// # Errors
    /// `InvalidSettings`, naming every fault that was found and where.
    pub fn parse(json: &str) -> Result<Self, Error> {
        parse::parse(json)
    }

    /// The JSON Schema (2020-12) of the settings.
    pub fn schema() -> &'static str {
        include_str!("schema.json")
    }

    /// The only origins that a connection with these settings ever asks for.
    pub fn origins(&self) -> Vec<String> {
        self.allowed_origins().to_strings()
    }

    /// The same origins, to hold an address against.
    pub fn allowed_origins(&self) -> Origins {
        Origins::of(&self.environment, self.authority.as_ref())
    }
}

/// A directory of Microsoft Entra ID: a GUID or one of its domain names, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant(String);

impl Tenant {
    /// Reads a GUID or a domain.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parse::tenant(text)
    }

    /// As it stands in the path of a token endpoint.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How the connector signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// As an application, with a client secret (reference 2.2).
    ClientSecret(ClientSecret),
}

/// An application and its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSecret {
    /// The application (client) ID, a GUID in lower case.
    pub client_id: String,
    /// The secret that holds the client secret's value.
    pub secret: SecretName,
    /// What the token is for; by default the environment's origin and `/.default`.
    pub scope: Option<String>,
}

/// The name of a secret in the host's store; never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName(String);

impl SecretName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How long the connector is patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySettings {
    /// How long one call may spend on failed attempts and on the pauses between them.
    pub max_wait: Duration,
}

/// How much the connector asks for at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long one answer may stay silent.
    pub request_timeout: Duration,
    /// Rows per page, from 1 to 5,000.
    pub page_size: u32,
    /// Requests in flight at once, whatever the service recommends.
    pub max_concurrency: usize,
}
