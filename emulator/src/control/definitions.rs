//! Definitions changed from outside: what an administrator does between two runs of a client.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value as Json, json, value::RawValue};

use super::{ControlError, parameters::parse};
use crate::{
    api::{column_from_outside, column_gone},
    environment::Environment,
    schema::{Column, SchemaChange},
    wire::ODataError,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewColumn<'b> {
    table: String,
    /// A definition as it would be posted.
    #[serde(borrow)]
    column: &'b RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldColumn {
    table: String,
    column: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Settings {
    table: String,
    change_tracking: Option<bool>,
    auditing: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Guarded {
    table: String,
    column: String,
    secured: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lag {
    seconds: u64,
}

/// Carries out a command that is about definitions.
pub(super) fn run(
    environment: &Environment,
    method: &str,
    command: &str,
    body: &[u8],
) -> Option<Result<Json, ControlError>> {
    let outcome = match (method, command) {
        ("PUT", "columns") => put_column(environment, body),
        ("DELETE", "columns") => parse(body)
            .and_then(|old: OldColumn| environment.remove_column(&old.table, &old.column)),
        ("PUT", "secured-columns") => parse(body)
            .and_then(|it: Guarded| environment.secure_column(&it.table, &it.column, it.secured)),
        ("PUT", "tables") => set_table(environment, body),
        ("PUT", "record-count-age") => parse(body).map(|Lag { seconds }| {
            environment.set_record_count_age(Duration::from_secs(seconds));
        }),
        ("PUT", "metadata-lag") => parse(body).map(|Lag { seconds }| {
            environment.set_metadata_lag(Duration::from_secs(seconds));
        }),
        _ => return None,
    };
    Some(outcome.map(|()| json!({"done": true})))
}

fn put_column(environment: &Environment, body: &[u8]) -> Result<(), ControlError> {
    let new: NewColumn<'_> = serde_json::from_slice(body)?;
    environment.put_column(&new.table, new.column.get().as_bytes())
}

fn set_table(environment: &Environment, body: &[u8]) -> Result<(), ControlError> {
    let settings: Settings = parse(body)?;
    environment.api.change(|schema| {
        if schema.table(&settings.table).is_none() {
            return Err(ControlError::unknown("table", &settings.table));
        }
        Ok(vec![SchemaChange::SetTable {
            table: settings.table,
            tracked: settings.change_tracking,
            audited: settings.auditing,
        }])
    })
}

impl Environment {
    pub(crate) fn put_column(&self, table: &str, body: &[u8]) -> Result<(), ControlError> {
        self.api
            .change(|schema| column_from_outside(schema, table, body).map_err(refused))
    }

    pub(crate) fn remove_column(&self, table: &str, column: &str) -> Result<(), ControlError> {
        self.api
            .change(|schema| column_gone(schema, table, column).map_err(refused))
    }

    /// Secures a column, or not.
    pub(crate) fn secure_column(
        &self,
        table: &str,
        column: &str,
        secured: bool,
    ) -> Result<(), ControlError> {
        self.api.change(|schema| {
            let definition = schema.table(table);
            let found = definition.and_then(|table| table.column(column));
            let found = found.ok_or_else(|| ControlError::unknown("column", column))?;
            let base = definition.and_then(|table| table.column(&format!("{column}_base")));
            let columns = [found].into_iter().chain(base);
            Ok(columns
                .map(|column| SchemaChange::PutColumn {
                    table: table.to_owned(),
                    column: Column {
                        secured,
                        ..column.clone()
                    },
                })
                .collect())
        })
    }

    /// How long a count of rows is cached.
    pub(crate) fn set_record_count_age(&self, age: Duration) {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.api.current().counts.set_age(seconds);
    }

    pub(crate) fn set_metadata_lag(&self, lag: Duration) {
        let seconds = i64::try_from(lag.as_secs()).unwrap_or(i64::MAX);
        self.api.set_lag(seconds);
    }
}

fn refused(error: ODataError) -> ControlError {
    ControlError::Refused(error.message)
}
