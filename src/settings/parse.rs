//! From a JSON document or a connection string to [`Settings`].

use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::connection_string;
use super::document::{Faults, Fields};
use super::{
    ApiVersion, Auth, EnvironmentUrl, Limits, NamedAuthority, RetrySettings, Settings, Tenant,
    purpose,
};
use crate::error::{Error, ErrorKind};

pub(super) fn parse(text: &str) -> Result<Settings, Error> {
    let members = if connection_string::is_one(text) {
        connection_string::document(text).map_err(|faults| invalid(&faults))?
    } else {
        document(text)?
    };
    let mut faults = Faults::default();
    let mut root = Fields::root(members, &mut faults);
    let settings = read(&mut root);
    root.finish();
    match (settings, faults.into_sentence()) {
        (Some(settings), None) => Ok(settings),
        (_, Some(faults)) => Err(invalid(&faults)),
        (None, None) => Err(Error::new(
            ErrorKind::Internal,
            "invalid settings, for an unknown reason; this is a defect of the connector",
        )),
    }
}

fn document(json: &str) -> Result<Map<String, Value>, Error> {
    match serde_json::from_slice(json.as_bytes()) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(invalid("not a JSON object")),
        // The parser's message could contain a misplaced secret; the position cannot.
        Err(error) => Err(invalid(&format!(
            "neither JSON (line {}, column {}) nor a connection string",
            error.line(),
            error.column()
        ))),
    }
}

fn invalid(faults: &str) -> Error {
    Error::new(
        ErrorKind::InvalidSettings,
        format!("invalid settings: {faults}"),
    )
}

fn read(fields: &mut Fields<'_>) -> Option<Settings> {
    let environment = fields.required_text("environment", EnvironmentUrl::parse);
    let api_version = fields.text("apiVersion", |text| {
        ApiVersion::parse(text)
            .ok_or_else(|| "must be \"8.0\", \"8.1\", \"8.2\", \"9.0\", \"9.1\" or \"9.2\"".into())
    });
    let tenant = fields.text("tenant", Tenant::parse);
    let authority = fields.text("authority", NamedAuthority::parse);
    let resource = fields.text("resource", resource);
    let auth = fields.required_object("auth", Auth::read).flatten();
    let purpose = fields.object("purpose", purpose::read);
    let retry = fields.object("retry", |retry| RetrySettings {
        max_wait: seconds(retry.integer("maxWaitSeconds", 0..=86_400, 300)),
    });
    let limits = fields.object("limits", |limits| Limits {
        request_timeout: seconds(limits.integer("requestTimeoutSeconds", 1..=3_600, 120)),
        page_size: limits.integer("pageSize", 1..=5_000, 5_000),
        max_concurrency: usize::try_from(limits.integer("maxConcurrency", 1..=52, 8)).unwrap_or(1),
        change_retention_days: match limits.integer("changeRetentionDays", 0..=3_650, 0) {
            0 => None,
            days => Some(days),
        },
    });
    Some(Settings {
        environment: environment?,
        api_version,
        tenant,
        authority,
        resource,
        auth: auth?,
        purpose: purpose?,
        retry: retry?,
        limits: limits?,
    })
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

/// The audience of tokens: an absolute URI, kept unchanged.
fn resource(text: &str) -> Result<String, String> {
    let plain = text.chars().all(|c| c.is_ascii_graphic());
    let uri = Url::parse(text).is_ok_and(|uri| uri.username().is_empty());
    if plain && uri {
        Ok(text.to_owned())
    } else {
        Err(
            "must be the identifier of the environment at the authority, such as \
             https://crm.contoso.com/"
                .to_owned(),
        )
    }
}

#[cfg(test)]
mod tests;
