//! The parameters of commands.

use serde::de::DeserializeOwned;

use super::ControlError;
use crate::org::{Depth, Role};

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
