//! The authority and tenant that issue the tokens.
//!
//! The client secret is sent to them. So an authority that an environment names is used only if
//! the settings allow its origin anyway: a host of a Microsoft cloud, or this machine for an
//! environment on this machine.

use url::Url;

use super::challenge::{Challenge, Challenged};
use crate::error::{Error, ErrorKind};
use crate::settings::{
    Application, Auth, Delegated, NamedAuthority, Settings, Tenant, cloud_authority,
};

/// The authority that issues the tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// Microsoft Entra: an origin and a directory of it.
    Entra { origin: Url, directory: Directory },
    /// An AD FS server: the base of its endpoints, whose path is `/adfs` (reference 1.5).
    AdFs { base: Url },
}

/// The directory in which an account is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Directory {
    One(Tenant),
    /// The one that the person belongs to; this is possible only for a person.
    Organizations,
}

impl Authority {
    /// The authority, if the settings alone determine it.
    pub(super) fn from_settings(settings: &Settings) -> Option<Self> {
        let origin = match &settings.authority {
            Some(NamedAuthority::AdFs(base)) => return Some(Self::AdFs { base: base.clone() }),
            Some(NamedAuthority::Entra(origin)) => Some(origin.clone()),
            None => None,
        };
        let tenant = settings.tenant.clone()?;
        let origin = match origin {
            Some(origin) => origin,
            None => Url::parse(cloud_authority(&settings.environment)?).ok()?,
        };
        Some(Self::Entra {
            origin,
            directory: Directory::One(tenant),
        })
    }

    /// The authority that the environment names; what the settings name takes precedence.
    pub(super) fn discovered(settings: &Settings, challenged: &Challenged) -> Result<Self, Error> {
        let challenge = match challenged {
            Challenged::Bearer(challenge) => challenge,
            other => return Err(no_challenge(settings, other)),
        };
        let origin = match &settings.authority {
            Some(NamedAuthority::AdFs(base)) => return Ok(Self::AdFs { base: base.clone() }),
            Some(NamedAuthority::Entra(origin)) => origin.clone(),
            None => trusted_origin(settings, challenge)?,
        };
        if let Some(tenant) = &settings.tenant {
            return Ok(Self::Entra {
                origin,
                directory: Directory::One(tenant.clone()),
            });
        }
        if is_ad_fs(challenge) {
            let mut base = origin;
            base.set_path("/adfs");
            return Ok(Self::AdFs { base });
        }
        Ok(Self::Entra {
            origin,
            directory: named_directory(settings, challenge)?,
        })
    }

    /// Where tokens are issued.
    pub(super) fn token_endpoint(&self) -> Url {
        self.endpoint("oauth2/v2.0/token", "oauth2/token")
    }

    /// The page on which a person signs in.
    pub(super) fn authorization_endpoint(&self) -> Url {
        self.endpoint("oauth2/v2.0/authorize", "oauth2/authorize")
    }

    /// Where codes for other devices are issued.
    pub(super) fn device_endpoint(&self) -> Url {
        self.endpoint("oauth2/v2.0/devicecode", "oauth2/devicecode")
    }

    /// The page on which an administrator consents; AD FS has none.
    pub(super) fn consent_endpoint(&self) -> Option<Url> {
        match self {
            Self::Entra { .. } => Some(self.endpoint("v2.0/adminconsent", "")),
            Self::AdFs { .. } => None,
        }
    }

    fn endpoint(&self, of_entra: &str, of_ad_fs: &str) -> Url {
        let (mut url, path) = match self {
            Self::Entra { origin, .. } => (origin.clone(), format!("{}/{of_entra}", self.tenant())),
            Self::AdFs { base } => (base.clone(), format!("{}/{of_ad_fs}", base.path())),
        };
        url.set_path(&path);
        url
    }

    /// The parameters for the audience of an application's token (reference 2.1; version 1 of
    /// the endpoints names a resource instead of a scope).
    pub(super) fn audience_of_application(
        &self,
        settings: &Settings,
        application: &Application,
    ) -> Vec<(&'static str, String)> {
        match self {
            Self::Entra { .. } => {
                vec![("scope", whole_scope(settings))]
            }
            Self::AdFs { .. } => {
                let scope = application.scope.clone().map(|scope| ("scope", scope));
                [("resource", ad_fs_resource(settings))]
                    .into_iter()
                    .chain(scope)
                    .collect()
            }
        }
    }

    /// The parameters for the audience of a person's token; without `offline_access` Entra issues
    /// no refresh token.
    pub(super) fn audience_of_person(
        &self,
        settings: &Settings,
        delegated: &Delegated,
    ) -> Vec<(&'static str, String)> {
        let scope = delegated.scope.clone();
        match self {
            Self::Entra { .. } => {
                let scope =
                    scope.unwrap_or_else(|| format!("{}/user_impersonation", resource(settings)));
                vec![("scope", format!("{scope} offline_access"))]
            }
            Self::AdFs { .. } => [("resource", ad_fs_resource(settings))]
                .into_iter()
                .chain(scope.map(|scope| ("scope", scope)))
                .collect(),
        }
    }

    /// The origin, for messages.
    pub(super) fn origin(&self) -> String {
        let (Self::Entra { origin: url, .. } | Self::AdFs { base: url }) = self;
        url.origin().ascii_serialization()
    }

    /// The directory, as in the path of an endpoint.
    pub(super) fn tenant(&self) -> &str {
        match self {
            Self::Entra {
                directory: Directory::One(tenant),
                ..
            } => tenant.as_str(),
            Self::Entra {
                directory: Directory::Organizations,
                ..
            } => "organizations",
            Self::AdFs { .. } => "adfs",
        }
    }
}

/// The scope for everything that was granted to the application beforehand.
pub(super) fn whole_scope(settings: &Settings) -> String {
    match &settings.auth {
        Auth::Application(Application {
            scope: Some(scope), ..
        }) => scope.clone(),
        _ => format!("{}/.default", resource(settings)),
    }
}

/// The audience of tokens: that of the settings, never one that the environment names. An
/// environment could otherwise obtain a token that another one accepts.
fn resource(settings: &Settings) -> String {
    match &settings.resource {
        Some(resource) => resource.trim_end_matches('/').to_owned(),
        None => settings.environment.origin(),
    }
}

/// AD FS compares the resource exactly; servers on premises register theirs with a slash at the
/// end.
fn ad_fs_resource(settings: &Settings) -> String {
    match &settings.resource {
        Some(resource) => resource.clone(),
        None => format!("{}/", settings.environment),
    }
}

fn no_challenge(settings: &Settings, challenged: &Challenged) -> Error {
    let environment = &settings.environment;
    match challenged {
        Challenged::Status(status @ (429 | 500..), _) => Error::new(
            ErrorKind::Unavailable,
            format!("{environment} is busy or failing (status {status}); try again later"),
        ),
        Challenged::Status(status, _) => Error::new(
            ErrorKind::NotFound,
            format!(
                "{environment} does not respond like a Dataverse environment (status {status}); \
                 check \"environment\" and \"apiVersion\""
            ),
        ),
        _ => Error::new(
            ErrorKind::InvalidSettings,
            format!(
                "{environment} does not say where to sign in; set \"tenant\", and \"authority\" \
                 if it is not in a Microsoft cloud"
            ),
        ),
    }
}

/// The public cloud's authority under its former name, which older environments still use.
const FORMER_AUTHORITY: &str = "login.windows.net";
/// The name that has replaced it.
const AUTHORITY: &str = "login.microsoftonline.com";

fn trusted_origin(settings: &Settings, challenge: &Challenge) -> Result<Url, Error> {
    let mut named = challenge.authorization.clone();
    if named.host_str() == Some(FORMER_AUTHORITY) {
        // If the name cannot be set, the former one stays, which is not trusted.
        let _ = named.set_host(Some(AUTHORITY));
    }
    let plain = named.username().is_empty() && named.password().is_none();
    if !plain || !settings.allowed_origins().allow(&named) {
        return Err(Error::new(
            ErrorKind::InvalidSettings,
            format!(
                "{} names the authority {}{}, which is not a known one; if it is right, set \
                \"authority\" to it",
                settings.environment,
                challenge.authorization.origin().ascii_serialization(),
                if is_ad_fs(challenge) { "/adfs" } else { "" }
            ),
        ));
    }
    named.set_path("");
    named.set_query(None);
    named.set_fragment(None);
    Ok(named)
}

fn first_segment(challenge: &Challenge) -> &str {
    challenge
        .authorization
        .path_segments()
        .and_then(|mut segments| segments.next())
        .unwrap_or_default()
}

fn is_ad_fs(challenge: &Challenge) -> bool {
    first_segment(challenge).eq_ignore_ascii_case("adfs")
}

fn named_directory(settings: &Settings, challenge: &Challenge) -> Result<Directory, Error> {
    let name = first_segment(challenge);
    let any = matches!(
        name.to_ascii_lowercase().as_str(),
        "common" | "organizations"
    );
    if any && matches!(settings.auth, Auth::Delegated(_)) {
        return Ok(Directory::Organizations);
    }
    Tenant::parse(name).map(Directory::One).map_err(|_| {
        Error::new(
            ErrorKind::InvalidSettings,
            format!(
                "{} does not name its tenant, and an application signs in to one tenant only; \
                 set \"tenant\" to the directory's GUID or domain",
                settings.environment
            ),
        )
    })
}

#[cfg(test)]
mod tests;
