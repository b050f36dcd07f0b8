//! The keys of connection strings, under all their names.

use crate::settings::document::nearest;

/// What a key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Environment,
    /// The type of sign-in.
    SignInType,
    ClientId,
    ClientSecret,
    Certificate,
    Assertion,
    RefreshToken,
    AccessToken,
    Tenant,
    Authority,
    /// The cloud, from which the authority follows.
    Cloud,
    Resource,
    Scope,
    CrmVersion,
    /// The redirect address; the caller that opens the browser passes it separately.
    Callback,
    /// A secret that cannot be used here.
    Password,
    /// What has no effect here: prompts, caches, the place of a certificate in a store of
    /// Windows.
    Ignored,
}

/// The first name is the one that messages use.
const NAMES: &[(Key, &[&str])] = &[
    (
        Key::Environment,
        &["Url", "ServiceUri", "Server", "OrganizationUrl"],
    ),
    (
        Key::SignInType,
        &["AuthType", "AuthScheme", "AuthenticationType"],
    ),
    (
        Key::ClientId,
        &["ClientId", "AppId", "ApplicationId", "OAuthClientId"],
    ),
    (
        Key::ClientSecret,
        &["ClientSecret", "Secret", "OAuthClientSecret"],
    ),
    (Key::Certificate, &["Certificate", "OAuthJWTCert"]),
    (Key::Assertion, &["Assertion", "ClientAssertion"]),
    (Key::RefreshToken, &["RefreshToken", "OAuthRefreshToken"]),
    (Key::AccessToken, &["AccessToken", "OAuthAccessToken"]),
    (Key::Tenant, &["AzureTenant", "Tenant", "TenantId"]),
    (Key::Authority, &["Authority"]),
    (Key::Cloud, &["AzureEnvironment"]),
    (Key::Resource, &["Resource", "AzureResource"]),
    (Key::Scope, &["Scope"]),
    (Key::CrmVersion, &["CRMVersion"]),
    (Key::Callback, &["CallbackURL", "RedirectUri", "ReplyUrl"]),
    (
        Key::Password,
        &["Password", "Pwd", "OAuthJWTCertPassword", "OAuthVerifier"],
    ),
    (
        Key::Ignored,
        &[
            "LoginPrompt",
            "TokenCacheStorePath",
            "RequireNewInstance",
            "SkipDiscovery",
            "InitiateOAuth",
            "OAuthSettingsLocation",
            "OAuthGrantType",
            "UserName",
            "UserId",
            "User",
            "LoginHint",
            "Thumbprint",
            "CertThumbprint",
            "CertificateThumbprint",
            "StoreName",
            "CertStoreName",
            "CertificateStoreName",
            "OAuthJWTCertType",
            "OAuthJWTCertSubject",
        ],
    ),
];

impl Key {
    /// The key of this name; case, spaces and underscores do not matter.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = plain(name);
        NAMES
            .iter()
            .find(|(_, names)| names.iter().any(|known| plain(known) == name))
            .map(|(key, _)| *key)
    }

    /// The name that messages use.
    pub(super) fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(key, _)| *key == self)
            .and_then(|(_, names)| names.first())
            .copied()
            .unwrap_or_default()
    }

    /// Whether a value of it is a secret.
    pub(super) fn is_secret(self) -> bool {
        matches!(
            self,
            Self::ClientSecret
                | Self::Certificate
                | Self::Assertion
                | Self::RefreshToken
                | Self::AccessToken
                | Self::Password
        )
    }

    /// The known name that is most similar.
    pub(super) fn suggestion(name: &str) -> Option<&'static str> {
        let names: Vec<&'static str> = NAMES
            .iter()
            .flat_map(|(_, names)| names.iter().copied())
            .collect();
        nearest(name, &names)
    }
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, ' ' | '_'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}
