//! The part of Microsoft Entra ID that a Dataverse client needs: who may request tokens, how
//! people sign in and consent, and the tokens (reference §2). AD FS, which on-premises servers
//! use instead, shares it.

mod adfs;
mod directory;
mod endpoint;
mod error;
mod issued;
mod place;
mod request;
mod response;
mod scope;
mod sign_in;
mod token;

use std::sync::{Mutex, PoisonError, RwLock, atomic::AtomicU64};

use uuid::Uuid;

use directory::{Directory, normal_origin};
pub use directory::{
    Tenant,
    application::{Application, ClientSecret, Platform, RedirectUri},
    certificate::{Certificate, CertificateError},
    federation::{FederatedCredential, KeySet, KeySetError},
    person::Person,
};
use issued::Issued;
pub(crate) use request::Arrival;
use sign_in::session::Sessions;
use token::jwt::Signer;
pub(crate) use token::jwt::{Claims, PersonClaims, Subject};

use crate::clock::Clock;

/// Lifetimes of what the authority issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// How long access tokens are valid, in seconds.
    pub(crate) token_lifetime: i64,
    /// How long a refresh token stays good after its successor was issued, in seconds; `None`
    /// until it expires, as in Entra.
    pub(crate) refresh_grace: Option<i64>,
    /// How long a device waits between two polls, in seconds.
    pub(crate) device_interval: i64,
}

/// The authority: issues tokens and knows which it has issued.
#[derive(Debug)]
pub(crate) struct Entra {
    directory: RwLock<Directory>,
    issued: Mutex<Issued>,
    sessions: Mutex<Sessions>,
    settings: RwLock<Settings>,
    signer: Signer,
    clock: Clock,
    next_serial: AtomicU64,
    /// Tokens with a smaller serial number count as expired.
    first_valid_serial: AtomicU64,
}

impl Entra {
    /// An authority of these tenants, the first of which is the environment's.
    pub(crate) fn new(tenants: Vec<Tenant>, clock: Clock, settings: Settings) -> Self {
        Self {
            directory: RwLock::new(Directory::of(tenants)),
            issued: Mutex::default(),
            sessions: Mutex::default(),
            settings: RwLock::new(settings),
            signer: Signer::demonstration(),
            clock,
            next_serial: AtomicU64::new(1),
            first_valid_serial: AtomicU64::new(0),
        }
    }

    /// Adds an environment's origin to the resources of tokens.
    pub(crate) fn add_resource(&self, origin: &str) {
        self.change(|directory| directory.resources.push(normal_origin(origin)));
    }

    /// Registers an application, or replaces the one of the same identifier.
    pub(crate) fn register(&self, application: Application) {
        self.change(|directory| {
            directory
                .applications
                .retain(|known| known.client_id != application.client_id);
            directory.applications.push(application);
        });
    }

    /// Changes a registered application; returns whether it exists.
    pub(crate) fn change_application(
        &self,
        client_id: Uuid,
        change: impl FnOnce(&mut Application),
    ) -> bool {
        self.change(|directory| {
            let found = directory
                .applications
                .iter_mut()
                .find(|app| app.client_id == client_id);
            found.map(change).is_some()
        })
    }

    /// Adds a person, or replaces the one of the same identifier.
    pub(crate) fn add_person(&self, person: Person) {
        self.change(|directory| {
            directory.people.retain(|known| known.id != person.id);
            directory.people.push(person);
        });
    }

    /// Changes a person, found by identifier or sign-in name; returns whether there is one.
    pub(crate) fn change_person(&self, name: &str, change: impl FnOnce(&mut Person)) -> bool {
        let id = Uuid::try_parse(name).ok();
        self.change(|directory| {
            let found = directory.people.iter_mut().find(|person| {
                Some(person.id) == id || person.user_principal_name.eq_ignore_ascii_case(name)
            });
            found.map(change).is_some()
        })
    }

    /// Removes a person from the directory; returns whether there was one.
    pub(crate) fn remove_person(&self, name: &str) -> bool {
        let id = Uuid::try_parse(name).ok();
        self.change(|directory| {
            let before = directory.people.len();
            directory.people.retain(|person| {
                Some(person.id) != id && !person.user_principal_name.eq_ignore_ascii_case(name)
            });
            directory.people.len() < before
        })
    }

    /// Lets an application act for one person, or without one for all people of its tenant.
    pub(crate) fn consent(&self, client_id: Uuid, tenant: Uuid, person: Option<Uuid>) {
        self.change(|directory| directory.consent(client_id, tenant, person));
    }

    /// Revokes every consent to an application.
    pub(crate) fn withdraw_consent(&self, client_id: Uuid) {
        self.change(|directory| directory.withdraw_consent(client_id));
    }

    /// Whether people must ask an administrator for consent.
    pub(crate) fn consent_takes_administrator(&self, it_does: bool) {
        self.change(|directory| directory.consent_takes_administrator = it_does);
    }

    /// Object id of the environment's person of this sign-in name.
    pub(crate) fn person_named(&self, user_principal_name: &str) -> Option<Uuid> {
        self.read(|directory| {
            let person = directory.person_called(user_principal_name);
            let at_home = person.filter(|person| person.tenant == directory.home);
            at_home.map(|person| person.id)
        })
    }

    /// Object id of an application's service principal, and the application's name.
    pub(crate) fn principal_of(&self, client_id: Uuid) -> Option<(Uuid, String)> {
        self.read(|directory| {
            let known = directory.registration(&client_id.to_string())?;
            Some((known.object_id, known.name.clone()))
        })
    }

    /// Makes every refresh token issued so far expire.
    pub(crate) fn expire_refresh_tokens(&self) {
        self.issued(Issued::expire_refresh_tokens);
    }

    /// How many refresh tokens have been issued.
    pub(crate) fn refresh_tokens_issued(&self) -> usize {
        self.issued(|issued| issued.refresh_tokens_issued())
    }

    /// Every code and refresh token issued so far.
    pub(crate) fn handed_out(&self) -> Vec<String> {
        self.issued(|issued| issued.values())
    }

    pub(crate) fn settings(&self) -> Settings {
        *self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        change(
            &mut self
                .settings
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn issued<T>(&self, with: impl FnOnce(&mut Issued) -> T) -> T {
        with(&mut self.issued.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn sessions<T>(&self, with: impl FnOnce(&mut Sessions) -> T) -> T {
        with(&mut self.sessions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn read<T>(&self, read: impl FnOnce(&Directory) -> T) -> T {
        read(
            &self
                .directory
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn change<T>(&self, change: impl FnOnce(&mut Directory) -> T) -> T {
        change(
            &mut self
                .directory
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

/// Why a bearer token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenFault {
    /// Not a token of this authority.
    Invalid,
    /// Expired.
    Expired,
    /// Issued for another resource.
    Audience,
}
