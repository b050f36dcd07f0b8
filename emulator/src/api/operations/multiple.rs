//! `CreateMultiple`, `UpdateMultiple`, `UpsertMultiple` and `DeleteMultiple` (reference §8.3).

use axum::http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::{
    api::{
        Call, Response,
        key::{RowKey, column_name},
        payload::{Members, invalid_property, payload_error},
        write::Condition,
    },
    schema::{Table, TableType},
    store::Writer,
    wire::ODataError,
};

/// Changes one row and returns its key.
type Change<'a> = &'a dyn Fn(&Members) -> Result<Uuid, ODataError>;

impl Call<'_> {
    /// `POST {set}/Microsoft.Dynamics.CRM.CreateMultiple`
    pub(super) fn create_multiple(
        &self,
        writer: &Writer<'_>,
        table: &Table,
    ) -> Result<Response, ODataError> {
        let outcome = self.for_each_target(writer, table, &|target| {
            self.create_record(writer, table, target, &[])
        })?;
        Ok(match outcome {
            Ok(ids) => self.complex("CreateMultipleResponse", json!({"Ids": ids})),
            Err(response) => response,
        })
    }

    /// `POST {set}/Microsoft.Dynamics.CRM.UpdateMultiple`
    pub(super) fn update_multiple(
        &self,
        writer: &Writer<'_>,
        table: &Table,
    ) -> Result<Response, ODataError> {
        self.change_each_target(writer, table, &|target| {
            let key = RowKey::Primary(primary_key(table, target)?);
            let (done, _) = self.upsert(writer, table, &key, target, Condition::Exists)?;
            Ok(done.id())
        })
    }

    /// `POST {set}/Microsoft.Dynamics.CRM.UpsertMultiple`
    pub(super) fn upsert_multiple(
        &self,
        writer: &Writer<'_>,
        table: &Table,
    ) -> Result<Response, ODataError> {
        self.change_each_target(writer, table, &|target| {
            let key = upsert_key(table, target)?;
            let (done, _) = self.upsert(writer, table, &key, target, Condition::Any)?;
            Ok(done.id())
        })
    }

    /// `POST {set}/Microsoft.Dynamics.CRM.DeleteMultiple`, for elastic tables only.
    pub(super) fn delete_multiple(
        &self,
        writer: &Writer<'_>,
        table: &Table,
    ) -> Result<Response, ODataError> {
        if table.table_type != TableType::Elastic {
            return Err(ODataError::bad_request(
                "0x80040216",
                "DeleteMultiple has not yet been implemented.",
            ));
        }
        self.change_each_target(writer, table, &|target| {
            let id = primary_key(table, target)?;
            self.delete_one(writer, table, &RowKey::Primary(id), Condition::Any)?;
            Ok(id)
        })
    }

    fn change_each_target(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        change: Change<'_>,
    ) -> Result<Response, ODataError> {
        let outcome = self.for_each_target(writer, table, change)?;
        Ok(match outcome {
            Ok(_) => Response::empty(StatusCode::NO_CONTENT),
            Err(response) => response,
        })
    }

    /// Changes all rows or none, and of an elastic table those that can be changed: then some
    /// failures are a response, so that the changes before them stay.
    fn for_each_target(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        change: Change<'_>,
    ) -> Result<Result<Vec<Uuid>, Response>, ODataError> {
        let targets = self.targets(table)?;
        if table.table_type == TableType::Elastic {
            let outcome = one_by_one(writer, &targets, change)?;
            return Ok(outcome.map_err(|error| Response::refusal(&error, &self.request.headers)));
        }
        let ids: Result<_, _> = targets.iter().map(change).collect();
        Ok(Ok(ids?))
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

/// The keys of the rows, or the error of the first failure with the outcome of every row.
fn one_by_one(
    writer: &Writer<'_>,
    targets: &[Members],
    change: Change<'_>,
) -> Result<Result<Vec<Uuid>, ODataError>, ODataError> {
    let mut ids = Vec::with_capacity(targets.len());
    let mut rows = Vec::with_capacity(targets.len());
    let mut first = None;
    for (index, target) in targets.iter().enumerate() {
        let (id, status) = match writer.attempt(|| change(target)) {
            Ok(id) => {
                ids.push(id);
                (id.to_string(), StatusCode::OK)
            }
            Err(error) if error.missing_table.is_some() => return Err(error),
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
