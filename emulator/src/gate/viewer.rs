//! How a user sees rows and definitions.

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use super::ColumnRights;
use crate::wire::ODataError;

/// The organization's language, US English.
const BASE_LANGUAGE: i32 = 1033;

/// Which secured columns show their values, and in which language labels are.
#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    pub(crate) columns: ColumnRights,
    /// A language code such as 1031.
    pub(crate) language: i32,
}

impl Viewer {
    /// The user as a viewer, in the language of the user's settings.
    pub(super) fn of_user(connection: &Connection, user: Uuid) -> Result<Self, ODataError> {
        let known = "SELECT 1 FROM sqlite_master WHERE name = 'usersettings'";
        let mut chosen: Option<Option<i32>> = None;
        if connection.prepare(known)?.exists([])? {
            let sql = "SELECT uilanguageid FROM usersettings WHERE systemuserid = ?1";
            chosen = connection
                .prepare(sql)?
                .query_row([user.to_string()], |row| row.get(0))
                .optional()?;
        }
        let chosen = chosen.flatten().filter(|code| *code != 0);
        Ok(Self {
            columns: ColumnRights::of_user(connection, user)?,
            language: chosen.unwrap_or(BASE_LANGUAGE),
        })
    }
}

impl Default for Viewer {
    fn default() -> Self {
        Self {
            columns: ColumnRights::default(),
            language: BASE_LANGUAGE,
        }
    }
}
