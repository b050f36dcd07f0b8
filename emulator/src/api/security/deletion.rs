//! Rows that cannot be deleted, and what is deleted with a row.

use axum::http::StatusCode;
use uuid::Uuid;

use super::{
    owner::owns_rows,
    role::require_unprotected,
    rules::{is_default_team, require_person},
};
use crate::{
    api::Call,
    org::role,
    schema::Table,
    store::{Value, Writer},
    wire::ODataError,
};

impl Call<'_> {
    /// Rejects the deletion of rows that must stay, and deletes what belongs to the row alone.
    pub(in crate::api) fn prepare_delete(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
    ) -> Result<(), ODataError> {
        match table.logical_name.as_str() {
            "role" => {
                if let Some(row) = writer.row("role", id)? {
                    require_unprotected(writer, &row)?;
                }
                for copy in role::copies(writer, id)? {
                    self.delete_record(writer, table, copy)?;
                }
                Ok(())
            }
            "team" if is_default_team(writer, id)? => Err(ODataError::bad_request(
                "0x80048307",
                "The default business unit team can't be deleted.",
            )),
            "team" if owns_rows(writer, id)? => Err(ODataError::bad_request(
                "0x8004830E",
                "Can't delete a team which owns records. Reassign the records and try again.",
            )),
            "systemuser" => {
                require_person(id)?;
                require_deletable_user(writer, id)
            }
            "connection" => Self::delete_mirror(writer, id),
            "businessunit" => self.prepare_unit_delete(writer, id),
            _ => Ok(()),
        }
    }
}

/// Users are disabled, and what they own is given to others, before they go.
fn require_deletable_user(writer: &Writer<'_>, user: Uuid) -> Result<(), ODataError> {
    let layout = writer.store().layout("systemuser")?;
    let row = writer.row("systemuser", user)?;
    if row.is_some_and(|row| *layout.get(&row.values, "isdisabled") != Value::Bool(true)) {
        return Err(ODataError::bad_request(
            "0x80040203",
            format!("The user {user} cannot be deleted: disable the user first."),
        ));
    }
    if owns_rows(writer, user)? {
        return Err(ODataError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "0x80040227",
            "The record cannot be deleted because it is associated with another record: the user \
             owns rows.",
        ));
    }
    Ok(())
}
