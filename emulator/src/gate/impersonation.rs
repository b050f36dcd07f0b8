//! One user acting for another (reference §7.5).

use axum::http::HeaderMap;
use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use super::Caller;
use crate::{store::layout::parse_guid, wire::ODataError};

/// The privilege must come from a role of the user, not from one of a team.
const MAY_ACT: &str = "\
    SELECT 1 FROM systemuserroles r \
      JOIN roleprivileges rp ON rp.roleid = r.roleid \
      JOIN privilege p ON p.privilegeid = rp.privilegeid \
      WHERE r.systemuserid = ?1 AND p.name = 'prvActOnBehalfOfAnotherUser'";

/// Whether a request's headers name a user to act for.
pub(crate) fn acts_for_another(headers: &HeaderMap) -> bool {
    headers.contains_key("callerobjectid") || headers.contains_key("mscrmcallerid")
}

impl Caller {
    /// The user whom a request's headers name to act for, if they name one: with the rights that
    /// both users have.
    pub(crate) fn acting_for(
        &self,
        connection: &Connection,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, ODataError> {
        let named = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or(""));
        let user = match (named("callerobjectid"), named("mscrmcallerid")) {
            (Some(object), _) => by_object(connection, guid("CallerObjectId", object)?)?,
            (None, Some(user)) => by_key(connection, guid("MSCRMCallerID", user)?)?,
            (None, None) => return Ok(None),
        };
        if user == self.user {
            return Ok(None);
        }
        if !connection
            .prepare_cached(MAY_ACT)?
            .exists([self.user.to_string()])?
        {
            return Err(ODataError::forbidden(
                "0x8004A110",
                "User does not have the privilege to act on behalf another user.",
            ));
        }
        let mut other = Self::load(connection, user)?;
        other.may_enter()?;
        other.rights.limit_to(&self.rights);
        other.behind = Some(self.user);
        Ok(Some(other))
    }
}

fn guid(header: &str, text: &str) -> Result<Uuid, ODataError> {
    Uuid::try_parse(text.trim()).map_err(|_| {
        ODataError::bad_request(
            "0x80040203",
            format!("The value '{text}' of the header {header} is not the id of a user."),
        )
    })
}

fn by_object(connection: &Connection, object: Uuid) -> Result<Uuid, ODataError> {
    let sql = "SELECT systemuserid FROM systemuser WHERE azureactivedirectoryobjectid = ?1";
    find(connection, sql, object)?.ok_or_else(|| {
        ODataError::forbidden(
            "0x80072560",
            "The user is not a member of the organization.",
        )
    })
}

fn by_key(connection: &Connection, user: Uuid) -> Result<Uuid, ODataError> {
    let sql = "SELECT systemuserid FROM systemuser WHERE systemuserid = ?1";
    find(connection, sql, user)?.ok_or_else(|| ODataError::no_row("systemuser", user))
}

fn find(connection: &Connection, sql: &str, id: Uuid) -> Result<Option<Uuid>, ODataError> {
    let found: Option<String> = connection
        .prepare_cached(sql)?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?;
    Ok(found.map(|id| parse_guid(&id)))
}
