//! Rows that a saved view finds (reference §4.14).

use axum::http::StatusCode;
use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use super::{
    fetch::{counted, push_rows, read_page},
    list::Source,
};
use crate::{
    api::{Call, Response, request::MAX_PAGE},
    fetch::{Fetch, Statement},
    odata::{order::after, skiptoken::SkipToken},
    wire::{
        ODataError,
        json::{push_integer, push_member, push_name},
    },
};

/// Options that may narrow what a view finds.
const OPTIONS: [&str; 5] = ["$select", "$filter", "$top", "$count", "$skiptoken"];

impl<'a> Call<'a> {
    /// The table that holds the view this request runs, and the view's key.
    pub(super) fn requested_view(&self) -> Option<(&'static str, &str)> {
        let custom = &self.options.custom;
        let system = custom.get("savedQuery").map(|id| ("savedquery", id));
        let view = system.or_else(|| custom.get("userQuery").map(|id| ("userquery", id)));
        view.map(|(table, id)| (table, id.as_str()))
    }

    /// `GET {set}?savedQuery={id}`, `GET {set}?userQuery={id}`, also on a row's collection.
    pub(super) fn view(
        &'a self,
        connection: &Connection,
        source: &Source<'a>,
        kind: &str,
        id: &str,
    ) -> Result<Response, ODataError> {
        self.options.refuse_beside("a saved view", &OPTIONS)?;
        let xml = self.view_query(connection, source, kind, id)?;
        let fetch = Fetch::parse(&xml)?;
        let select = self.options.select.as_deref();
        let mut statement = Statement::new(self.fetch_context(), &fetch, select)?;
        if let Some(condition) = &source.condition {
            statement.narrow(condition.clone());
        }
        if let Some(filter) = &self.options.filter {
            let condition = self.compiler(source.table).condition(filter)?;
            statement.narrow(condition);
        }
        let by_count = fetch.distinct || fetch.aggregate;
        self.statement_page(connection, &statement, fetch.top, by_count)
    }

    /// The requested page of a statement's rows. Rows without a key of their own
    /// are counted from page to page.
    pub(super) fn statement_page(
        &self,
        connection: &Connection,
        statement: &Statement<'_>,
        top: Option<usize>,
        by_count: bool,
    ) -> Result<Response, ODataError> {
        let token = self.skip_token()?;
        let page = token.as_ref().map_or(1, |token| token.page);
        // A page size makes the service ignore $top, as in other lists.
        let given = self.options.top.filter(|_| self.prefer.page_size.is_none());
        let top = given.or(top);
        let limit = top
            .or(self.prefer.page_size)
            .unwrap_or(MAX_PAGE)
            .min(MAX_PAGE);
        let rows_before = (page - 1).saturating_mul(u64::try_from(limit).unwrap_or(u64::MAX));
        let (beyond, offset) = match &token {
            Some(token) if !by_count => (Some(after(&statement.order, token)?), 0),
            _ => (None, rows_before),
        };
        let sql = statement.rows(beyond, limit + 1, offset);
        let found = read_page(connection, statement, &sql, limit)?;

        let mut body = self.open_list(statement);
        if self.options.count {
            push_name(&mut body, "@odata.count");
            push_integer(&mut body, counted(connection, statement)?.0);
        }
        push_rows(&mut body, &found.rows);
        if found.more && top.is_none() {
            let next = SkipToken {
                page: page + 1,
                tracking: false,
                last: found.last,
            };
            let link = self.link(&[("$skiptoken", &next.encode(&found.first))]);
            push_member(&mut body, "@odata.nextLink", &link);
        }
        body.push(b'}');
        Ok(Response::json(StatusCode::OK, body).with_applied(self.prefer.applied_to_list()))
    }

    /// The query of a view that the caller may see and that is about the table.
    fn view_query(
        &self,
        connection: &Connection,
        source: &Source<'_>,
        kind: &str,
        id: &str,
    ) -> Result<String, ODataError> {
        let id = Uuid::try_parse(id).map_err(|_| {
            ODataError::bad_request("0x80060888", format!("'{id}' is not the id of a view."))
        })?;
        let views = self.model().table(kind)?;
        if !self.require_readable(connection, views, id)? {
            return Err(ODataError::no_row(kind, id));
        }
        let sql = format!("SELECT fetchxml, returnedtypecode FROM \"{kind}\" WHERE {kind}id = ?1");
        let found: Option<(Option<String>, Option<String>)> = connection
            .prepare_cached(&sql)?
            .query_row([id.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (xml, table) = found.ok_or_else(|| ODataError::no_row(kind, id))?;
        let table = table.unwrap_or_default();
        if table != source.table.logical_name {
            return Err(ODataError::bad_request(
                "0x80041128",
                format!(
                    "The view is about '{table}' and cannot be run on the entity set '{}'.",
                    source.table.entity_set_name
                ),
            ));
        }
        Ok(xml.unwrap_or_default())
    }
}
