//! The actions and functions of the Web API: which there are, and how a call reaches its handler.

mod arguments;
mod bulk_delete;
mod history;
mod list;
mod multiple;
mod organization;
mod privileges;
mod record_count;
mod sales;

use axum::http::{Method, StatusCode};
use rusqlite::Connection;
use serde_json::Value;
use uuid::Uuid;

use self::list::{ACTIONS, DEFINITION_ACTIONS, FUNCTIONS, ROW_ACTIONS, ROW_FUNCTIONS, SET_ACTIONS};
pub(super) use self::{record_count::Counts, sales::is_mergeable};
use super::{Call, DefinitionChange, Response, request::Segment};
use crate::{schema::Table, store::Writer, wire::ODataError};

/// What qualifies the names of bound operations in addresses.
const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";

/// Whether the name is that of an unbound function.
pub(super) fn is_function(name: &str) -> bool {
    find(FUNCTIONS, name).is_some()
}

/// Whether the name is that of an action that changes definitions.
pub(super) fn is_definition_action(name: &str) -> bool {
    find(DEFINITION_ACTIONS, name).is_some()
}

fn find<H: Copy>(operations: &[(&str, H)], name: &str) -> Option<H> {
    let found = operations.iter().find(|(known, _)| *known == name);
    found.map(|(_, handler)| *handler)
}

impl<'a> Call<'a> {
    /// `GET {api}/{function}(…)`; `None` if there is no function of this name. The parentheses
    /// are optional if there are no parameters.
    pub(super) fn function(
        &'a self,
        connection: &'a Connection,
        segment: &Segment,
    ) -> Option<Result<Response, ODataError>> {
        let handler = find(FUNCTIONS, &segment.name)?;
        let arguments = segment.arguments.as_deref().unwrap_or_default();
        Some(handler(self, connection, arguments))
    }

    /// `GET {set}(key)/Microsoft.Dynamics.CRM.{function}(…)`; `None` if the segment's name is not
    /// qualified.
    pub(super) fn row_function(
        &self,
        connection: &Connection,
        table: &Table,
        id: Uuid,
        segment: &Segment,
    ) -> Option<Result<Response, ODataError>> {
        let name = segment.name.strip_prefix(NAMESPACE)?;
        let found = ROW_FUNCTIONS.iter().find(|(known, tables, _)| {
            *known == name && tables.contains(&table.logical_name.as_str())
        });
        let arguments = segment.arguments.as_deref().unwrap_or_default();
        Some(match found {
            Some((.., handler)) => handler(self, connection, table, id, arguments),
            None => Err(ODataError::unknown_segment(&segment.name)),
        })
    }

    /// `POST {api}/{action}`; `None` if there is no action of this name.
    pub(super) fn action(
        &self,
        writer: &Writer<'_>,
        segment: &Segment,
    ) -> Option<Result<Response, ODataError>> {
        let handler = find(ACTIONS, segment.plain()?)?;
        Some(self.require_post().and_then(|()| handler(self, writer)))
    }

    /// `POST {api}/{action}` of an action that changes definitions; `None` if there is none of
    /// this name.
    pub(super) fn definition_action(
        &self,
        connection: &Connection,
        segment: &Segment,
    ) -> Option<DefinitionChange> {
        let handler = find(DEFINITION_ACTIONS, segment.plain()?)?;
        Some(self.require_post().and_then(|()| handler(self, connection)))
    }

    /// `POST {set}/Microsoft.Dynamics.CRM.{action}`.
    pub(super) fn set_action(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        segment: &Segment,
    ) -> Result<Response, ODataError> {
        let name = segment.name.strip_prefix(NAMESPACE);
        let handler = name.and_then(|name| find(SET_ACTIONS, name));
        let handler = handler.ok_or_else(|| ODataError::unknown_segment(&segment.name))?;
        handler(self, writer, table)
    }

    /// `POST {set}(key)/Microsoft.Dynamics.CRM.{action}`; `None` if the segment's name is not
    /// qualified.
    pub(super) fn row_action(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        segment: &Segment,
    ) -> Option<Result<Response, ODataError>> {
        let name = segment.name.strip_prefix(NAMESPACE)?;
        let found = ROW_ACTIONS
            .iter()
            .find(|(known, bound, _)| *known == name && *bound == table.logical_name);
        Some(match found {
            Some((.., handler)) => handler(self, writer, table, id),
            None => Err(ODataError::unknown_segment(&segment.name)),
        })
    }

    fn require_post(&self) -> Result<(), ODataError> {
        if self.request.method == Method::POST {
            return Ok(());
        }
        Err(ODataError::method_not_allowed(self.request.method.as_str()))
    }

    /// The complex value that an operation returns, with its context first.
    pub(super) fn complex(&self, kind: &str, value: Value) -> Response {
        let context = format!("{}/$metadata#{NAMESPACE}{kind}", self.request.root);
        let mut body = serde_json::Map::new();
        body.insert("@odata.context".to_owned(), Value::String(context));
        if let Value::Object(properties) = value {
            body.extend(properties);
        }
        let body = serde_json::to_vec(&body).unwrap_or_default();
        Response::json(StatusCode::OK, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_listed_once() {
        let unbound = FUNCTIONS.iter().map(|(name, _)| *name);
        let unbound = unbound.chain(ACTIONS.iter().map(|(name, _)| *name));
        let unbound = unbound.chain(DEFINITION_ACTIONS.iter().map(|(name, _)| *name));
        let mut unbound: Vec<_> = unbound.collect();
        let count = unbound.len();
        unbound.sort_unstable();
        unbound.dedup();
        assert_eq!(unbound.len(), count);
    }
}
