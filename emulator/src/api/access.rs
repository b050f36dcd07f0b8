//! Whether a row exists and the caller may access it.

use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use uuid::Uuid;

use super::Call;
use crate::{
    gate::{Caller, not_enough},
    schema::{PrivilegeType, Table},
    store::layout::parse_guid,
    wire::ODataError,
};

impl Call<'_> {
    /// Whether the row exists; 403 if it does and the caller may not read it.
    pub(super) fn require_readable(
        &self,
        connection: &Connection,
        table: &Table,
        id: Uuid,
    ) -> Result<bool, ODataError> {
        self.require_access(connection, table, id, PrivilegeType::Read)
    }

    /// Whether the row exists; 403 if it does and the caller has no such access.
    pub(super) fn require_access(
        &self,
        connection: &Connection,
        table: &Table,
        id: Uuid,
        kind: PrivilegeType,
    ) -> Result<bool, ODataError> {
        // A caller without the privilege gets its name in the error, whatever the row.
        self.caller.depth(table, kind)?;
        if !row_exists(connection, table, id)? {
            return Ok(false);
        }
        if reaches(connection, self.caller, table, id, kind)? {
            return Ok(true);
        }
        Err(not_enough())
    }
}

/// Whether there is a row of this key.
pub(super) fn row_exists(
    connection: &Connection,
    table: &Table,
    id: Uuid,
) -> Result<bool, ODataError> {
    let sql = format!(
        "SELECT 1 FROM \"{}\" WHERE \"{}\" = ?1",
        table.logical_name, table.primary_id
    );
    Ok(connection.prepare_cached(&sql)?.exists([id.to_string()])?)
}

/// Whether the caller's rights of this kind reach an existing row.
pub(super) fn reaches(
    connection: &Connection,
    caller: &Caller,
    table: &Table,
    id: Uuid,
    kind: PrivilegeType,
) -> Result<bool, ODataError> {
    let has_privilege = match table.privilege(kind) {
        Some(privilege) => caller.rights.depth(&privilege.name).is_some(),
        None => true,
    };
    if !has_privilege {
        return Ok(false);
    }
    let Some((condition, ids)) = caller.access(table, kind, "t")? else {
        return Ok(true);
    };
    let sql = format!(
        "SELECT 1 FROM \"{}\" t WHERE {condition} AND t.\"{}\" = ?",
        table.logical_name, table.primary_id
    );
    let parameters = ids.into_iter().chain([id.to_string()]);
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.exists(params_from_iter(parameters))?)
}

/// The row that a lookup column of the row refers to.
pub(super) fn lookup_of(
    connection: &Connection,
    table: &Table,
    id: Uuid,
    column: &str,
) -> Result<Option<Uuid>, ODataError> {
    let sql = format!(
        "SELECT \"{column}\" FROM \"{}\" WHERE \"{}\" = ?1",
        table.logical_name, table.primary_id
    );
    let found: Option<Option<String>> = connection
        .prepare_cached(&sql)?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?;
    Ok(found.flatten().as_deref().map(parse_guid))
}
