//! The caller of a request and the rights of that user.

mod caller;
mod columns;
mod impersonation;
pub(crate) mod limits;
mod rights;
mod viewer;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{HeaderMap, header};
use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

pub(crate) use caller::{Caller, not_enough, unit_column};
pub(crate) use columns::ColumnRights;
pub(crate) use impersonation::acts_for_another;
pub(crate) use rights::Rights;
pub(crate) use viewer::Viewer;

use crate::{
    entra::{Claims, Entra},
    store::{Store, layout::parse_guid},
    wire::ODataError,
};

/// Why a request is rejected before it reaches the Web API.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// 401 with a challenge (reference §2.8).
    Challenge,
    /// Signed in, but not allowed to use the organization (reference §2.9).
    Refused(ODataError),
}

impl<E: Into<ODataError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// Identifies callers and caches their rights until roles or memberships change.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    known: Mutex<HashMap<Uuid, (u64, Arc<Caller>)>>,
}

impl Gate {
    /// The caller of a request, from its bearer token.
    pub(crate) fn admit(
        &self,
        entra: &Entra,
        store: &Store,
        headers: &HeaderMap,
    ) -> Result<Arc<Caller>, Refusal> {
        let claims = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .and_then(|(_, token)| entra.verify(token.trim()).ok())
            .ok_or(Refusal::Challenge)?;
        let generation = store.security_generation();
        let known = {
            let callers = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            callers
                .get(&claims.oid)
                .filter(|(at, _)| *at == generation)
                .map(|(_, c)| c.clone())
        };
        let caller = if let Some(caller) = known {
            caller
        } else {
            let caller = Arc::new(store.read(|connection| member(connection, &claims))?);
            let mut callers = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            callers.insert(claims.oid, (generation, Arc::clone(&caller)));
            caller
        };
        caller.may_enter()?;
        Ok(caller)
    }
}

/// The organization's user for the token: the application user of its client id, or the person
/// with its object id, or failing that its sign-in name.
fn member(connection: &Connection, claims: &Claims) -> Result<Caller, ODataError> {
    let find = |condition: &str, parameter: &str| {
        connection
            .prepare_cached(&format!(
                "SELECT systemuserid FROM systemuser WHERE {condition}"
            ))?
            .query_row([parameter], |row| row.get::<_, String>(0))
            .optional()
    };
    let user = match &claims.person {
        None => find("applicationid = ?1", &claims.appid.to_string())?,
        Some(person) => match find("azureactivedirectoryobjectid = ?1", &claims.oid.to_string())? {
            Some(user) => Some(user),
            None => find(
                "azureactivedirectoryobjectid IS NULL AND lower(domainname) = lower(?1)",
                &person.upn,
            )?,
        },
    };
    let user = user.ok_or_else(|| {
        ODataError::forbidden(
            "0x80072560",
            "The user is not a member of the organization.",
        )
    })?;
    Caller::load(connection, parse_guid(&user))
}
