//! The origins that a connection may send requests to.

use std::fmt;

use url::Url;

use super::auth::Auth;
use super::authority::NamedAuthority;
use super::cloud::{CHINA, PUBLIC, US_GOVERNMENT, cloud_authority};
use super::environment::{EnvironmentUrl, is_loopback};

/// A set of origins. The port `*` stands for every port of a loopback host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Vec<Allowed>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    Exactly(String),
    /// Scheme and host of this machine; a local authority has a port of its own.
    AnyPort {
        scheme: String,
        host: String,
    },
}

impl Origins {
    /// The environment's origin, and the authority's: the one that is named, else those that
    /// its cloud uses. With a ready access token, no authority is needed.
    pub(super) fn of(
        environment: &EnvironmentUrl,
        authority: Option<&NamedAuthority>,
        auth: &Auth,
    ) -> Self {
        let mut origins = vec![Allowed::Exactly(environment.origin())];
        if matches!(auth, Auth::AccessToken(_)) {
            return Self(origins);
        }
        let mut add = |origin: Allowed| {
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        };
        match authority {
            Some(authority) => add(Allowed::Exactly(authority.origin())),
            None if environment.is_loopback() => add(Allowed::AnyPort {
                scheme: environment.url().scheme().to_owned(),
                host: environment.url().host_str().unwrap_or_default().to_owned(),
            }),
            None => match cloud_authority(environment) {
                Some(authority) => add(Allowed::Exactly(authority.to_owned())),
                None => [PUBLIC, US_GOVERNMENT, CHINA]
                    .into_iter()
                    .for_each(|authority| add(Allowed::Exactly(authority.to_owned()))),
            },
        }
        Self(origins)
    }

    /// Whether the address has one of these origins.
    pub fn allow(&self, url: &Url) -> bool {
        self.0.iter().any(|allowed| match allowed {
            Allowed::Exactly(origin) => url.origin().ascii_serialization() == *origin,
            Allowed::AnyPort { scheme, host } => {
                is_loopback(url) && url.scheme() == scheme && url.host_str() == Some(host)
            }
        })
    }

    pub(super) fn to_strings(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(origin) => f.write_str(origin),
            Self::AnyPort { scheme, host } => write!(f, "{scheme}://{host}:*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    const AUTH: &str = r#"{"type":"client-secret","clientId":"00001111-aaaa-2222-bbbb-3333cccc4444","secret":"s"}"#;

    fn settings(environment: &str, authority: Option<&str>, auth: &str) -> Origins {
        let authority = authority
            .map(|authority| format!(r#","authority":"{authority}""#))
            .unwrap_or_default();
        let document = format!(r#"{{"environment":"{environment}","auth":{auth}{authority}}}"#);
        Settings::parse(&document).unwrap().allowed_origins()
    }

    fn origins(environment: &str, authority: Option<&str>) -> Origins {
        settings(environment, authority, AUTH)
    }

    #[test]
    fn a_ready_access_token_needs_no_authority() {
        let ready = r#"{"type":"access-token","token":"t"}"#;
        for authority in [None, Some("https://login.contoso.com")] {
            assert_eq!(
                settings("https://crm.contoso.com/Sales", authority, ready).to_strings(),
                ["https://crm.contoso.com"]
            );
        }
    }

    #[test]
    fn an_ad_fs_server_counts_by_its_origin() {
        assert_eq!(
            origins(
                "https://crm.contoso.com",
                Some("https://adfs.contoso.com/adfs")
            )
            .to_strings(),
            ["https://crm.contoso.com", "https://adfs.contoso.com"]
        );
    }

    #[test]
    fn the_cloud_follows_from_the_host_name() {
        for (environment, authority) in [
            ("https://contoso.crm4.dynamics.com", PUBLIC),
            ("https://contoso.api.crm9.dynamics.com", PUBLIC),
            ("https://contoso.crm.microsoftdynamics.us", US_GOVERNMENT),
            ("https://contoso.crm.appsplatform.us", US_GOVERNMENT),
            ("https://contoso.crm.dynamics.cn", CHINA),
        ] {
            assert_eq!(
                origins(environment, None).to_strings(),
                [environment, authority]
            );
        }
        let elsewhere = "https://crm.contoso.com:444";
        assert_eq!(
            origins(elsewhere, None).to_strings(),
            [elsewhere, PUBLIC, US_GOVERNMENT, CHINA]
        );
        // A name that merely ends like a cloud's belongs to no cloud.
        assert_eq!(
            origins("https://evildynamics.com", None).to_strings().len(),
            4
        );
    }

    #[test]
    fn a_configured_authority_replaces_all_others() {
        let origins = origins(
            "https://contoso.crm.dynamics.com",
            Some("https://login.contoso.com:444/"),
        );
        assert_eq!(
            origins.to_strings(),
            [
                "https://contoso.crm.dynamics.com",
                "https://login.contoso.com:444"
            ]
        );
        assert!(!origins.allow(&Url::parse(PUBLIC).unwrap()));
    }

    #[test]
    fn a_local_environment_has_a_local_authority_on_any_port() {
        let origins = origins("http://127.0.0.1:8080", None);
        assert_eq!(
            origins.to_strings(),
            ["http://127.0.0.1:8080", "http://127.0.0.1:*"]
        );
        for (url, allowed) in [
            ("http://127.0.0.1:9/tenant", true),
            ("https://127.0.0.1:9/tenant", false),
            ("http://localhost:8080/", false),
            ("http://127.0.0.1.example.com/", false),
            (PUBLIC, false),
        ] {
            assert_eq!(origins.allow(&Url::parse(url).unwrap()), allowed, "{url}");
        }
    }
}
