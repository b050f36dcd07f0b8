//! The functions of the audit log (reference §10).

use axum::http::StatusCode;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    api::{Call, Response},
    audit::{Reader, push_detail},
    ids::ROOT_BUSINESS_UNIT,
    odata::{Literal, filter::Operand},
    schema::Table,
    wire::{
        ODataError,
        json::{push_integer, push_member, push_name, push_separator},
    },
};

/// The privilege that the functions need.
const HISTORY: &str = "prvReadRecordAuditHistory";

/// Most details on a page.
const MAX_PAGE: i64 = 5_000;

/// `Microsoft.Dynamics.CRM.PagingInfo`
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
struct PagingInfo {
    page_number: i64,
    count: i64,
    /// Pages are found by their number; the cookie only records where the last one ended.
    #[serde(rename = "PagingCookie")]
    _paging_cookie: Option<String>,
    return_total_record_count: bool,
}

impl Default for PagingInfo {
    fn default() -> Self {
        Self {
            page_number: 1,
            count: MAX_PAGE,
            _paging_cookie: None,
            return_total_record_count: false,
        }
    }
}

impl<'a> Call<'a> {
    /// `GET audits(id)/Microsoft.Dynamics.CRM.RetrieveAuditDetails()`.
    pub(super) fn audit_details(
        &self,
        connection: &Connection,
        log: &Table,
        id: Uuid,
    ) -> Result<Response, ODataError> {
        self.caller.require(HISTORY, log)?;
        let sql = "SELECT objecttypecode, changedata FROM audit WHERE auditid = ?1";
        let found: Option<(String, Option<String>)> = connection
            .prepare_cached(sql)?
            .query_row([id.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (table, data) = found.ok_or_else(|| ODataError::no_row("audit", id))?;
        let mut body = self.open_complex("RetrieveAuditDetailsResponse");
        push_name(&mut body, "AuditDetail");
        self.push_audit_detail(&mut body, &table, data.as_deref().unwrap_or_default())?;
        body.push(b'}');
        Ok(Response::json(StatusCode::OK, body))
    }

    /// `GET RetrieveRecordChangeHistory(Target=@t,PagingInfo=@p)`.
    pub(super) fn row_history(
        &'a self,
        connection: &'a Connection,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        let (table, id) = self.row_with_history(connection, arguments)?;
        self.change_history(connection, arguments, table, id, None)
    }

    /// `GET RetrieveAttributeChangeHistory(Target=@t,AttributeLogicalName='name',PagingInfo=@p)`.
    pub(super) fn column_history(
        &'a self,
        connection: &'a Connection,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        let (table, id) = self.row_with_history(connection, arguments)?;
        let column = self.audited_column(arguments, table)?;
        self.change_history(connection, arguments, table, id, Some(column))
    }

    /// The row of the parameter `Target`, whose history the caller may read.
    fn row_with_history(
        &self,
        connection: &Connection,
        arguments: &str,
    ) -> Result<(&Table, Uuid), ODataError> {
        let (table, id) = self.row_argument(connection, arguments, "Target")?;
        self.caller.require(HISTORY, table)?;
        self.require_readable(connection, table, id)?;
        Ok((table, id))
    }

    fn change_history(
        &'a self,
        connection: &'a Connection,
        arguments: &str,
        table: &Table,
        id: Uuid,
        column: Option<String>,
    ) -> Result<Response, ODataError> {
        let function = if column.is_some() {
            "RetrieveAttributeChangeHistory"
        } else {
            "RetrieveRecordChangeHistory"
        };
        let paging = self.paging_info(arguments)?;

        let mut condition = "objectid = ?1".to_owned();
        let mut values = vec![id.to_string()];
        if let Some(column) = column {
            condition.push_str(
                " AND EXISTS (SELECT 1 FROM json_each(changedata, '$.changedAttributes') WHERE \
                 json_extract(value, '$.logicalName') = ?2)",
            );
            values.push(column);
        }
        let limit = paging.count + 1;
        let offset = (paging.page_number - 1).saturating_mul(paging.count);
        let sql = format!(
            "SELECT changedata, auditid FROM audit WHERE {condition} ORDER BY createdon DESC, \
             \"$version\" DESC LIMIT {limit} OFFSET {offset}"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(&values))?;
        let mut details = vec![b'['];
        let mut keys: Vec<String> = Vec::new();
        let mut more = false;
        while let Some(row) = rows.next()? {
            if i64::try_from(keys.len()).is_ok_and(|count| count == paging.count) {
                more = true;
                break;
            }
            push_separator(&mut details);
            let data = row.get_ref(0)?.as_str_or_null().unwrap_or(None);
            let name = &table.logical_name;
            self.push_audit_detail(&mut details, name, data.unwrap_or_default())?;
            keys.push(row.get(1)?);
        }
        details.push(b']');
        let total = if paging.return_total_record_count {
            let sql = format!("SELECT count(*) FROM audit WHERE {condition}");
            connection
                .prepare_cached(&sql)?
                .query_row(params_from_iter(&values), |row| row.get(0))?
        } else {
            -1
        };

        let mut body = self.open_complex(&format!("{function}Response"));
        push_name(&mut body, "AuditDetailCollection");
        body.push(b'{');
        push_name(&mut body, "MoreRecords");
        body.extend_from_slice(more.to_string().as_bytes());
        push_member(
            &mut body,
            "PagingCookie",
            &cookie(paging.page_number, &keys),
        );
        push_name(&mut body, "TotalRecordCount");
        push_integer(&mut body, total);
        push_name(&mut body, "AuditDetails");
        body.extend(details);
        body.extend_from_slice(b"}}");
        Ok(Response::json(StatusCode::OK, body))
    }

    fn audited_column(&self, arguments: &str, table: &Table) -> Result<String, ODataError> {
        match self.argument(arguments, "AttributeLogicalName")? {
            Operand::Literal(Literal::Text(name)) if table.column(&name).is_some() => Ok(name),
            Operand::Literal(Literal::Text(name)) => Err(ODataError::bad_request(
                "0x80041103",
                format!(
                    "'{}' entity doesn't contain attribute with Name = '{name}'.",
                    table.logical_name
                ),
            )),
            _ => Err(ODataError::syntax(
                "The parameter 'AttributeLogicalName' must be the name of a column.",
            )),
        }
    }

    /// The parameter `PagingInfo`, given by alias; without it the first page is returned.
    fn paging_info(&self, arguments: &str) -> Result<PagingInfo, ODataError> {
        let Some(text) = self.aliased(arguments, "PagingInfo")? else {
            return Ok(PagingInfo::default());
        };
        let malformed = |problem: &str| {
            ODataError::syntax(format!(
                "The parameter 'PagingInfo' is not usable: {problem}."
            ))
        };
        let mut paging: PagingInfo =
            serde_json::from_str(&text).map_err(|error| malformed(&error.to_string()))?;
        if paging.page_number < 1 || paging.count < 0 {
            return Err(malformed("pages are numbered from 1 and have rows"));
        }
        if paging.count == 0 || paging.count > MAX_PAGE {
            paging.count = MAX_PAGE;
        }
        Ok(paging)
    }

    fn push_audit_detail(
        &self,
        out: &mut Vec<u8>,
        table: &str,
        data: &str,
    ) -> Result<(), ODataError> {
        let table = self.model().table(table)?;
        let reader = Reader {
            model: self.model(),
            rights: &self.caller.viewer.columns,
            unit: ROOT_BUSINESS_UNIT,
        };
        push_detail(out, &reader, table, data);
        Ok(())
    }

    /// `{"@odata.context":…`, for a complex value.
    fn open_complex(&self, kind: &str) -> Vec<u8> {
        let root = &self.request.root;
        let mut body = vec![b'{'];
        let context = format!("{root}/$metadata#Microsoft.Dynamics.CRM.{kind}");
        push_member(&mut body, "@odata.context", &context);
        body
    }
}

/// `<cookie page="1"><auditid last="{…}" first="{…}" /></cookie>`
fn cookie(page: i64, keys: &[String]) -> String {
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
        return String::new();
    };
    let (first, last) = (first.to_uppercase(), last.to_uppercase());
    format!(
        "<cookie page=\"{page}\"><auditid last=\"{{{last}}}\" first=\"{{{first}}}\" /></cookie>"
    )
}
