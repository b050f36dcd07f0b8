//! The commands of the control API.

use std::{sync::Arc, time::Duration};

use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    ControlError, definitions, directory,
    parameters::{depth_of, parse, role},
};
use crate::{
    environment::{Environment, faults::Fault},
    gate::limits::ServiceLimits,
};

/// The default number of changes of a day.
const CHANGES_OF_A_DAY: usize = 200;

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
    let outcome = directory::run(environment, method_name, command, body)
        .or_else(|| definitions::run(environment, method_name, command, body));
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
