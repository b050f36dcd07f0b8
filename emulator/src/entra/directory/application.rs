//! Applications and how they are registered.

use uuid::Uuid;

use super::{certificate::Certificate, federation::FederatedCredential};

/// An application registered in a tenant.
#[derive(Debug, Clone)]
pub struct Application {
    /// The application's (client) identifier.
    pub client_id: Uuid,
    /// The tenant it is registered in.
    pub tenant: Uuid,
    /// The service principal's object identifier, the token's `oid`.
    pub object_id: Uuid,
    /// The application's name.
    pub name: String,
    /// Its client secrets.
    pub secrets: Vec<ClientSecret>,
    /// Its certificates.
    pub certificates: Vec<Certificate>,
    /// Issuers of assertions used instead of a secret.
    pub federated_credentials: Vec<FederatedCredential>,
    /// Where browsers may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// Whether it may use the device code flow, for which it needs no secret
    /// ("Allow public client flows").
    pub public_client: bool,
    /// Whether people of other tenants may sign in.
    pub multi_tenant: bool,
    /// Whether tokens are rejected.
    pub disabled: bool,
}

impl Application {
    /// An application without credentials and redirect URIs.
    pub fn new(client_id: Uuid, tenant: Uuid, name: impl Into<String>) -> Self {
        Self {
            client_id,
            tenant,
            object_id: crate::schema::metadata_id(&["service principal", &client_id.to_string()]),
            name: name.into(),
            secrets: Vec::new(),
            certificates: Vec::new(),
            federated_credentials: Vec::new(),
            redirect_uris: Vec::new(),
            public_client: false,
            multi_tenant: false,
            disabled: false,
        }
    }

    /// The platform of the registered redirect URI that this one matches. The port of a loopback
    /// address is left open, as it is in Entra.
    pub(in crate::entra) fn platform_of(&self, redirect_uri: &str) -> Option<Platform> {
        let mut registered = self.redirect_uris.iter();
        registered
            .find(|known| known.uri == redirect_uri || same_loopback(&known.uri, redirect_uri))
            .map(|known| known.platform)
    }
}

fn same_loopback(registered: &str, given: &str) -> bool {
    let (Ok(mut registered), Ok(mut given)) = (url::Url::parse(registered), url::Url::parse(given))
    else {
        return false;
    };
    let loopback = |url: &url::Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
    if registered.scheme() != "http" || !loopback(&registered) {
        return false;
    }
    registered.set_port(None).is_ok() && given.set_port(None).is_ok() && registered == given
}

/// A redirect URI and the kind of application behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri {
    /// The URI.
    pub uri: String,
    /// The kind of application.
    pub platform: Platform,
}

/// What kind of application a redirect URI leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// A web application: a confidential client, which has a credential.
    Web,
    /// A mobile or desktop application: a public client, which has none.
    Native,
}

/// A client secret. Its value is never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret {
    value: String,
    /// When it stops working, in seconds since 1970; `None` for never.
    pub expires: Option<i64>,
}

impl ClientSecret {
    /// A secret that does not expire.
    pub fn new(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            expires: None,
        }
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.value
    }
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientSecret(redacted, expires: {:?})", self.expires)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_redirect_uris_match_with_any_port() {
        let mut application = Application::new(Uuid::from_u128(1), Uuid::from_u128(2), "App");
        application.redirect_uris = [
            ("http://localhost", Platform::Native),
            ("https://app.example/callback", Platform::Web),
        ]
        .map(|(uri, platform)| RedirectUri {
            uri: uri.to_owned(),
            platform,
        })
        .to_vec();
        for (given, expected) in [
            ("http://localhost:33333", Some(Platform::Native)),
            ("http://localhost:33333/", Some(Platform::Native)),
            ("http://localhost:33333/callback", None),
            ("https://localhost", None),
            ("http://localhost.evil.example", None),
            ("https://app.example/callback", Some(Platform::Web)),
            ("https://app.example:8443/callback", None),
            ("https://app.example/callback/", None),
        ] {
            assert_eq!(application.platform_of(given), expected, "{given}");
        }
    }
}
