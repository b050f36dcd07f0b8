//! `BulkDelete`: deletion of what queries find (reference §8.3).

use rusqlite::params_from_iter;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    api::{
        Call, Response,
        key::parse_id,
        payload::{Members, payload_error},
    },
    fetch::{Fetch, Statement},
    odata::plan::KEY,
    schema::PrivilegeType,
    store::{Value, Writer},
    wire::ODataError,
};

/// The job's table.
const JOB: &str = "asyncoperation";

/// `operationtype` of a bulk deletion.
const OPERATION: i64 = 13;

/// `statecode` and `statuscode` of a job that succeeded.
const SUCCEEDED: (i64, i64) = (3, 30);

impl Call<'_> {
    /// `POST BulkDelete` with `{"QuerySet":[…],"JobName":"…",…}`: the job is done at once. Rows
    /// that the caller may not delete stay, as they do when the service's own job meets them.
    pub(super) fn bulk_delete(&self, writer: &Writer<'_>) -> Result<Response, ODataError> {
        let body = Members::parse(&self.request.body, "BulkDelete")?;
        let jobs = self.model().table(JOB)?;
        self.caller.require("prvBulkDelete", jobs)?;
        if body
            .text("RecurrencePattern")
            .is_some_and(|pattern| !pattern.is_empty())
        {
            return Err(ODataError::not_implemented("A recurring bulk deletion"));
        }
        let queries: Vec<Json> = body
            .get("QuerySet")
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .ok_or_else(|| payload_error("BulkDelete", "The body has no list 'QuerySet'."))?;
        for query in &queries {
            self.delete_found(writer, &Fetch::from_expression(query)?)?;
        }
        let id = Uuid::new_v4();
        let author = self.author();
        let now = Value::DateTime(author.now);
        let name = body.text("JobName").unwrap_or_default();
        writer.create(
            JOB,
            author,
            &[
                (jobs.primary_id.as_str(), Value::Guid(id)),
                ("name", Value::Text(name.chars().take(100).collect())),
                ("operationtype", Value::Int(OPERATION)),
                ("statecode", Value::Int(SUCCEEDED.0)),
                ("statuscode", Value::Int(SUCCEEDED.1)),
                ("startedon", now.clone()),
                ("completedon", now),
            ],
        )?;
        Ok(self.complex("BulkDeleteResponse", json!({"JobId": id})))
    }

    fn delete_found(&self, writer: &Writer<'_>, fetch: &Fetch) -> Result<(), ODataError> {
        let statement = Statement::new(self.fetch_context(), fetch, None)?;
        let table = statement.table;
        self.caller.depth(table, PrivilegeType::Delete)?;
        let sql = statement.rows(None, usize::MAX >> 1, 0);
        let ids: Vec<Uuid> = {
            let mut prepared = writer.connection().prepare(&sql.text)?;
            let found = prepared.query_map(params_from_iter(&sql.values), |row| {
                row.get::<_, String>(KEY)
            })?;
            let keys = found.collect::<Result<Vec<_>, _>>()?;
            keys.iter().filter_map(|key| parse_id(key)).collect()
        };
        for id in ids {
            // A row may have been deleted with another that was found too.
            if writer.row(&table.logical_name, id)?.is_none()
                || self
                    .require_access(writer.connection(), table, id, PrivilegeType::Delete)
                    .is_err()
            {
                continue;
            }
            self.prepare_delete(writer, table, id)?;
            self.delete_record(writer, table, id)?;
        }
        Ok(())
    }
}
