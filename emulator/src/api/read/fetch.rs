//! Rows that a `FetchXML` query finds (reference §4.13).

use axum::http::StatusCode;
use rusqlite::{Connection, params_from_iter};

use super::list::Source;
use crate::{
    api::{Call, Response, request::MAX_PAGE},
    fetch::{Context, Fetch, FetchError, Statement},
    odata::{
        fragment::Sql,
        order::{CookieRow, after, cookie_row},
        skiptoken::SkipToken,
    },
    wire::{
        ODataError,
        json::{push_integer, push_member, push_name, push_separator},
    },
};

/// Rows that paging without a cookie reaches, and rows that an aggregate query may cover.
const MAX_WITHOUT_COOKIE: u64 = 50_000;

const COOKIE: &str = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie";
const MORE: &str = "Microsoft.Dynamics.CRM.morerecords";
const TOTAL: &str = "Microsoft.Dynamics.CRM.totalrecordcount";
const TOTAL_EXCEEDED: &str = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded";

/// The requested part of a query's rows.
struct Window {
    limit: usize,
    offset: u64,
    after: Option<Sql>,
    page: u64,
}

/// The rows of a window as JSON objects with commas between them.
pub(super) struct Page {
    pub(super) rows: Vec<u8>,
    pub(super) more: bool,
    pub(super) first: CookieRow,
    pub(super) last: CookieRow,
}

impl<'a> Call<'a> {
    /// `GET {set}?fetchXml=…`.
    pub(super) fn fetch(
        &'a self,
        connection: &Connection,
        source: &Source<'a>,
        xml: &str,
    ) -> Result<Response, ODataError> {
        self.options.refuse_beside("fetchXml", &[])?;
        if source.condition.is_some() {
            return Err(ODataError::bad_request(
                "0x80060888",
                "FetchXML queries run on an entity set, not on a collection of a row.",
            ));
        }
        let fetch = Fetch::parse(xml)?;
        let statement = Statement::new(self.fetch_context(), &fetch, None)?;
        if fetch.root.table != source.table.logical_name {
            return Err(ODataError::bad_request(
                "0x80041128",
                format!(
                    "The entity '{}' of the FetchXML query does not match the entity set '{}'.",
                    fetch.root.table, source.table.entity_set_name
                ),
            ));
        }
        if fetch.aggregate {
            refuse_too_many(connection, &fetch, &statement)?;
        }
        let window = self.window(&fetch, &statement)?;
        let sql = statement.rows(window.after, window.limit + 1, window.offset);
        let page = read_page(connection, &statement, &sql, window.limit)?;
        let more = page.more && fetch.top.is_none();

        let wanted = |name: &str| self.prefer.annotations.include(name);
        let mut body = self.open_list(&statement);
        if wanted(TOTAL) || wanted(TOTAL_EXCEEDED) {
            self.push_total(connection, &fetch, &statement, &mut body)?;
        }
        if more && statement.has_cookie && wanted(COOKIE) {
            let next = SkipToken {
                page: window.page + 1,
                tracking: false,
                last: page.last,
            };
            push_member(&mut body, &format!("@{COOKIE}"), &next.cookie(&page.first));
        }
        if wanted(MORE) {
            push_name(&mut body, &format!("@{MORE}"));
            body.extend_from_slice(more.to_string().as_bytes());
        }
        push_rows(&mut body, &page.rows);
        body.push(b'}');
        Ok(Response::json(StatusCode::OK, body).with_applied(self.prefer.applied_to_list()))
    }

    /// `GET {set}?sql=SELECT …`: pages have links, as those of views.
    pub(super) fn sql(
        &'a self,
        connection: &Connection,
        source: &Source<'a>,
        text: &str,
    ) -> Result<Response, ODataError> {
        self.options.refuse_beside("sql", &["$skiptoken"])?;
        let fetch = Fetch::from_sql(text, self.model())?;
        if source.condition.is_some() || fetch.root.table != source.table.logical_name {
            return Err(ODataError::bad_request(
                "0x80041128",
                format!(
                    "The table '{}' of the SQL query does not match the entity set '{}'.",
                    fetch.root.table, source.table.entity_set_name
                ),
            ));
        }
        let statement = Statement::new(self.fetch_context(), &fetch, None)?;
        if fetch.aggregate {
            refuse_too_many(connection, &fetch, &statement)?;
        }
        self.statement_page(
            connection,
            &statement,
            fetch.top,
            fetch.distinct || fetch.aggregate,
        )
    }

    pub(in crate::api) fn fetch_context(&'a self) -> Context<'a> {
        Context {
            model: self.model(),
            caller: self.caller,
            options: &self.options,
            annotations: &self.prefer.annotations,
            now: self.now(),
        }
    }

    /// `{"@odata.context":…`, for the list of a statement's rows.
    pub(super) fn open_list(&self, statement: &Statement<'_>) -> Vec<u8> {
        let mut body = Vec::with_capacity(64 * 1024);
        body.push(b'{');
        let selected = statement.selected.join(",");
        let selected = if selected.is_empty() {
            selected
        } else {
            format!("({selected})")
        };
        let set = &statement.table.entity_set_name;
        let context = format!("{}/$metadata#{set}{selected}", self.request.root);
        push_member(&mut body, "@odata.context", &context);
        body
    }

    /// Where the requested page begins.
    fn window(&self, fetch: &Fetch, statement: &Statement<'_>) -> Result<Window, ODataError> {
        let size = fetch.top.or(fetch.count).or(self.prefer.page_size);
        let limit = size.unwrap_or(MAX_PAGE).min(MAX_PAGE);
        let rows = u64::try_from(limit).unwrap_or(u64::MAX);
        let page = fetch.page.unwrap_or(1);
        if let Some(cookie) = &fetch.cookie {
            let token = SkipToken::parse_inner(cookie).ok_or_else(FetchError::foreign_cookie)?;
            let after =
                after(&statement.order, &token).map_err(|_| FetchError::foreign_cookie())?;
            // A cookie leads forward; to a page before its own only counting leads.
            if let Some(ahead) = page.checked_sub(token.page) {
                return Ok(Window {
                    limit,
                    offset: ahead.saturating_mul(rows),
                    after: Some(after),
                    page,
                });
            }
        }
        if page.saturating_mul(rows) > MAX_WITHOUT_COOKIE {
            return Err(FetchError::invalid(format!(
                "Paging without a paging cookie reaches {MAX_WITHOUT_COOKIE} rows and no further: \
                 page {page} of {limit} rows each lies beyond."
            )));
        }
        Ok(Window {
            limit,
            offset: (page - 1).saturating_mul(rows),
            after: None,
            page,
        })
    }

    /// The counting annotations; −1 unless the count is requested.
    fn push_total(
        &self,
        connection: &Connection,
        fetch: &Fetch,
        statement: &Statement<'_>,
        body: &mut Vec<u8>,
    ) -> Result<(), ODataError> {
        let (total, exceeded) = if fetch.total {
            counted(connection, statement)?
        } else {
            (-1, false)
        };
        if self.prefer.annotations.include(TOTAL) {
            push_name(body, &format!("@{TOTAL}"));
            push_integer(body, total);
        }
        if self.prefer.annotations.include(TOTAL_EXCEEDED) {
            push_name(body, &format!("@{TOTAL_EXCEEDED}"));
            body.extend_from_slice(exceeded.to_string().as_bytes());
        }
        Ok(())
    }
}

/// Appends `"value":[…]`.
pub(super) fn push_rows(body: &mut Vec<u8>, rows: &[u8]) {
    push_name(body, "value");
    body.push(b'[');
    body.extend_from_slice(rows);
    body.push(b']');
}

/// Reads up to `limit` rows, and whether there is one more.
pub(super) fn read_page(
    connection: &Connection,
    statement: &Statement<'_>,
    sql: &Sql,
    limit: usize,
) -> Result<Page, ODataError> {
    let plan = &statement.plan;
    let mut page = Page {
        rows: Vec::with_capacity(64 * 1024),
        more: false,
        first: CookieRow::new(),
        last: CookieRow::new(),
    };
    let mut prepared = connection.prepare_cached(&sql.text)?;
    let mut rows = prepared.query(params_from_iter(&sql.values))?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        if count == limit {
            page.more = true;
            break;
        }
        count += 1;
        push_separator(&mut page.rows);
        page.rows.push(b'{');
        plan.write_members(&mut page.rows, row)?;
        page.rows.push(b'}');
        if count == 1 {
            page.first = cookie_row(&statement.order, row, plan.columns.len())?;
        }
        if count == limit {
            page.last = cookie_row(&statement.order, row, plan.columns.len())?;
        }
    }
    Ok(page)
}

/// The number of rows, up to 5,000, and whether there are more.
pub(super) fn counted(
    connection: &Connection,
    statement: &Statement<'_>,
) -> Result<(i64, bool), ODataError> {
    let limit = i64::try_from(MAX_PAGE).unwrap_or(i64::MAX);
    let sql = statement.count(MAX_PAGE + 1);
    let count: i64 = connection
        .prepare_cached(&sql.text)?
        .query_row(params_from_iter(&sql.values), |row| row.get(0))?;
    Ok((count.min(limit), count > limit))
}

/// Rejects to aggregate more rows than the service would.
pub(super) fn refuse_too_many(
    connection: &Connection,
    fetch: &Fetch,
    statement: &Statement<'_>,
) -> Result<(), ODataError> {
    let most = usize::try_from(MAX_WITHOUT_COOKIE).unwrap_or(usize::MAX);
    let most = fetch.aggregate_limit.map_or(most, |limit| limit.min(most));
    let sql = statement.count(most + 1);
    let count: i64 = connection
        .prepare_cached(&sql.text)?
        .query_row(params_from_iter(&sql.values), |row| row.get(0))?;
    if usize::try_from(count).unwrap_or(usize::MAX) <= most {
        return Ok(());
    }
    Err(ODataError::bad_request(
        "0x8004E023",
        "AggregateQueryRecordLimit exceeded. Cannot perform this operation.",
    ))
}
