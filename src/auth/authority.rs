//! Who issues the tokens: an authority and a tenant.
//!
//! The client secret is sent to whoever this names. So an authority that an environment names
//! counts only when the settings allow its origin anyway: a host of a Microsoft cloud, or this
//! machine for an environment on this machine.

use url::Url;

use super::challenge::{Challenge, Challenged};
use crate::error::{Error, ErrorKind};
use crate::settings::{Settings, Tenant, cloud_authority};

/// An authority's origin and a tenant of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    origin: Url,
    tenant: Tenant,
}

impl Authority {
    /// The authority, when the settings alone tell it.
    pub(super) fn from_settings(settings: &Settings) -> Option<Self> {
        let tenant = settings.tenant.clone()?;
        let origin = match &settings.authority {
            Some(origin) => origin.url().clone(),
            None => Url::parse(cloud_authority(&settings.environment)?).ok()?,
        };
        Some(Self { origin, tenant })
    }

    /// The authority that the environment names; what the settings name goes before it.
    pub(super) fn discovered(settings: &Settings, challenged: &Challenged) -> Result<Self, Error> {
        let challenge = match challenged {
            Challenged::Bearer(challenge) => challenge,
            other => return Err(no_challenge(settings, other)),
        };
        let origin = match &settings.authority {
            Some(origin) => origin.url().clone(),
            None => trusted_origin(settings, challenge)?,
        };
        let tenant = match &settings.tenant {
            Some(tenant) => tenant.clone(),
            None => named_tenant(settings, challenge)?,
        };
        Ok(Self { origin, tenant })
    }

    /// Where tokens are issued (version 2 of the endpoint).
    pub(super) fn token_endpoint(&self) -> Url {
        let mut url = self.origin.clone();
        url.set_path(&format!("{}/oauth2/v2.0/token", self.tenant.as_str()));
        url
    }

    /// The origin, for messages.
    pub(super) fn origin(&self) -> String {
        self.origin.origin().ascii_serialization()
    }

    pub(super) fn tenant(&self) -> &Tenant {
        &self.tenant
    }
}

fn no_challenge(settings: &Settings, answer: &Challenged) -> Error {
    let environment = &settings.environment;
    match answer {
        Challenged::Status(status @ (429 | 500..), _) => Error::new(
            ErrorKind::Unavailable,
            format!("{environment} is busy or failing (status {status}); try again later"),
        ),
        Challenged::Status(status, _) => Error::new(
            ErrorKind::NotFound,
            format!(
                "{environment} answers, but not as a Dataverse environment (status {status}); \
                 check \"environment\""
            ),
        ),
        _ => Error::new(
            ErrorKind::InvalidSettings,
            format!(
                "{environment} does not tell where to sign in; set \"tenant\", and \"authority\" \
                 if it is not in a Microsoft cloud"
            ),
        ),
    }
}

/// The public cloud's authority under its former name, which older environments still tell.
const FORMER_AUTHORITY: &str = "login.windows.net";
/// The name that has replaced it.
const AUTHORITY: &str = "login.microsoftonline.com";

fn trusted_origin(settings: &Settings, challenge: &Challenge) -> Result<Url, Error> {
    let mut named = challenge.authorization.clone();
    if named.host_str() == Some(FORMER_AUTHORITY) {
        // A name that could not be set would be left as it is, and not be trusted.
        let _ = named.set_host(Some(AUTHORITY));
    }
    let plain = named.username().is_empty() && named.password().is_none();
    if !plain || !settings.allowed_origins().allow(&named) {
        return Err(Error::new(
            ErrorKind::InvalidSettings,
            format!(
                "{} asks to sign in at {}, which is not trusted with the secret by itself; if \
                 it is right, set \"authority\" to it",
                settings.environment,
                challenge.authorization.origin().ascii_serialization()
            ),
        ));
    }
    named.set_path("");
    named.set_query(None);
    named.set_fragment(None);
    Ok(named)
}

fn named_tenant(settings: &Settings, challenge: &Challenge) -> Result<Tenant, Error> {
    let first = challenge
        .authorization
        .path_segments()
        .and_then(|mut segments| segments.next())
        .unwrap_or_default();
    if first.eq_ignore_ascii_case("adfs") {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "{} signs in at an AD FS server of its own, which this connector cannot do yet",
                settings.environment
            ),
        ));
    }
    Tenant::parse(first).map_err(|_| {
        Error::new(
            ErrorKind::InvalidSettings,
            format!(
                "{} does not tell its tenant, and an application signs in at one tenant only; \
                 set \"tenant\" to the directory's GUID or domain",
                settings.environment
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(environment: &str, more: &str) -> Settings {
        let auth = r#"{"type":"client-secret","clientId":"00001111-aaaa-2222-bbbb-3333cccc4444","secret":"s"}"#;
        Settings::parse(&format!(
            r#"{{"environment":"{environment}","auth":{auth}{more}}}"#
        ))
        .unwrap()
    }

    fn challenged(authorization: &str) -> Challenged {
        Challenged::Bearer(Challenge {
            authorization: Url::parse(authorization).unwrap(),
        })
    }

    fn endpoint(environment: &str, more: &str, authorization: &str) -> Result<String, Error> {
        let settings = settings(environment, more);
        let authority = match Authority::from_settings(&settings) {
            Some(authority) => authority,
            None => Authority::discovered(&settings, &challenged(authorization))?,
        };
        Ok(authority.token_endpoint().into())
    }

    const CLOUD: &str = "https://contoso.crm.dynamics.com";
    const LOCAL: &str = "http://127.0.0.1:8080";

    #[test]
    fn settings_go_before_the_challenge() {
        for (environment, more, authorization, expected) in [
            (
                CLOUD,
                "",
                "https://login.microsoftonline.com/t.example/oauth2/authorize",
                "https://login.microsoftonline.com/t.example/oauth2/v2.0/token",
            ),
            (
                CLOUD,
                "",
                "https://login.windows.net/t.example/oauth2/authorize",
                "https://login.microsoftonline.com/t.example/oauth2/v2.0/token",
            ),
            (
                CLOUD,
                r#","tenant":"T.example""#,
                "https://evil.example/x/oauth2/authorize",
                "https://login.microsoftonline.com/t.example/oauth2/v2.0/token",
            ),
            (
                CLOUD,
                r#","authority":"https://sts.example""#,
                "https://evil.example/t.example/a",
                "https://sts.example/t.example/oauth2/v2.0/token",
            ),
            (
                "https://crm.contoso.com",
                r#","tenant":"t.example""#,
                "https://login.microsoftonline.us/common/oauth2/authorize?x=y#z",
                "https://login.microsoftonline.us/t.example/oauth2/v2.0/token",
            ),
            (
                LOCAL,
                "",
                "http://127.0.0.1:9090/t.example/oauth2/authorize",
                "http://127.0.0.1:9090/t.example/oauth2/v2.0/token",
            ),
        ] {
            assert_eq!(
                endpoint(environment, more, authorization).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn the_secret_goes_to_no_stranger() {
        for (environment, authorization) in [
            (CLOUD, "https://evil.example/t.example/oauth2/authorize"),
            (
                CLOUD,
                "https://login.microsoftonline.com.evil.example/t.example/oauth2/authorize",
            ),
            (
                CLOUD,
                "https://login.microsoftonline.com@evil.example/t.example/oauth2/authorize",
            ),
            (
                CLOUD,
                "https://me@login.microsoftonline.com/t.example/oauth2/authorize",
            ),
            (
                CLOUD,
                "https://login.microsoftonline.com:444/t.example/oauth2/authorize",
            ),
            (
                CLOUD,
                "http://login.microsoftonline.com/t.example/oauth2/authorize",
            ),
            (
                CLOUD,
                "https://login.microsoftonline.us/t.example/oauth2/authorize",
            ),
            (
                "https://contoso.crm.dynamics.cn",
                "https://login.windows.net/t.example/oauth2/authorize",
            ),
            (CLOUD, "http://login.windows.net/t.example/oauth2/authorize"),
            (
                CLOUD,
                "https://login.windows.net:444/t.example/oauth2/authorize",
            ),
            (CLOUD, "http://127.0.0.1/t.example/oauth2/authorize"),
            (
                LOCAL,
                "https://login.microsoftonline.com/t.example/oauth2/authorize",
            ),
            (LOCAL, "http://localhost:8080/t.example/oauth2/authorize"),
        ] {
            let error = endpoint(environment, "", authorization).unwrap_err();
            assert!(
                error.message.contains("set \"authority\""),
                "{authorization}: {error}"
            );
        }
    }

    #[test]
    fn an_application_needs_one_tenant() {
        for (path, kind, words) in [
            (
                "common/oauth2/authorize",
                ErrorKind::InvalidSettings,
                "set \"tenant\"",
            ),
            (
                "organizations/oauth2/authorize",
                ErrorKind::InvalidSettings,
                "set \"tenant\"",
            ),
            ("", ErrorKind::InvalidSettings, "set \"tenant\""),
            (
                "a%2Fb/oauth2/authorize",
                ErrorKind::InvalidSettings,
                "set \"tenant\"",
            ),
            ("adfs/oauth2/authorize", ErrorKind::Unsupported, "AD FS"),
        ] {
            let error = endpoint(
                CLOUD,
                "",
                &format!("https://login.microsoftonline.com/{path}"),
            )
            .unwrap_err();
            assert_eq!(error.kind, kind, "{path}");
            assert!(error.message.contains(words), "{path}: {error}");
        }
    }
}
