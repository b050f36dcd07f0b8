//! The commands of the control API.

use std::{sync::Arc, time::Duration};

use axum::http::{Method, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};
use thiserror::Error;
use uuid::Uuid;

use crate::{
    entra::{Application, CertificateError, ClientSecret, KeySetError},
    gate::limits::ServiceLimits,
    net::{environment::Environment, faults::Fault},
    org::{self, Depth, Role},
    store::{Author, StoreError, Value, current_version},
};

/// How many changes a day has unless told otherwise.
const CHANGES_OF_A_DAY: usize = 200;

/// Why a command was not carried out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// There is no such command.
    #[error("the control API has no '{method} {command}'")]
    UnknownCommand {
        /// The HTTP method.
        method: String,
        /// The path after the prefix.
        command: String,
    },
    /// The body is not what the command needs.
    #[error("the body does not fit the command: {0}")]
    Body(#[from] serde_json::Error),
    /// A name or identifier nobody knows.
    #[error("unknown {kind} '{name}'")]
    Unknown {
        /// What kind of thing.
        kind: &'static str,
        /// How it was called.
        name: String,
    },
    /// A change that the organization does not allow.
    #[error("the change was refused: {0}")]
    Refused(String),
    /// A certificate that cannot be registered.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Keys that cannot be registered.
    #[error(transparent)]
    KeySet(#[from] KeySetError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ControlError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::UnknownCommand { .. } | Self::Unknown { .. } => StatusCode::NOT_FOUND,
            Self::Refused(_) => StatusCode::CONFLICT,
            Self::Body(_) | Self::Certificate(_) | Self::KeySet(_) => StatusCode::BAD_REQUEST,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) fn unknown(kind: &'static str, name: impl std::fmt::Display) -> Self {
        Self::Unknown {
            kind,
            name: name.to_string(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Day {
    seed: u64,
    changes: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Latency {
    milliseconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parallelism {
    requests: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Limits {
    requests: Option<usize>,
    execution_seconds: Option<u64>,
    concurrency: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disabled {
    disabled: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantChange {
    role: String,
    privilege: String,
    depth: Option<String>,
}

pub(super) fn run(
    environment: &Arc<Environment>,
    method: &Method,
    command: &str,
    body: &[u8],
) -> Result<Json, ControlError> {
    let method_name = method.as_str();
    let outcome = super::directory::run(environment, method_name, command, body)
        .or_else(|| super::definitions::run(environment, method_name, command, body));
    if let Some(outcome) = outcome {
        return outcome;
    }
    let done = json!({"done": true});
    let (command, argument) = match command.split_once('/') {
        Some((first @ "users", id)) => (first, Some(id)),
        _ => (command, None),
    };
    match (method.as_str(), command, argument) {
        ("GET", "statistics", None) => return Ok(serde_json::to_value(environment.statistics())?),
        ("DELETE", "statistics", None) => environment.counters.reset(),
        ("POST", "clock/advance", None) => {
            let Advance { seconds } = parse(body)?;
            environment.api.current().store.clock().advance(seconds);
            return Ok(
                json!({"now": crate::time::date_time(environment.api.current().store.clock().now())}),
            );
        }
        ("POST", "tokens/expire", None) => environment.entra.expire_tokens(),
        ("POST", "delta-tokens/expire", None) => environment.expire_delta_tokens()?,
        ("GET", "faults", None) => return Ok(serde_json::to_value(environment.faults.planned())?),
        ("POST", "faults", None) => environment.faults.plan(parse::<Fault>(body)?),
        ("DELETE", "faults", None) => environment.faults.clear(),
        ("PUT", "latency", None) => {
            let Latency { milliseconds } = parse(body)?;
            environment.set_latency(Duration::from_millis(milliseconds));
        }
        ("PUT", "parallelism", None) => {
            let Parallelism { requests } = parse(body)?;
            environment.set_recommended_parallelism(requests);
        }
        ("PUT", "limits", None) => {
            let limits: Option<Limits> = parse(body)?;
            let full = ServiceLimits::default();
            environment.limiter.enforce(limits.map(|limits| {
                ServiceLimits {
                    requests: limits.requests.unwrap_or(full.requests),
                    execution_time: limits
                        .execution_seconds
                        .map_or(full.execution_time, Duration::from_secs),
                    concurrency: limits.concurrency.unwrap_or(full.concurrency),
                }
            }));
        }
        ("PATCH", "users", Some(id)) => {
            let Disabled { disabled } = parse(body)?;
            let user = Uuid::try_parse(id).map_err(|_| ControlError::unknown("user", id))?;
            environment.disable_user(user, disabled)?;
        }
        ("POST", "day", None) => {
            let Day { seed, changes } = parse(body)?;
            let report = environment.work_a_day(seed, changes.unwrap_or(CHANGES_OF_A_DAY))?;
            return Ok(serde_json::to_value(report)?);
        }
        ("POST", "grants", None) => {
            let GrantChange {
                role: name,
                privilege,
                depth,
            } = parse(body)?;
            let depth = depth_of(depth.as_deref())?;
            environment.grant(role(&name)?, &privilege, Some(depth))?;
        }
        ("DELETE", "grants", None) => {
            let GrantChange {
                role: name,
                privilege,
                ..
            } = parse(body)?;
            environment.grant(role(&name)?, &privilege, None)?;
        }
        _ => {
            return Err(ControlError::UnknownCommand {
                method: method.to_string(),
                command: command.to_owned(),
            });
        }
    }
    Ok(done)
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    Ok(serde_json::from_slice(body)?)
}

/// The depth of this name; the greatest if none is given.
pub(super) fn depth_of(name: Option<&str>) -> Result<Depth, ControlError> {
    let name = name.unwrap_or("Global");
    name.parse()
        .map_err(|_| ControlError::unknown("depth", name))
}

pub(super) fn role(name: &str) -> Result<Role, ControlError> {
    Role::ALL
        .into_iter()
        .find(|role| role.name().eq_ignore_ascii_case(name))
        .ok_or_else(|| ControlError::unknown("role", name))
}

impl Environment {
    pub(crate) fn statistics(&self) -> crate::net::statistics::Statistics {
        self.counters.snapshot(self.entra.tokens_issued())
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        let milliseconds = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        self.latency
            .store(milliseconds, std::sync::atomic::Ordering::SeqCst);
    }

    pub(crate) fn set_recommended_parallelism(&self, requests: u32) {
        self.recommended_parallelism
            .store(requests, std::sync::atomic::Ordering::SeqCst);
    }

    pub(crate) fn expire_delta_tokens(&self) -> Result<(), ControlError> {
        let newest = self.api.current().store.read(current_version)?;
        // Even a token for the newest version is to expire, so there has to be a newer one.
        self.api
            .current()
            .first_valid_delta
            .store(newest + 1, std::sync::atomic::Ordering::SeqCst);
        Ok(())
    }

    pub(crate) fn add_application(
        &self,
        client_id: Uuid,
        secret: &str,
        name: &str,
        role: Option<Role>,
    ) -> Result<(), ControlError> {
        let mut application =
            Application::new(client_id, self.api.current().organization.tenant, name);
        application.secrets.push(ClientSecret::new(secret));
        self.register(application, role)
    }

    pub(crate) fn disable_user(&self, user: Uuid, disabled: bool) -> Result<(), ControlError> {
        self.api.current().store.write(|writer| {
            let before = writer
                .row("systemuser", user)?
                .ok_or_else(|| ControlError::unknown("user", user))?;
            let layout = writer.store().layout("systemuser")?;
            let mut after = before.values.clone();
            layout.set(&mut after, "isdisabled", Value::Bool(disabled));
            writer.update("systemuser", &before, &after)?;
            Ok(())
        })
    }

    /// Registers an application whose user has one role: exactly these privileges. For an
    /// application that has its role from here already, the role is made to grant these instead.
    pub(crate) fn add_application_with(
        &self,
        client_id: Uuid,
        secret: &str,
        privileges: &[(&str, Depth)],
    ) -> Result<Uuid, ControlError> {
        let tenant = self.api.current().organization.tenant;
        let mut application = Application::new(client_id, tenant, "Registered application");
        application.secrets.push(ClientSecret::new(secret));
        self.register_with(application, privileges)
    }

    /// As [`Self::add_application_with`], with the application described.
    pub(super) fn register_with(
        &self,
        application: Application,
        privileges: &[(&str, Depth)],
    ) -> Result<Uuid, ControlError> {
        let store = &self.api.current().store;
        let granted = privileges
            .iter()
            .map(|&(name, depth)| Ok((self.privilege(name)?, depth)))
            .collect::<Result<Vec<_>, ControlError>>()?;
        let client_id = application.client_id;
        let role = org::add_role(store, &format!("Application {client_id}"), &granted)?;
        let (object_id, name) = (application.object_id, application.name.clone());
        self.entra.register(application);
        let user = org::add_application_user(store, client_id, object_id, &name, &[role])?;
        Ok(user)
    }

    /// Key of the privilege of this name.
    fn privilege(&self, name: &str) -> Result<Uuid, ControlError> {
        let api = self.api.current();
        let found = api
            .store
            .schema()
            .privileges()
            .find(|known| known.name == name);
        found
            .map(|privilege| privilege.id)
            .ok_or_else(|| ControlError::unknown("privilege", name))
    }

    /// Grants a privilege to a role of the root business unit and its copies, or with no depth
    /// revokes it.
    pub(crate) fn grant(
        &self,
        role: Role,
        privilege: &str,
        depth: Option<Depth>,
    ) -> Result<(), ControlError> {
        let store = &self.api.current().store;
        let role = role.id(org::ROOT_BUSINESS_UNIT);
        let privilege = self.privilege(privilege)?;
        let author = Author::in_person(org::SYSTEM, store.clock().now());
        store.write(|writer| org::role::set_privilege(writer, author, role, privilege, depth))?;
        Ok(())
    }
}
