//! Items of queues (reference §12.3).

use serde_json::json;
use uuid::Uuid;

use crate::{
    api::{Call, Response, key::RowKey, payload::Members},
    schema::{PrivilegeType, Table},
    store::{Value, Writer},
    wire::ODataError,
};

impl Call<'_> {
    /// `POST queues(id)/Microsoft.Dynamics.CRM.AddToQueue` with `{"Target":{…}}`: a row that is in
    /// a queue already is moved from there.
    pub(in crate::api::operations) fn add_to_queue(
        &self,
        writer: &Writer<'_>,
        queues: &Table,
        queue: Uuid,
    ) -> Result<Response, ODataError> {
        let body = Members::parse(&self.request.body, "AddToQueue")?;
        let connection = writer.connection();
        let (table, target) = self.row_member(connection, &body, "Target")?;
        self.require_readable(connection, queues, queue)?;
        self.require_readable(connection, table, target)?;
        let items = self.model().table("queueitem")?;
        let name = &table.logical_name;
        let targets = items.column("objectid").map(|column| column.targets());
        if !targets.is_some_and(|targets| targets.contains(&name.as_str())) {
            return Err(ODataError::bad_request(
                "0x80040203",
                format!("Rows of '{name}' cannot be added to a queue."),
            ));
        }
        let there = writer.referring("queueitem", "objectid", target)?;
        let source = body.get("SourceQueue").filter(|raw| raw.get() != "null");
        if let Some(source) = source {
            let source = Members::parse(source.get().as_bytes(), "SourceQueue")?;
            let (_, source) = self.row_of(connection, &source, Some("queue"))?;
            let layout = writer.store().layout("queueitem")?;
            let item = there.first().map(|item| writer.row("queueitem", *item));
            let found = item.transpose()?.flatten();
            if found.is_none_or(|row| layout.get(&row.values, "queueid").id() != Some(source)) {
                return Err(ODataError::bad_request(
                    "0x80040203",
                    format!("The row {target} is not in the queue {source}."),
                ));
            }
        }
        let mut members = vec![format!("\"queueid@odata.bind\":\"/queues({queue})\"")];
        let properties = body.get("QueueItemProperties");
        let properties = properties.filter(|raw| raw.get() != "null");
        let more = properties.map(|raw| Members::parse(raw.get().as_bytes(), "queueitems"));
        let more = more.transpose()?.unwrap_or_default();
        members.extend(
            more.0
                .iter()
                .map(|(name, value)| format!("{}:{}", json!(name), value.get())),
        );
        let item = if let Some(&item) = there.first() {
            let members = format!("{{{}}}", members.join(","));
            let members = Members::parse(members.as_bytes(), "queueitems")?;
            let before = writer
                .row("queueitem", item)?
                .ok_or_else(|| ODataError::no_row("queueitem", item))?;
            self.update_record(writer, items, &before, &members, &RowKey::Primary(item))?;
            item
        } else {
            self.caller.depth(items, PrivilegeType::Create)?;
            let layout = writer.store().layout(name)?;
            let row = writer.row(name, target)?;
            let title = table
                .primary_name
                .as_ref()
                .zip(row)
                .map(|(column, row)| layout.get(&row.values, column).clone());
            let fixed = [
                ("objectid", Value::lookup(name, target)),
                ("title", title.unwrap_or(Value::Null)),
                ("enteredon", Value::DateTime(self.now())),
                (
                    "objecttypecode",
                    Value::Int(i64::from(table.object_type_code)),
                ),
            ];
            let fixed = fixed.map(|(column, value)| (column.to_owned(), value));
            let members = format!("{{{}}}", members.join(","));
            let members = Members::parse(members.as_bytes(), "queueitems")?;
            self.create_record(writer, items, &members, &fixed)?
        };
        Ok(self.complex("AddToQueueResponse", json!({"QueueItemId": item})))
    }
}
