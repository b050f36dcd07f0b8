//! Business units: which can be disabled and deleted.

use uuid::Uuid;

use super::{hierarchy::is_below, owner::owns_rows, rules::is_default_team};
use crate::{
    api::Call,
    schema::Table,
    store::{Value, Writer},
    wire::ODataError,
};

const PARENT: &str = "parentbusinessunitid";

impl Call<'_> {
    /// Rejects to disable a unit with which no System Administrator would be left.
    pub(super) fn require_administrator_outside(
        writer: &Writer<'_>,
        table: &Table,
        unit: Uuid,
    ) -> Result<(), ODataError> {
        let mut statement = writer.connection().prepare_cached(
            "SELECT u.businessunitid FROM systemuserroles r \
             JOIN role ON role.roleid = r.roleid \
             JOIN systemuser u ON u.systemuserid = r.systemuserid \
             WHERE role.roletemplateid = ?1 AND u.isdisabled IS NOT 1",
        )?;
        let template = crate::ids::ADMINISTRATOR_TEMPLATE.to_string();
        let mut rows = statement.query([template])?;
        while let Some(row) = rows.next()? {
            let theirs = crate::store::layout::parse_guid(&row.get::<_, String>(0)?);
            if !is_below(writer, table, PARENT, theirs, unit)? {
                return Ok(());
            }
        }
        Err(ODataError::bad_request(
            "0x80041D59",
            "Business unit cannot be disabled: no active user with system admin role exists \
             outside of business unit subtree.",
        ))
    }

    /// Rejects to delete a unit that is in use, and deletes its default team and its roles with it.
    pub(super) fn prepare_unit_delete(
        &self,
        writer: &Writer<'_>,
        unit: Uuid,
    ) -> Result<(), ODataError> {
        let layout = writer.store().layout("businessunit")?;
        let Some(row) = writer.row("businessunit", unit)? else {
            return Ok(());
        };
        let refused = |code, message| Err(ODataError::bad_request(code, message));
        if layout.get(&row.values, PARENT).id().is_none() {
            return refused("0x80040203", "The root business unit cannot be deleted.");
        }
        if *layout.get(&row.values, "isdisabled") != Value::Bool(true) {
            return refused(
                "0x80041D60",
                "Not disabled business unit cannot be deleted.",
            );
        }
        if !writer.referring("businessunit", PARENT, unit)?.is_empty() {
            return refused(
                "0x80041D61",
                "Business unit has a child business unit and cannot be deleted.",
            );
        }
        let teams = self.model().table("team")?;
        for team in writer.referring("team", "businessunitid", unit)? {
            if is_default_team(writer, team)? {
                if owns_rows(writer, team)? {
                    return refused(
                        "0x80041D62",
                        "Business unit default team owns records. Business unit cannot be deleted.",
                    );
                }
                self.delete_record(writer, teams, team)?;
            }
        }
        let roles = self.model().table("role")?;
        for role in writer.referring("role", "businessunitid", unit)? {
            self.delete_record(writer, roles, role)?;
        }
        Ok(())
    }
}
