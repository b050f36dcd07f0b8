//! Who is in the directory: tenants, applications, people, and what they have agreed to.

use uuid::Uuid;

use super::{certificate::Certificate, error::EntraError, federation::FederatedCredential};

/// A directory of applications and people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The directory's identifier.
    pub id: Uuid,
    /// The organization's name, as the pages show it.
    pub name: String,
    /// Domain names that may stand for the identifier.
    pub domains: Vec<String>,
}

impl Tenant {
    fn is_called(&self, name: &str) -> bool {
        Uuid::try_parse(name).is_ok_and(|id| id == self.id)
            || self
                .domains
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
    }
}

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
    /// Issuers of assertions that stand for a secret.
    pub federated_credentials: Vec<FederatedCredential>,
    /// Where browsers may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// Whether it may use the device code flow, for which it needs no secret
    /// ("Allow public client flows").
    pub public_client: bool,
    /// Whether people of other tenants may sign in.
    pub multi_tenant: bool,
    /// Whether tokens are refused.
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
    pub(super) fn platform_of(&self, redirect_uri: &str) -> Option<Platform> {
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

/// A person of a tenant.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The object identifier, the token's `oid`.
    pub id: Uuid,
    /// The person's home.
    pub tenant: Uuid,
    /// The name to sign in with, such as `ada@example.com`.
    pub user_principal_name: String,
    /// The name to show.
    pub name: String,
    /// The password; never shown by `Debug`.
    pub password: String,
    /// Whether the person may consent for everybody.
    pub administrator: bool,
    /// Whether sign-in is refused (AADSTS50057).
    pub disabled: bool,
    /// Whether a policy blocks the person (AADSTS53003).
    pub blocked: bool,
    /// The verification code that signing in takes besides the password.
    pub verification_code: Option<String>,
    /// Grants of an earlier generation are revoked (AADSTS50173).
    pub(super) generation: u64,
    /// When the generation began, in seconds since 1970.
    pub(super) valid_from: i64,
}

impl Person {
    /// Somebody who may sign in with this password and is no administrator.
    pub fn new(
        id: Uuid,
        tenant: Uuid,
        user_principal_name: impl Into<String>,
        name: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        Self {
            id,
            tenant,
            user_principal_name: user_principal_name.into(),
            name: name.into(),
            password: password.into(),
            administrator: false,
            disabled: false,
            blocked: false,
            verification_code: None,
            generation: 0,
            valid_from: 0,
        }
    }

    /// Takes back every grant the person has given so far.
    pub(crate) fn revoke_grants(&mut self, now: i64) {
        self.generation += 1;
        self.valid_from = now;
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person")
            .field("id", &self.id)
            .field("user_principal_name", &self.user_principal_name)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

/// That an application may act for a person, or for everybody of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Consent {
    client_id: Uuid,
    tenant: Uuid,
    /// `None` for everybody.
    person: Option<Uuid>,
}

/// All the authority knows.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub(super) tenants: Vec<Tenant>,
    pub(super) applications: Vec<Application>,
    pub(super) people: Vec<Person>,
    consents: Vec<Consent>,
    /// Whether people who are no administrators must ask one for consent.
    pub(super) consent_takes_administrator: bool,
    /// The tenant whose environment this is, and the origins tokens are issued for.
    pub(super) home: Uuid,
    pub(super) resources: Vec<String>,
}

impl Directory {
    /// A directory of these tenants, the first of which is the environment's.
    pub(super) fn of(tenants: Vec<Tenant>) -> Self {
        Self {
            home: tenants.first().map_or(Uuid::nil(), |tenant| tenant.id),
            tenants,
            ..Self::default()
        }
    }

    pub(super) fn tenant(&self, name: &str) -> Result<Uuid, EntraError> {
        let mut tenants = self.tenants.iter();
        tenants
            .find(|tenant| tenant.is_called(name))
            .map(|tenant| tenant.id)
            .ok_or_else(|| EntraError::unknown_tenant(name))
    }

    pub(super) fn tenant_name(&self, id: Uuid) -> String {
        let mut tenants = self.tenants.iter();
        tenants
            .find(|tenant| tenant.id == id)
            .map_or_else(|| id.to_string(), |tenant| tenant.name.clone())
    }

    /// The application, wherever it is registered.
    pub(super) fn registration(&self, client_id: &str) -> Option<&Application> {
        let id = Uuid::try_parse(client_id).ok()?;
        self.applications.iter().find(|app| app.client_id == id)
    }

    /// The application as this tenant knows it: its home does, and others after somebody there
    /// has consented to it.
    pub(super) fn application(
        &self,
        client_id: &str,
        tenant: Uuid,
    ) -> Result<&Application, EntraError> {
        let found = self.registration(client_id).filter(|app| {
            let known =
                |consent: &Consent| consent.client_id == app.client_id && consent.tenant == tenant;
            app.tenant == tenant || app.multi_tenant && self.consents.iter().any(known)
        });
        enabled(
            found.ok_or_else(|| {
                EntraError::unknown_application(client_id, &self.tenant_name(tenant))
            })?,
        )
    }

    /// The application for people of this tenant to sign in to; without a tenant, for people of
    /// any (AADSTS50194).
    pub(super) fn application_for_people(
        &self,
        client_id: &str,
        tenant: Option<Uuid>,
    ) -> Result<&Application, EntraError> {
        let found = self
            .registration(client_id)
            .filter(|app| app.multi_tenant || tenant.is_none_or(|tenant| app.tenant == tenant));
        let directory = tenant.unwrap_or(self.home);
        let application = found.ok_or_else(|| {
            EntraError::unknown_application(client_id, &self.tenant_name(directory))
        })?;
        if tenant.is_none() && !application.multi_tenant {
            return Err(EntraError::single_tenant(application));
        }
        enabled(application)
    }

    pub(super) fn person(&self, id: Uuid) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    pub(super) fn person_called(&self, user_principal_name: &str) -> Option<&Person> {
        let mut people = self.people.iter();
        people.find(|person| {
            person
                .user_principal_name
                .eq_ignore_ascii_case(user_principal_name.trim())
        })
    }

    /// Whether tokens for this resource are issued in the tenant.
    pub(super) fn require_resource(&self, audience: &str, tenant: Uuid) -> Result<(), EntraError> {
        let known = audience == super::scope::GRAPH
            || tenant == self.home && self.resources.contains(&normal_origin(audience));
        if known {
            Ok(())
        } else {
            Err(EntraError::unknown_resource(
                audience,
                &self.tenant_name(tenant),
            ))
        }
    }

    pub(super) fn has_consent(&self, client_id: Uuid, person: &Person) -> bool {
        self.consents.iter().any(|consent| {
            consent.client_id == client_id
                && consent.tenant == person.tenant
                && consent.person.is_none_or(|who| who == person.id)
        })
    }

    pub(super) fn consent(&mut self, client_id: Uuid, tenant: Uuid, person: Option<Uuid>) {
        let consent = Consent {
            client_id,
            tenant,
            person,
        };
        if !self.consents.contains(&consent) {
            self.consents.push(consent);
        }
    }

    pub(super) fn withdraw_consent(&mut self, client_id: Uuid) {
        self.consents
            .retain(|consent| consent.client_id != client_id);
    }
}

fn enabled(application: &Application) -> Result<&Application, EntraError> {
    if application.disabled {
        return Err(EntraError::disabled_application(application));
    }
    Ok(application)
}

/// An origin without trailing slashes, lower-case: both `https://org/` and `https://org` name it.
pub(super) fn normal_origin(url: &str) -> String {
    url.trim_end_matches('/').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_addresses_match_whatever_the_port() {
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
