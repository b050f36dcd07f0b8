//! Sharing rows with users and teams (reference §11.2).

use axum::http::StatusCode;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::json;
use uuid::Uuid;

use crate::{
    api::{
        Call, Response,
        access::lookup_of,
        payload::{Members, payload_error},
    },
    odata::model::is_principal,
    schema::{Ownership, PrivilegeType, Table, metadata_id},
    store::{Value, Writer, layout::parse_guid},
    wire::ODataError,
};

/// A row and the user or team it is shared with.
struct Share<'t> {
    table: &'t Table,
    row: Uuid,
    principal_table: &'t Table,
    principal: Uuid,
}

impl Share<'_> {
    /// Key of the row that holds the share.
    fn id(&self) -> Uuid {
        let (row, principal) = (self.row.to_string(), self.principal.to_string());
        metadata_id(&["share", &row, &principal])
    }

    /// What the share allows now.
    fn mask(&self, writer: &Writer<'_>) -> Result<Option<i64>, ODataError> {
        let sql = "SELECT accessrightsmask FROM principalobjectaccess \
                   WHERE principalobjectaccessid = ?1";
        let mut statement = writer.connection().prepare_cached(sql)?;
        let mask = statement.query_row([self.id().to_string()], |row| row.get(0));
        Ok(mask.optional()?)
    }
}

impl Call<'_> {
    /// `GrantAccess`: shares a row, or allows more of a row shared already.
    pub(in crate::api) fn grant_access(&self, writer: &Writer<'_>) -> Result<Response, ODataError> {
        let (share, mask) = self.share_with_mask(writer)?;
        let before = share.mask(writer)?.unwrap_or(0);
        self.put_share(writer, &share, before | mask)
    }

    /// `ModifyAccess`: makes a share allow exactly this.
    pub(in crate::api) fn modify_access(
        &self,
        writer: &Writer<'_>,
    ) -> Result<Response, ODataError> {
        let (share, mask) = self.share_with_mask(writer)?;
        self.put_share(writer, &share, mask)
    }

    /// `RevokeAccess`: ends a share.
    pub(in crate::api) fn revoke_access(
        &self,
        writer: &Writer<'_>,
    ) -> Result<Response, ODataError> {
        let body = Members::parse(&self.request.body, "RevokeAccess")?;
        let share = self.share(writer, &body, &body, "Revokee")?;
        writer.delete("principalobjectaccess", share.id())?;
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    fn put_share(
        &self,
        writer: &Writer<'_>,
        share: &Share<'_>,
        mask: i64,
    ) -> Result<Response, ODataError> {
        writer.delete("principalobjectaccess", share.id())?;
        if mask != 0 {
            let kind = &share.principal_table.logical_name;
            writer.create(
                "principalobjectaccess",
                self.author(),
                &[
                    ("principalobjectaccessid", Value::Guid(share.id())),
                    ("objectid", Value::Guid(share.row)),
                    (
                        "objecttypecode",
                        Value::Text(share.table.logical_name.clone()),
                    ),
                    ("principalid", Value::Guid(share.principal)),
                    ("principaltypecode", Value::Text(kind.clone())),
                    ("accessrightsmask", Value::Int(mask)),
                    ("inheritedaccessrightsmask", Value::Int(0)),
                    ("changedon", Value::DateTime(self.now())),
                ],
            )?;
        }
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// The parameters `Target` and `PrincipalAccess`.
    fn share_with_mask(&self, writer: &Writer<'_>) -> Result<(Share<'_>, i64), ODataError> {
        let body = Members::parse(&self.request.body, "GrantAccess")?;
        let access = body
            .get("PrincipalAccess")
            .ok_or_else(|| payload_error("GrantAccess", "The body has no 'PrincipalAccess'."))?;
        let access = Members::parse(access.get().as_bytes(), "PrincipalAccess")?;
        let share = self.share(writer, &body, &access, "Principal")?;
        let names = access.text("AccessMask").ok_or_else(|| {
            payload_error("PrincipalAccess", "'PrincipalAccess' has no 'AccessMask'.")
        })?;
        let mut mask = 0;
        for name in names.split(',').map(str::trim) {
            if name == "None" {
                continue;
            }
            let kind = PrivilegeType::ACCESS
                .into_iter()
                .find(|kind| name.strip_suffix("Access") == Some(kind.as_str()))
                .ok_or_else(|| {
                    payload_error(
                        "PrincipalAccess",
                        &format!("'{name}' is no member of AccessRights."),
                    )
                })?;
            // Nobody can share what is not theirs to do.
            self.require_access(writer.connection(), share.table, share.row, kind)?;
            mask |= kind.access_right();
        }
        Ok((share, mask))
    }

    fn share(
        &self,
        writer: &Writer<'_>,
        body: &Members,
        access: &Members,
        principal: &str,
    ) -> Result<Share<'_>, ODataError> {
        let connection = writer.connection();
        let (table, row) = self.row_member(connection, body, "Target")?;
        let (principal_table, principal) = self.row_member(connection, access, principal)?;
        if !is_principal(principal_table) {
            return Err(payload_error(
                "PrincipalAccess",
                "A row is shared with a systemuser or a team.",
            ));
        }
        require_shareable(table)?;
        self.require_access(connection, table, row, PrivilegeType::Share)?;
        if lookup_of(connection, table, row, "ownerid")? == Some(principal) {
            return Err(ODataError::bad_request(
                "0x80040214",
                "An item cannot be shared with the owning user.",
            ));
        }
        Ok(Share {
            table,
            row,
            principal_table,
            principal,
        })
    }

    /// `RetrieveSharedPrincipalsAndAccess(Target=@t)`.
    pub(in crate::api) fn shared_principals(
        &self,
        connection: &Connection,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        let (table, id) = self.row_argument(connection, arguments, "Target")?;
        require_shareable(table)?;
        self.require_readable(connection, table, id)?;
        let mut statement = connection.prepare_cached(
            "SELECT principalid, principaltypecode, accessrightsmask FROM principalobjectaccess \
             WHERE objectid = ?1 ORDER BY principalid",
        )?;
        let mut rows = statement.query([id.to_string()])?;
        let mut shares = Vec::new();
        while let Some(row) = rows.next()? {
            let principal = parse_guid(row.get_ref(0)?.as_str().unwrap_or_default());
            let kind: String = row.get(1)?;
            let key = format!("{kind}id");
            shares.push(json!({
                "AccessMask": PrivilegeType::names_of(row.get(2)?),
                "Principal": {
                    "@odata.type": format!("#Microsoft.Dynamics.CRM.{kind}"),
                    "ownerid": principal,
                    key: principal,
                },
            }));
        }
        let body = json!({"PrincipalAccesses": shares});
        Ok(self.complex("RetrieveSharedPrincipalsAndAccessResponse", body))
    }
}

/// Only rows that a user or team owns are shared.
fn require_shareable(table: &Table) -> Result<(), ODataError> {
    if table.ownership == Ownership::UserOwned {
        return Ok(());
    }
    Err(ODataError::bad_request(
        "0x80040800",
        format!(
            "The 'GrantAccess' method does not support entities of type '{}'.",
            table.logical_name
        ),
    ))
}
