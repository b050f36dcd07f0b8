//! `CreateMultiple`, `UpdateMultiple` and `UpsertMultiple` (reference §8.3).

use axum::http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{
    Condition,
    payload::{Members, invalid_property, payload_error},
};
use crate::{
    api::{
        Call, Response,
        key::{RowKey, column_name},
    },
    odata::ODataError,
    schema::{Table, TableType},
    store::Writer,
};

/// Carries out an action on one row.
type One<'a> = &'a dyn Fn(&Members) -> Result<Uuid, ODataError>;

impl Call<'_> {
    /// `POST {set}/Microsoft.Dynamics.CRM.{action}`: all rows or none, and of an elastic table those
    /// that can be written.
    pub(super) fn multiple(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        action: &str,
    ) -> Result<Response, ODataError> {
        let action = action
            .strip_prefix("Microsoft.Dynamics.CRM.")
            .ok_or_else(|| ODataError::unknown_segment(action))?;
        let elastic = table.table_type == TableType::Elastic;
        let one: One<'_> = match action {
            "CreateMultiple" => &|target| self.create_record(writer, table, target, &[]),
            "UpdateMultiple" => &|target| {
                let key = RowKey::Primary(primary_key(table, target)?);
                let (done, _) = self.upsert(writer, table, &key, target, Condition::Exists)?;
                Ok(done.id())
            },
            "UpsertMultiple" => &|target| {
                let key = upsert_key(table, target)?;
                let (done, _) = self.upsert(writer, table, &key, target, Condition::Any)?;
                Ok(done.id())
            },
            "DeleteMultiple" if elastic => &|target| {
                let id = primary_key(table, target)?;
                self.delete_one(writer, table, &RowKey::Primary(id), Condition::Any)?;
                Ok(id)
            },
            "DeleteMultiple" => {
                return Err(ODataError::bad_request(
                    "0x80040216",
                    "DeleteMultiple has not yet been implemented.",
                ));
            }
            other => {
                let segment = format!("Microsoft.Dynamics.CRM.{other}");
                return Err(ODataError::unknown_segment(&segment));
            }
        };
        let targets = self.targets(table)?;
        let ids = if elastic {
            match one_by_one(writer, &targets, one)? {
                Ok(ids) => ids,
                // What has been written stays.
                Err(error) => return Ok(Response::refusal(&error, &self.request.headers)),
            }
        } else {
            targets.iter().map(one).collect::<Result<_, _>>()?
        };
        if action == "CreateMultiple" {
            return Ok(self.complex("CreateMultipleResponse", json!({"Ids": ids})));
        }
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    fn targets(&self, table: &Table) -> Result<Vec<Members>, ODataError> {
        let set = &table.entity_set_name;
        let body = Members::parse(&self.request.body, set)?;
        let targets: Vec<Members> = body
            .get("Targets")
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .ok_or_else(|| payload_error(set, "The body has no array 'Targets'."))?;
        let expected = format!("Microsoft.Dynamics.CRM.{}", table.logical_name);
        for target in &targets {
            let found = target.text("@odata.type").unwrap_or_default();
            if found.trim_start_matches('#') != expected {
                return Err(payload_error(
                    set,
                    &format!("Every target needs the '@odata.type' '{expected}'."),
                ));
            }
        }
        Ok(targets)
    }
}

/// The keys of the rows, or the error of the first that failed with what became of each.
fn one_by_one(
    writer: &Writer<'_>,
    targets: &[Members],
    one: One<'_>,
) -> Result<Result<Vec<Uuid>, ODataError>, ODataError> {
    let mut ids = Vec::with_capacity(targets.len());
    let mut rows = Vec::with_capacity(targets.len());
    let mut first = None;
    for (index, target) in targets.iter().enumerate() {
        let (id, status) = match writer.attempt(|| one(target)) {
            Ok(id) => {
                ids.push(id);
                (id.to_string(), StatusCode::OK)
            }
            Err(error) if error.lacking.is_some() => return Err(error),
            Err(error) => {
                let status = error.status;
                first.get_or_insert(error);
                (String::new(), status)
            }
        };
        rows.push(json!({"RequestIndex": index, "Id": id, "StatusCode": status.as_u16()}));
    }
    Ok(match first {
        None => Ok(ids),
        Some(error) => Err(ODataError {
            rows: Some(json!(rows).to_string()),
            ..error
        }),
    })
}

fn primary_key(table: &Table, target: &Members) -> Result<Uuid, ODataError> {
    target
        .text(&table.primary_id)
        .and_then(|text| crate::api::key::parse_id(&text))
        .ok_or_else(|| invalid_property(table, &table.primary_id))
}

/// The key of a target: `@odata.id`, or else the primary key.
fn upsert_key(table: &Table, target: &Members) -> Result<RowKey, ODataError> {
    let Some(address) = target.text("@odata.id") else {
        return Ok(RowKey::Primary(primary_key(table, target)?));
    };
    let inner = address
        .trim_start_matches('/')
        .strip_prefix(&table.entity_set_name)
        .and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')'))
        .ok_or_else(|| {
            payload_error(
                &table.entity_set_name,
                "'@odata.id' must address a row of the table.",
            )
        })?;
    let key = RowKey::parse(table, inner)?;
    if let RowKey::Alternate { columns, .. } = &key
        && columns
            .iter()
            .any(|(name, _)| target.get(column_name(name)).is_some())
    {
        return Err(ODataError::bad_request(
            "0x80048d19",
            "The columns of the alternate key must not be repeated in the body.",
        ));
    }
    Ok(key)
}
