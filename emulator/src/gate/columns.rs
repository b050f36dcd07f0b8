//! Column security: which secured columns a user may read and write (reference §7.6).
//!
//! Profiles (`fieldsecurityprofiles`) grant it, column by column (`fieldpermissions`), to the users
//! and teams that are their members. System administrators may do everything.

use std::{collections::HashMap, sync::Arc};

use rusqlite::Connection;
use uuid::Uuid;

use crate::{
    ids::ADMINISTRATOR_TEMPLATE,
    schema::{Column, ColumnKind, Table},
    wire::ODataError,
};

/// What a user may do with secured columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnRights {
    everything: bool,
    /// Table → column → what is granted.
    granted: Arc<HashMap<String, HashMap<String, Granted>>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Granted {
    read: bool,
    create: bool,
    update: bool,
}

const MEMBER_OF: &str = "\
    SELECT fieldsecurityprofileid FROM systemuserprofiles WHERE systemuserid = ?1 \
    UNION SELECT p.fieldsecurityprofileid FROM teamprofiles p \
      JOIN teammembership m ON m.teamid = p.teamid WHERE m.systemuserid = ?1";

const ADMINISTERS: &str = "\
    SELECT 1 FROM role r WHERE r.roletemplateid = ?2 AND r.roleid IN ( \
      SELECT roleid FROM systemuserroles WHERE systemuserid = ?1 \
      UNION SELECT t.roleid FROM teamroles t JOIN teammembership m ON m.teamid = t.teamid \
        WHERE m.systemuserid = ?1)";

impl ColumnRights {
    /// The rights of a user.
    pub(super) fn of_user(connection: &Connection, user: Uuid) -> Result<Self, ODataError> {
        let user = user.to_string();
        let template = ADMINISTRATOR_TEMPLATE.to_string();
        let known = "SELECT 1 FROM sqlite_master WHERE name = 'fieldpermission'";
        // A custom schema may have no column security.
        let everything = !connection.prepare(known)?.exists([])?
            || connection
                .prepare(ADMINISTERS)?
                .exists([&user, &template])?;
        let mut granted: HashMap<String, HashMap<String, Granted>> = HashMap::new();
        if !everything {
            let sql = format!(
                "SELECT entityname, attributelogicalname, max(canread), max(cancreate), \
                 max(canupdate) FROM fieldpermission \
                 WHERE fieldsecurityprofileid IN ({MEMBER_OF}) GROUP BY 1, 2"
            );
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query([&user])?;
            while let Some(row) = rows.next()? {
                let allowed = |at: usize| -> Result<bool, rusqlite::Error> {
                    Ok(row.get::<_, Option<i64>>(at)?.unwrap_or(0) != 0)
                };
                let (Some(table), Some(column)) = (
                    row.get::<_, Option<String>>(0)?,
                    row.get::<_, Option<String>>(1)?,
                ) else {
                    continue;
                };
                let right = Granted {
                    read: allowed(2)?,
                    create: allowed(3)?,
                    update: allowed(4)?,
                };
                granted.entry(table).or_default().insert(column, right);
            }
        }
        Ok(Self {
            everything,
            granted: Arc::new(granted),
        })
    }

    fn of(&self, table: &Table, column: &Column) -> Granted {
        let name = match &column.kind {
            // An amount in base currency is secured like the amount.
            ColumnKind::Money { .. } => {
                let name = column.logical_name.as_str();
                name.strip_suffix("_base").unwrap_or(name)
            }
            _ => &column.logical_name,
        };
        let columns = self.granted.get(&table.logical_name);
        columns
            .and_then(|columns| columns.get(name))
            .copied()
            .unwrap_or_default()
    }

    /// Whether values of the column are shown.
    pub(crate) fn may_read(&self, table: &Table, column: &Column) -> bool {
        !column.secured || self.everything || self.of(table, column).read
    }

    /// Rejects a query that depends on values the user must not see.
    pub(crate) fn require_read(&self, table: &Table, column: &Column) -> Result<(), ODataError> {
        if self.may_read(table, column) {
            return Ok(());
        }
        Err(ODataError::forbidden(
            "0x8004f504",
            format!(
                "The user does not have read permissions to a secured field. The requested \
                 operation could not be completed. Column: '{}' of '{}'.",
                column.logical_name, table.logical_name
            ),
        ))
    }

    /// Rejects a value for the column of a row that is created or updated.
    pub(crate) fn require_write(
        &self,
        table: &Table,
        column: &Column,
        creating: bool,
    ) -> Result<(), ODataError> {
        let right = self.of(table, column);
        let allowed = if creating { right.create } else { right.update };
        if !column.secured || self.everything || allowed {
            return Ok(());
        }
        let (code, message) = if creating {
            (
                "0x8004f502",
                "The user does not have create permissions to a secured field. The requested \
                 operation could not be completed.",
            )
        } else {
            (
                "0x8004f507",
                "The user doesn't have AttributePrivilegeUpdate and not granted shared access for \
                 a secured attribute during update operation",
            )
        };
        Err(ODataError::forbidden(
            code,
            format!(
                "{message} Column: '{}' of '{}'.",
                column.logical_name, table.logical_name
            ),
        ))
    }
}
