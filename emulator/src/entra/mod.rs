//! The part of Microsoft Entra ID that a Dataverse client needs: who may ask for tokens, and the
//! tokens (reference §2).

pub(crate) mod endpoint;
mod error;
mod jwt;

use std::sync::{
    RwLock,
    atomic::{AtomicU64, Ordering},
};

use uuid::Uuid;

pub(crate) use jwt::Claims;
use jwt::{Signer, Verified};

use crate::clock::Clock;

/// A directory of applications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The directory's identifier.
    pub id: Uuid,
    /// Domain names that may stand for the identifier.
    pub domains: Vec<String>,
}

/// An application registered in a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Whether tokens are refused.
    pub disabled: bool,
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

#[derive(Debug, Default)]
struct Directory {
    tenants: Vec<Tenant>,
    applications: Vec<Application>,
    /// Origins of the environments tokens are issued for.
    resources: Vec<String>,
}

/// The authority: issues tokens and knows which it has issued.
#[derive(Debug)]
pub(crate) struct Entra {
    directory: RwLock<Directory>,
    signer: Signer,
    clock: Clock,
    /// How long access tokens are valid, in seconds.
    lifetime: i64,
    next_serial: AtomicU64,
    /// Tokens with a smaller serial number count as expired.
    first_valid_serial: AtomicU64,
}

impl Entra {
    pub(crate) fn new(tenants: Vec<Tenant>, clock: Clock, lifetime: i64) -> Self {
        Self {
            directory: RwLock::new(Directory {
                tenants,
                ..Directory::default()
            }),
            signer: Signer::demonstration(),
            clock,
            lifetime,
            next_serial: AtomicU64::new(1),
            first_valid_serial: AtomicU64::new(0),
        }
    }

    /// Adds an environment's origin to those tokens can be asked for.
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

    /// Changes a registered application; returns whether it is known.
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

    /// Makes every token issued so far count as expired.
    pub(crate) fn expire_tokens(&self) {
        let next = self.next_serial.load(Ordering::SeqCst);
        self.first_valid_serial.store(next, Ordering::SeqCst);
    }

    /// How many tokens have been issued.
    pub(crate) fn tokens_issued(&self) -> u64 {
        self.next_serial.load(Ordering::SeqCst) - 1
    }

    /// Checks a bearer token for this organization.
    pub(crate) fn verify(&self, token: &str) -> Result<Claims, TokenFault> {
        let Verified { claims } = self.signer.verify(token).ok_or(TokenFault::Invalid)?;
        let now = self.clock.now();
        if claims.serial() < self.first_valid_serial.load(Ordering::SeqCst) || claims.exp <= now {
            return Err(TokenFault::Expired);
        }
        if claims.nbf > now + 300 {
            return Err(TokenFault::Invalid);
        }
        let audience = normal_origin(&claims.aud);
        if !self.read(|directory| directory.resources.contains(&audience)) {
            return Err(TokenFault::Audience);
        }
        Ok(claims)
    }

    fn issue(&self, authority: &str, tenant: Uuid, application: &Application, aud: &str) -> String {
        let now = self.clock.now();
        let serial = self.next_serial.fetch_add(1, Ordering::SeqCst);
        self.signer.sign(&Claims {
            aud: aud.to_owned(),
            iss: format!("{authority}/{tenant}/"),
            iat: now,
            nbf: now,
            exp: now + self.lifetime,
            appid: application.client_id,
            azp: application.client_id,
            oid: application.object_id,
            sub: application.object_id,
            tid: tenant,
            idtyp: "app".to_owned(),
            uti: format!("{serial:016x}"),
            ver: "1.0".to_owned(),
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Directory) -> T) -> T {
        read(
            &self
                .directory
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    fn change<T>(&self, change: impl FnOnce(&mut Directory) -> T) -> T {
        change(
            &mut self
                .directory
                .write()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }
}

/// Why a bearer token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenFault {
    /// No token of this authority.
    Invalid,
    /// Its time is over.
    Expired,
    /// Issued for another resource.
    Audience,
}

/// An origin without trailing slashes, lower-case: both `https://org/` and `https://org` name it.
fn normal_origin(url: &str) -> String {
    url.trim_end_matches('/').to_ascii_lowercase()
}
