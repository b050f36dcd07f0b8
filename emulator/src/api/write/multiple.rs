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

impl Call<'_> {
    /// `POST {set}/Microsoft.Dynamics.CRM.{action}`: all rows or none.
    pub(super) fn multiple(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        action: &str,
    ) -> Result<Response, ODataError> {
        let action = action
            .strip_prefix("Microsoft.Dynamics.CRM.")
            .ok_or_else(|| ODataError::unknown_segment(action))?;
        match action {
            "CreateMultiple" => {
                let mut ids = Vec::new();
                for target in self.targets(table)? {
                    ids.push(self.create_record(writer, table, &target, &[])?);
                }
                let context = format!(
                    "{}/$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse",
                    self.request.root
                );
                let body = json!({"@odata.context": context, "Ids": ids}).to_string();
                Ok(Response::json(StatusCode::OK, body.into_bytes()))
            }
            "UpdateMultiple" => {
                for target in self.targets(table)? {
                    let key = RowKey::Primary(primary_key(table, &target)?);
                    self.upsert(writer, table, &key, &target, Condition::Exists)?;
                }
                Ok(Response::empty(StatusCode::NO_CONTENT))
            }
            "UpsertMultiple" => {
                for target in self.targets(table)? {
                    let key = upsert_key(table, &target)?;
                    self.upsert(writer, table, &key, &target, Condition::Any)?;
                }
                Ok(Response::empty(StatusCode::NO_CONTENT))
            }
            "DeleteMultiple" if table.table_type != TableType::Elastic => {
                Err(ODataError::bad_request(
                    "0x80040216",
                    "DeleteMultiple has not yet been implemented.",
                ))
            }
            other => Err(ODataError::unknown_segment(&format!(
                "Microsoft.Dynamics.CRM.{other}"
            ))),
        }
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
