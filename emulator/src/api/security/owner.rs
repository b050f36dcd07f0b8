//! Who can own rows (reference §7.2, §7.6).

use uuid::Uuid;

use super::membership::{ACCESS_TEAM, team_type};
use crate::{
    api::Call,
    gate::Rights,
    schema::{Ownership, PrivilegeType, Table},
    store::{Row, StoreError, Value, Writer},
    wire::ODataError,
};

impl Call<'_> {
    /// Rejects another owner who is disabled or could not read the row.
    pub(super) fn require_new_owner(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        before: &Row,
        after: &[Value],
    ) -> Result<(), ODataError> {
        let layout = writer.store().layout(&table.logical_name)?;
        let owner = layout.get(after, "ownerid");
        if owner.id() == layout.get(&before.values, "ownerid").id() {
            return Ok(());
        }
        self.require_owner(writer, table, owner)
    }

    /// Rejects an owner who is disabled or could not read the row.
    pub(super) fn require_owner(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        owner: &Value,
    ) -> Result<(), ODataError> {
        let Value::Lookup { table: kind, id } = owner else {
            return Ok(());
        };
        if *id == self.caller.user || table.ownership != Ownership::UserOwned {
            return Ok(());
        }
        let connection = writer.connection();
        let rights = if kind == "team" {
            if team_type(writer, *id)? == ACCESS_TEAM {
                return Err(ODataError::bad_request(
                    "0x80048340",
                    "You cannot assign a record to the access team. You can assign a record to \
                     the owner team.",
                ));
            }
            Rights::of_team(connection, *id)?
        } else {
            require_enabled(writer, *id)?;
            Rights::of_user(connection, *id)?
        };
        if rights.role_count == 0 {
            return Err(ODataError::forbidden(
                "0x80042F09",
                format!("The {kind} with Id = {id} has not been assigned any roles."),
            ));
        }
        match table.privilege(PrivilegeType::Read) {
            Some(read) if rights.depth(&read.name).is_none() => Err(ODataError::forbidden(
                "0x80040231",
                format!(
                    "Target user or team does not hold required privileges. Principal (Id={id}, \
                     type={}) is missing {} privilege (Id={}) on OTC={} for entity '{}'.",
                    if kind == "team" { 9 } else { 8 },
                    read.name,
                    crate::schema::Privilege::id_of(&read.name),
                    table.object_type_code,
                    table.logical_name
                ),
            )),
            _ => Ok(()),
        }
    }
}

impl Call<'_> {
    /// Lets the rows of an owner follow into the owner's new business unit.
    pub(super) fn move_rows(&self, writer: &Writer<'_>, owner: Uuid) -> Result<(), ODataError> {
        let tables = writer.store().schema().tables();
        for table in tables.filter(|table| table.ownership == Ownership::UserOwned) {
            let name = &table.logical_name;
            for id in writer.referring(name, "ownerid", owner)? {
                if let Some(before) = writer.row(name, id)? {
                    let mut after = before.values.clone();
                    writer.completer(table, self.author())?.derive(&mut after)?;
                    writer.update(name, &before, &after)?;
                }
            }
        }
        Ok(())
    }
}

fn require_enabled(writer: &Writer<'_>, user: Uuid) -> Result<(), ODataError> {
    let layout = writer.store().layout("systemuser")?;
    let row = writer.row("systemuser", user)?;
    if row.is_some_and(|row| *layout.get(&row.values, "isdisabled") == Value::Bool(true)) {
        return Err(ODataError::bad_request(
            "0x8004022B",
            "The specified owner has been disabled.",
        ));
    }
    Ok(())
}

/// Whether a user or a team owns any row.
pub(super) fn owns_rows(writer: &Writer<'_>, owner: Uuid) -> Result<bool, StoreError> {
    for table in writer.store().schema().tables() {
        if table.ownership == Ownership::UserOwned
            && !writer
                .referring(&table.logical_name, "ownerid", owner)?
                .is_empty()
        {
            return Ok(true);
        }
    }
    Ok(false)
}
