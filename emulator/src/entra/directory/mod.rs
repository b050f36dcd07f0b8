//! Who is in the directory: tenants, applications, people, and what they have agreed to.

pub(in crate::entra) mod application;
pub(in crate::entra) mod certificate;
pub(in crate::entra) mod federation;
pub(in crate::entra) mod person;

use uuid::Uuid;

use self::{application::Application, person::Person};
use crate::entra::error::EntraError;

/// A directory of applications and people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The directory's identifier.
    pub id: Uuid,
    /// The organization's name, as the pages show it.
    pub name: String,
    /// Domain names that may be used instead of the identifier.
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

/// That an application may act for a person, or for all people of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::entra) struct Consent {
    client_id: Uuid,
    tenant: Uuid,
    /// `None` for all people.
    person: Option<Uuid>,
}

/// Everything registered with the authority.
#[derive(Debug, Default)]
pub(in crate::entra) struct Directory {
    pub(in crate::entra) tenants: Vec<Tenant>,
    pub(in crate::entra) applications: Vec<Application>,
    pub(in crate::entra) people: Vec<Person>,
    consents: Vec<Consent>,
    /// Whether only administrators may consent.
    pub(in crate::entra) consent_takes_administrator: bool,
    /// The tenant whose environment this is, and the origins tokens are issued for.
    pub(in crate::entra) home: Uuid,
    pub(in crate::entra) resources: Vec<String>,
}

impl Directory {
    /// A directory of these tenants, the first of which is the environment's.
    pub(in crate::entra) fn of(tenants: Vec<Tenant>) -> Self {
        Self {
            home: tenants.first().map_or(Uuid::nil(), |tenant| tenant.id),
            tenants,
            ..Self::default()
        }
    }

    pub(in crate::entra) fn tenant(&self, name: &str) -> Result<Uuid, EntraError> {
        let mut tenants = self.tenants.iter();
        tenants
            .find(|tenant| tenant.is_called(name))
            .map(|tenant| tenant.id)
            .ok_or_else(|| EntraError::unknown_tenant(name))
    }

    pub(in crate::entra) fn tenant_name(&self, id: Uuid) -> String {
        let mut tenants = self.tenants.iter();
        tenants
            .find(|tenant| tenant.id == id)
            .map_or_else(|| id.to_string(), |tenant| tenant.name.clone())
    }

    /// The application, wherever it is registered.
    pub(in crate::entra) fn registration(&self, client_id: &str) -> Option<&Application> {
        let id = Uuid::try_parse(client_id).ok()?;
        self.applications.iter().find(|app| app.client_id == id)
    }

    /// The application as this tenant knows it: its home does, and others after a person there
    /// has consented to it.
    pub(in crate::entra) fn application(
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
    pub(in crate::entra) fn application_for_people(
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
            return Err(EntraError::single_tenant(
                application.client_id,
                &application.name,
            ));
        }
        enabled(application)
    }

    pub(in crate::entra) fn person(&self, id: Uuid) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    pub(in crate::entra) fn person_called(&self, user_principal_name: &str) -> Option<&Person> {
        let mut people = self.people.iter();
        people.find(|person| {
            person
                .user_principal_name
                .eq_ignore_ascii_case(user_principal_name.trim())
        })
    }

    /// Whether tokens for this resource are issued in the tenant.
    pub(in crate::entra) fn require_resource(
        &self,
        audience: &str,
        tenant: Uuid,
    ) -> Result<(), EntraError> {
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

    pub(in crate::entra) fn has_consent(&self, client_id: Uuid, person: &Person) -> bool {
        self.consents.iter().any(|consent| {
            consent.client_id == client_id
                && consent.tenant == person.tenant
                && consent.person.is_none_or(|who| who == person.id)
        })
    }

    pub(in crate::entra) fn consent(
        &mut self,
        client_id: Uuid,
        tenant: Uuid,
        person: Option<Uuid>,
    ) {
        let consent = Consent {
            client_id,
            tenant,
            person,
        };
        if !self.consents.contains(&consent) {
            self.consents.push(consent);
        }
    }

    pub(in crate::entra) fn withdraw_consent(&mut self, client_id: Uuid) {
        self.consents
            .retain(|consent| consent.client_id != client_id);
    }
}

fn enabled(application: &Application) -> Result<&Application, EntraError> {
    if application.disabled {
        return Err(EntraError::disabled_application(
            application.client_id,
            &application.name,
        ));
    }
    Ok(application)
}

/// An origin without trailing slashes, lower-case: both `https://org/` and `https://org` name it.
pub(in crate::entra) fn normal_origin(url: &str) -> String {
    url.trim_end_matches('/').to_ascii_lowercase()
}
