//! The stages of a business process (reference §12.3).

use axum::http::StatusCode;
use rusqlite::Connection;

use crate::{
    api::{Call, Response, access::row_exists},
    processes::Process,
    schema::PrivilegeType,
    wire::{
        ODataError,
        json::{push_member, push_name, push_separator},
    },
};

impl Call<'_> {
    /// `RetrieveActivePath(ProcessInstanceId=…)`: the stages in their order.
    pub(in crate::api::operations) fn active_path(
        &self,
        connection: &Connection,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        let id = self.guid_argument(arguments, "ProcessInstanceId")?;
        let missing = || ODataError::no_row("businessprocessflowinstance", id);
        let mut found = None;
        for process in Process::ALL {
            let table = self.model().table(process.table())?;
            if found.is_none() && row_exists(connection, table, id)? {
                self.require_readable(connection, table, id)?;
                found = Some(process);
            }
        }
        let process = found.ok_or_else(missing)?;
        let stages = self.model().table("processstage")?;
        self.caller.depth(stages, PrivilegeType::Read)?;
        let sql = "SELECT processstageid, stagename, stagecategory FROM processstage \
                   WHERE processid = ?1 ORDER BY stagecategory";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([process.id().to_string()])?;
        let mut body = vec![b'{'];
        let context = format!("{}/$metadata#processstages", self.request.root);
        push_member(&mut body, "@odata.context", &context);
        push_name(&mut body, "value");
        body.push(b'[');
        while let Some(row) = rows.next()? {
            push_separator(&mut body);
            body.push(b'{');
            push_member(&mut body, "processstageid", &row.get::<_, String>(0)?);
            push_member(&mut body, "stagename", &row.get::<_, String>(1)?);
            push_name(&mut body, "stagecategory");
            body.extend_from_slice(row.get::<_, i64>(2)?.to_string().as_bytes());
            body.push(b'}');
        }
        body.extend_from_slice(b"]}");
        Ok(Response::json(StatusCode::OK, body))
    }
}
