//! Tables: created, changed, deleted.

use axum::http::StatusCode;
use rusqlite::Connection;
use serde_json::json;
use uuid::Uuid;

use super::{
    DefinitionChange,
    body::Body,
    column::{column, currency, parts, put},
    kind::Kinds,
};
use crate::{
    api::{Call, Response},
    schema::{
        ChangeTracking, ColumnKind, Relationship, SchemaChange, Skeleton, Table, quotable,
        table_from_text,
    },
    wire::ODataError,
};

/// The smallest type code of a custom table.
pub(super) const FIRST_CODE: i32 = 10_000;

impl Call<'_> {
    /// `POST EntityDefinitions`: a table with its naming column and others.
    pub(super) fn create_table(&self, connection: &Connection) -> DefinitionChange {
        let (changes, id) = self.new_table(connection, &self.body()?)?;
        let address = format!("EntityDefinitions({id})");
        Ok((changes, self.defined(&address)))
    }

    /// `POST CreateEntities` with `{"Entities":[{…}]}`, as Microsoft's Python client creates a
    /// table.
    pub(in crate::api) fn create_tables(&self, connection: &Connection) -> DefinitionChange {
        let tables = self.body()?.objects("Entities")?;
        let [table] = tables.as_slice() else {
            return Err(ODataError::not_implemented(
                "Creation of any number of tables but one",
            ));
        };
        let (changes, id) = self.new_table(connection, table)?;
        let response = self.complex("CreateEntitiesResponse", json!({"EntityIds": [id]}));
        Ok((changes, response))
    }

    /// What creates the table of the body, and the table's id.
    fn new_table(
        &self,
        connection: &Connection,
        body: &Body,
    ) -> Result<(Vec<SchemaChange>, Uuid), ODataError> {
        self.caller.require_definitions("prvCreateEntity")?;
        let publishers = self.publishers(connection)?;
        let name = body.needed_text("SchemaName")?;
        publishers.require(name, "Entity")?;
        let schema = &self.model().schema;
        if schema.table(&name.to_lowercase()).is_some() {
            return Err(ODataError::bad_request(
                "0x80048403",
                format!(
                    "An entity with the name {} already exists.",
                    name.to_lowercase()
                ),
            ));
        }
        let missing = |member: &str| {
            ODataError::bad_request(
                "0x80040203",
                format!("Required field '{member}' is missing"),
            )
        };
        let label = body
            .label("DisplayName")?
            .ok_or_else(|| missing("DisplayName"))?;
        let plural = body.label("DisplayCollectionName")?;
        let plural = plural.ok_or_else(|| missing("DisplayCollectionName"))?;
        let owned = is_owned(body)?;
        let elastic = match body.text("TableType")? {
            None | Some("Standard") => false,
            Some("Elastic") => true,
            Some(other) => {
                let what = format!("Creation of tables of the type {other}");
                return Err(ODataError::not_implemented(&what));
            }
        };
        if body.flag("IsActivity")? == Some(true) {
            return Err(ODataError::not_implemented("Creation of activity tables"));
        }
        let mut attributes = body.objects("Attributes")?;
        let primary = attributes
            .iter()
            .position(|one| matches!(one.flag("IsPrimaryName"), Ok(Some(true))))
            .map(|at| attributes.remove(at))
            .ok_or_else(|| missing("Attributes/IsPrimaryName"))?;
        let kinds = Kinds {
            schema,
            first_option: publishers.first_option,
        };
        let primary_name = primary.needed_text("SchemaName")?;
        publishers.require(primary_name, "Attribute")?;
        let ColumnKind::String { max_length, .. } = kinds.read(&primary)? else {
            return Err(ODataError::bad_request(
                "0x80040203",
                "The column that names rows must be a text.",
            ));
        };
        let primary_label = primary
            .label("DisplayName")?
            .unwrap_or_else(|| "Name".into());
        let line = format!(
            "text({max_length}) \"{}\" custom",
            quotable(&primary_label.text)
        );
        let flags = flags(body)?;
        let codes = schema.tables().map(|table| table.object_type_code);
        let text = Skeleton {
            name,
            label: &label.text,
            plural_label: &plural.text,
            code: codes.max().unwrap_or(0).max(FIRST_CODE).saturating_add(1),
            owned,
            tracking: match body.flag("ChangeTrackingEnabled")? {
                _ if elastic => "unavailable",
                Some(true) => "enabled",
                _ => "available",
            },
            flags: &flags,
            primary_name: (primary_name, &line),
            amounts: false,
            elastic,
        }
        .text();
        let table = table_from_text(&text)
            .map_err(|problem| ODataError::bad_request("0x80040203", problem.to_string()))?;
        let mut changes = vec![SchemaChange::AddTable { text }];
        for attribute in attributes {
            let name = attribute.needed_text("SchemaName")?;
            publishers.require(name, "Attribute")?;
            let column = column(&table, name, kinds.read(&attribute)?, &attribute)?;
            changes.extend(
                parts(&table, column)
                    .into_iter()
                    .map(|part| put(&table, part)),
            );
        }
        changes.extend(currency(&table, &changes));
        Ok((changes, table.metadata_id))
    }

    /// `DELETE EntityDefinitions(…)`, with its rows.
    pub(super) fn delete_table(&self, table: &Table) -> DefinitionChange {
        self.caller.require_definitions("prvDeleteEntity")?;
        let name = &table.logical_name;
        if !table.is_custom {
            return Err(ODataError::bad_request(
                "0x80040203",
                format!("The table '{name}' cannot be deleted: only custom tables can."),
            ));
        }
        let others = self
            .model()
            .schema
            .relationships_of(name)
            .filter(|relationship| {
                !matches!(relationship, Relationship::OneToMany { referencing_table, .. }
                if referencing_table == name)
            });
        let count = others.count();
        if count > 0 {
            return Err(ODataError::bad_request(
                "0x8004f01f",
                format!(
                    "The Entity({}) component cannot be deleted because it is referenced by \
                     {count} other components. For a list of referenced components, use the \
                     RetrieveDependenciesForDeleteRequest.",
                    table.metadata_id
                ),
            ));
        }
        let change = SchemaChange::RemoveTable {
            table: name.clone(),
        };
        Ok((vec![change], Response::empty(StatusCode::NO_CONTENT)))
    }

    /// `PUT EntityDefinitions(…)`: switches change tracking on, and auditing on or off.
    pub(super) fn set_table(&self, table: &Table) -> DefinitionChange {
        self.caller.require_definitions("prvWriteEntity")?;
        let body = self.body()?;
        let tracked = body.flag("ChangeTrackingEnabled")?;
        let refused = match (tracked, table.change_tracking) {
            (Some(false), ChangeTracking::Enabled) => Some("cannot be disabled once it is enabled"),
            (Some(true), ChangeTracking::Unavailable) => Some("is not possible for this table"),
            _ => None,
        };
        if let Some(refused) = refused {
            return Err(ODataError::bad_request(
                "0x80040203",
                format!("Change tracking of '{}' {refused}.", table.logical_name),
            ));
        }
        let change = SchemaChange::SetTable {
            table: table.logical_name.clone(),
            tracked: tracked.filter(|_| table.change_tracking != ChangeTracking::Enabled),
            audited: body.managed_flag("IsAuditEnabled")?,
        };
        Ok((vec![change], Response::empty(StatusCode::NO_CONTENT)))
    }
}

/// Whether a user or a team owns a row of the new table, or else the organization.
fn is_owned(body: &Body) -> Result<bool, ODataError> {
    match body.text("OwnershipType")? {
        None | Some("UserOwned") => Ok(true),
        Some("OrganizationOwned") => Ok(false),
        Some(other) => Err(ODataError::bad_request(
            "0x80040203",
            format!("A table cannot be created with the ownership '{other}'."),
        )),
    }
}

/// What can be related to rows of the new table, in the words of the tables' files.
fn flags(body: &Body) -> Result<String, ODataError> {
    let mut flags = Vec::new();
    for (member, flag) in [("HasNotes", "notes"), ("HasActivities", "activities")] {
        if body.flag(member)? == Some(true) {
            flags.push(flag);
        }
    }
    Ok(flags.join(" "))
}
