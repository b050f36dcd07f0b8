//! Alternate keys: created, reactivated, deleted (reference §4.11, §5.5).

use axum::http::StatusCode;
use rusqlite::Connection;

use super::DefinitionChange;
use crate::{
    api::{
        Call, Response,
        metadata::{MetadataKey, no_definition},
    },
    schema::{AlternateKey, Column, ColumnKind, KeyIndex, SchemaChange, Table, metadata_id},
    wire::ODataError,
};

/// Most alternate keys of a table, most columns of a key, and most bytes of its values.
const MAX_KEYS: usize = 10;
const MAX_COLUMNS: usize = 16;
const MAX_BYTES: u32 = 900;

/// How many seconds the background job takes that builds an index.
const BUILD_SECONDS: i64 = 2;

impl Call<'_> {
    /// `POST EntityDefinitions(…)/Keys` with `{"SchemaName":…,"KeyAttributes":[…]}`.
    pub(super) fn create_key(&self, connection: &Connection, table: &Table) -> DefinitionChange {
        self.caller.require_definitions("prvCreateEntityKey")?;
        let body = self.body()?;
        let schema_name = body.needed_text("SchemaName")?;
        let publishers = self.publishers(connection)?;
        publishers.require(schema_name, "EntityKey")?;
        let columns: Vec<String> = body
            .list("KeyAttributes")?
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_lowercase))
            .collect();
        let logical_name = schema_name.to_lowercase();
        if table.key(&logical_name).is_some() {
            return Err(ODataError::bad_request(
                "0x80060893",
                format!(
                    "An entity key with the name {schema_name} already exists on entity {}.",
                    table.logical_name
                ),
            ));
        }
        require_usable(table, &columns)?;
        let label = body.label("DisplayName")?;
        let key = AlternateKey {
            metadata_id: metadata_id(&["key", &table.logical_name, schema_name]),
            logical_name,
            display_name: label.map_or_else(|| schema_name.to_owned(), |label| label.text),
            schema_name: schema_name.to_owned(),
            columns,
            index: self.build_later(),
        };
        let address = format!(
            "{}({})",
            self.request.path.trim_end_matches('/'),
            key.metadata_id
        );
        Ok((vec![put(table, key)], self.defined(&address)))
    }

    /// `DELETE EntityDefinitions(…)/Keys(…)`.
    pub(super) fn delete_key(&self, table: &Table, key: &str) -> DefinitionChange {
        self.caller.require_definitions("prvDeleteEntityKey")?;
        let wanted = MetadataKey::parse(key, "LogicalName")?;
        let found = table.keys.iter().find(|known| match &wanted {
            MetadataKey::Id(id) => known.metadata_id == *id,
            MetadataKey::Name(name) => known.logical_name == *name,
        });
        let change = SchemaChange::RemoveKey {
            table: table.logical_name.clone(),
            key: found
                .ok_or_else(|| no_definition(key))?
                .logical_name
                .clone(),
        };
        Ok((vec![change], Response::empty(StatusCode::NO_CONTENT)))
    }

    /// `POST ReactivateEntityKey` with `{"EntityLogicalName":…,"EntityKeyLogicalName":…}`: tries
    /// again to build an index.
    pub(in crate::api) fn reactivate_key(&self) -> DefinitionChange {
        self.caller.require_definitions("prvCreateEntityKey")?;
        let body = self.body()?;
        let table = self.named_table(&body, "EntityLogicalName")?;
        let name = body.needed_text("EntityKeyLogicalName")?;
        let key = table.key(name).ok_or_else(|| no_definition(name))?;
        let mut changes = Vec::new();
        if key.index == KeyIndex::Failed {
            changes.push(put(
                table,
                AlternateKey {
                    index: self.build_later(),
                    ..key.clone()
                },
            ));
        }
        Ok((changes, Response::empty(StatusCode::NO_CONTENT)))
    }

    fn build_later(&self) -> KeyIndex {
        KeyIndex::Pending {
            until: self.now().saturating_add(BUILD_SECONDS),
        }
    }
}

fn put(table: &Table, key: AlternateKey) -> SchemaChange {
    SchemaChange::PutKey {
        table: table.logical_name.clone(),
        key,
    }
}

/// Rejects columns that cannot be a key of the table.
fn require_usable(table: &Table, names: &[String]) -> Result<(), ODataError> {
    let refused = |problem: String| Err(ODataError::bad_request("0x80040203", problem));
    if table.keys.len() >= MAX_KEYS {
        return refused(format!("A table can have no more than {MAX_KEYS} keys."));
    }
    if names.is_empty() || names.len() > MAX_COLUMNS {
        return refused(format!("A key needs 1 to {MAX_COLUMNS} KeyAttributes."));
    }
    let mut bytes = 0;
    for (at, name) in names.iter().enumerate() {
        let column = table
            .column(name)
            .filter(|column| column.attribute_of.is_none() && !column.secured);
        let size = column.and_then(size_in_key);
        let repeated = names.iter().take(at).any(|before| before == name);
        let Some(size) = size.filter(|_| !repeated) else {
            return refused(format!(
                "The attribute '{name}' of entity '{}' cannot be part of a key.",
                table.logical_name
            ));
        };
        bytes += size;
    }
    if bytes > MAX_BYTES {
        return refused(format!(
            "The columns of the key hold up to {bytes} bytes, more than the {MAX_BYTES} of an index."
        ));
    }
    let same = |key: &&AlternateKey| {
        key.columns.len() == names.len() && key.columns.iter().all(|name| names.contains(name))
    };
    if table.keys.iter().any(|key| same(&key)) {
        return Err(ODataError::bad_request(
            "0x80060894",
            "An entity key with the selected attributes already exists on entity.",
        ));
    }
    Ok(())
}

/// How many bytes a column takes in an index; `None` for types that are in none.
fn size_in_key(column: &Column) -> Option<u32> {
    Some(match &column.kind {
        ColumnKind::String { max_length, .. } => max_length.saturating_mul(2),
        ColumnKind::Integer { .. } | ColumnKind::Picklist { .. } => 4,
        ColumnKind::DateTime { .. } => 8,
        ColumnKind::Lookup { .. } | ColumnKind::Customer { .. } => 16,
        ColumnKind::Decimal { .. } => 13,
        _ => return None,
    })
}
