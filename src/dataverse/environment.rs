//! An environment's Web API: its address and version.

use url::Url;

use crate::settings::{ApiVersion, EnvironmentUrl, Settings};

/// The Web API of one environment at one version (reference 1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    address: EnvironmentUrl,
    version: ApiVersion,
    root: Url,
    identity: String,
}

impl Environment {
    /// The environment at the version that the settings name, else at the current one.
    pub(crate) fn of(settings: &Settings) -> Self {
        let version = settings.api_version.unwrap_or(ApiVersion::CURRENT);
        Self::new(&settings.environment, version)
    }

    pub(super) fn new(address: &EnvironmentUrl, version: ApiVersion) -> Self {
        let mut root = address.url().clone();
        let organization = root.path().trim_end_matches('/').to_owned();
        root.set_path(&format!("{organization}/api/data/v{version}/"));
        Self {
            address: address.clone(),
            version,
            identity: root.to_string(),
            root,
        }
    }

    /// The same environment at another version, with the same identity.
    pub(super) fn at(&self, version: ApiVersion) -> Self {
        Self {
            identity: self.identity.clone(),
            ..Self::new(&self.address, version)
        }
    }

    /// The version of the Web API.
    pub fn version(&self) -> ApiVersion {
        self.version
    }

    /// The environment's address, without a slash at its end.
    pub fn address(&self) -> &str {
        self.address.as_str()
    }

    /// Scheme, host and port: the audience of tokens, and the only origin that they are sent to.
    pub fn origin(&self) -> String {
        self.address.origin()
    }

    /// The root of the Web API, with a slash at its end.
    pub fn api_root(&self) -> &Url {
        &self.root
    }

    /// The environment and its configured version as normalized text, to bind checkpoints to.
    pub fn identity(&self) -> &str {
        &self.identity
    }
}
