//! Members of marketing lists (reference §12.3).

use axum::http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::{
    api::{
        Call, Response,
        key::parse_id,
        payload::{Members, payload_error},
    },
    schema::{PrivilegeType, Table},
    store::{Value, Writer},
    wire::ODataError,
};

impl Call<'_> {
    /// `POST lists(id)/Microsoft.Dynamics.CRM.AddMemberList` with `{"EntityId":"…"}`.
    pub(in crate::api::operations) fn add_list_member(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
    ) -> Result<Response, ODataError> {
        let member = self.member_parameter()?;
        self.change_member(writer, table, id, true, member)?;
        let link = member_of(writer, id, member)?;
        Ok(self.complex("AddMemberListResponse", json!({"Id": link})))
    }

    /// `POST lists(id)/Microsoft.Dynamics.CRM.RemoveMemberList` with `{"EntityId":"…"}`.
    pub(in crate::api::operations) fn remove_list_member(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
    ) -> Result<Response, ODataError> {
        let member = self.member_parameter()?;
        self.change_member(writer, table, id, false, member)?;
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    fn member_parameter(&self) -> Result<Uuid, ODataError> {
        Members::parse(&self.request.body, "lists")?
            .text("EntityId")
            .and_then(|text| parse_id(&text))
            .ok_or_else(|| payload_error("lists", "The body has no GUID 'EntityId'."))
    }

    /// `POST AddListMembersList` with `{"List":{…},"Members":[{…}]}`.
    pub(in crate::api::operations) fn add_list_members(
        &self,
        writer: &Writer<'_>,
    ) -> Result<Response, ODataError> {
        let body = Members::parse(&self.request.body, "AddListMembersList")?;
        let (table, id) = self.row_member(writer.connection(), &body, "List")?;
        if table.logical_name != "list" {
            return Err(payload_error(
                "AddListMembersList",
                "'List' must be a list.",
            ));
        }
        let members: Vec<Members> = body
            .get("Members")
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .ok_or_else(|| {
                payload_error("AddListMembersList", "The body has no array 'Members'.")
            })?;
        for member in members {
            let (_, member) = self.row_of(writer.connection(), &member, None)?;
            self.change_member(writer, table, id, true, member)?;
        }
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// Adds a row to a list or removes it. Adding a member again or removing another row has no
    /// effect.
    fn change_member(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        adds: bool,
        member: Uuid,
    ) -> Result<(), ODataError> {
        self.require_access(writer.connection(), table, id, PrivilegeType::Write)?;
        let before = writer
            .row("list", id)?
            .ok_or_else(|| ODataError::no_row("list", id))?;
        let layout = writer.store().layout("list")?;
        let flag = |column: &str| *layout.get(&before.values, column) == Value::Bool(true);
        if flag("type") || flag("lockstatus") {
            let why = if flag("type") { "dynamic" } else { "locked" };
            return Err(ODataError::bad_request(
                "0x80040203",
                format!("The members of the marketing list {id} cannot be changed: it is {why}."),
            ));
        }
        let (navigation, kind) = match layout.get(&before.values, "createdfromcode") {
            Value::Int(1) => ("listaccount_association", "account"),
            Value::Int(2) => ("listcontact_association", "contact"),
            _ => ("listlead_association", "lead"),
        };
        if writer.row(kind, member)?.is_none() {
            return Err(ODataError::no_row(kind, member));
        }
        let link = member_of(writer, id, member)?;
        let step = match (adds, link) {
            (true, None) => {
                self.associate(writer, table, id, navigation, member)?;
                1
            }
            (false, Some(_)) => {
                self.disassociate(writer, table, id, navigation, member)?;
                -1
            }
            _ => 0,
        };
        if let (Value::Int(count), true) = (layout.get(&before.values, "membercount"), step != 0) {
            let mut after = before.values.clone();
            layout.set(&mut after, "membercount", Value::Int(count + step));
            writer.update("list", &before, &after)?;
        }
        Ok(())
    }
}

/// Key of the row of a member of a list.
fn member_of(writer: &Writer<'_>, list: Uuid, member: Uuid) -> Result<Option<Uuid>, ODataError> {
    let layout = writer.store().layout("listmember")?;
    for link in writer.referring("listmember", "listid", list)? {
        let row = writer.row("listmember", link)?;
        if row.is_some_and(|row| layout.get(&row.values, "entityid").id() == Some(member)) {
            return Ok(Some(link));
        }
    }
    Ok(None)
}
