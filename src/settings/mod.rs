//! One typed description of a connection, read from JSON or from a connection string.

mod auth;
mod authority;
mod cloud;
mod connection_string;
mod document;
mod environment;
mod name;
mod origins;
mod parse;
mod purpose;
mod schema;

use std::time::Duration;

pub use auth::{Algorithm, Application, Auth, Certificate, Credential, Delegated};
pub use authority::NamedAuthority;
pub(crate) use cloud::cloud_authority;
pub(crate) use environment::is_loopback;
pub use environment::{ApiVersion, EnvironmentUrl};
pub use name::{SecretName, Tenant};
pub use origins::Origins;

pub use purpose::{Profile, Purpose, WriteOperation};

use crate::error::Error;

/// All settings of a connection, except the values of its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The address of the environment.
    pub environment: EnvironmentUrl,
    /// The version of the Web API; otherwise the newest that the environment supports.
    pub api_version: Option<ApiVersion>,
    /// The directory that holds the application, when it is named.
    pub tenant: Option<Tenant>,
    /// The authority that issues tokens, when it is named.
    pub authority: Option<NamedAuthority>,
    /// The audience of tokens, where it is not the environment's address.
    pub resource: Option<String>,
    /// How the connector signs in.
    pub auth: Auth,
    /// What the connection is for.
    pub purpose: Purpose,
    /// How long calls may be retried.
    pub retry: RetrySettings,
    /// How much is requested at once.
    pub limits: Limits,
}

impl Settings {
    /// Reads settings from a JSON document or from a connection string.
    ///
    /// # Errors
    /// `InvalidSettings`, naming every fault that was found and where.
    pub fn parse(text: &str) -> Result<Self, Error> {
        parse::parse(text)
    }

    /// The JSON Schema (2020-12) of the settings.
    pub fn schema() -> &'static str {
        schema::SCHEMA
    }

    /// The only origins that a connection with these settings ever sends requests to.
    pub fn origins(&self) -> Vec<String> {
        self.allowed_origins().to_strings()
    }

    /// The same origins as [`origins`](Self::origins), to compare addresses with.
    pub fn allowed_origins(&self) -> Origins {
        Origins::of(&self.environment, self.authority.as_ref(), &self.auth)
    }
}

/// How long calls may be retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySettings {
    /// How long one call may spend on failed attempts and on the pauses between them.
    pub max_wait: Duration,
}

/// How much the connector requests at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long to wait for the next byte of a response.
    pub request_timeout: Duration,
    /// Rows per page, from 1 to 5,000.
    pub page_size: u32,
    /// Requests in flight at once, whatever the service recommends.
    pub max_concurrency: usize,
    /// For how many days the environment keeps changes of tracked tables; otherwise it is read from
    /// the environment (reference §6.5).
    pub change_retention_days: Option<u32>,
}
