//! Lists of rows (reference §4).

use axum::http::StatusCode;
use rusqlite::{Connection, Row, params_from_iter, types::Value as SqlValue};

use super::{
    Call, Response,
    expand::{self, ExpandPlan},
    request::MAX_PAGE,
};
use crate::{
    odata::{
        ODataError,
        json::{push_integer, push_member, push_name},
        plan::{KEY, Plan},
        skiptoken::SkipToken,
        sql::{Sql, collate},
    },
    schema::{PrivilegeType, Table},
    store::Stored,
};

/// The rows a list is drawn from.
pub(super) struct Source<'a> {
    pub(super) table: &'a Table,
    /// `FROM` clause in which the rows' table is `t`.
    pub(super) from: String,
    /// Condition that belongs to the address, such as the parent of a collection.
    pub(super) condition: Option<Sql>,
}

impl<'a> Source<'a> {
    /// All rows of a table.
    pub(super) fn table(table: &'a Table) -> Self {
        Self { table, from: format!("\"{}\" t", table.logical_name), condition: None }
    }
}

/// One column that orders the rows.
pub(super) struct OrderColumn {
    /// Its name in the paging cookie.
    name: String,
    sql: Sql,
    stored: Stored,
    collate: &'static str,
    descending: bool,
}

/// A next link's ingredients.
type CookieRow = Vec<(String, Option<String>)>;

impl<'a> Call<'a> {
    /// `GET {set}` and `GET {set}(key)/{collection}`.
    pub(super) fn list(
        &'a self,
        connection: &Connection,
        source: &Source<'a>,
    ) -> Result<Response, ODataError> {
        let table = source.table;
        if self.options.delta_token.is_some() && !self.prefer_tracks_table(source) {
            return Err(ODataError::syntax("$deltatoken belongs to an entity set."));
        }
        if self.options.delta_token.is_some() {
            return self.delta(connection, table);
        }
        let tracking = self.prefer.track_changes && self.prefer_tracks_table(source);
        let token = self.options.skip_token.as_deref().map(SkipToken::parse).transpose()?;
        let baseline = if tracking {
            Some(self.tracking_baseline(connection, table, token.as_ref())?)
        } else {
            None
        };
        let top = self.options.top.filter(|_| self.prefer.page_size.is_none());
        let limit = top.or(self.prefer.page_size).unwrap_or(MAX_PAGE).min(MAX_PAGE);

        let condition = self.conditions(source)?;
        let plan_select = self.options.select.as_deref();
        let mut plan = Plan::new(
            self.model(),
            table,
            plan_select,
            &[],
            &self.prefer.annotations,
            "t",
        )?;
        let expands = expand::plans(self, connection, table, &self.options.expand, &mut plan)?;
        let order = self.order_columns(table)?;
        let mut sql = Sql::new(format!("SELECT {}", plan.columns.join(", ")));
        let first_order = plan.columns.len();
        for column in &order {
            sql.text.push_str(", ");
            sql.push(column.sql.clone());
        }
        sql.text.push_str(&format!(" FROM {}", source.from));
        let mut separator = " WHERE ";
        for part in condition.iter().cloned().chain(
            token.as_ref().map(|token| after(&order, token)).transpose()?,
        ) {
            sql.text.push_str(separator);
            sql.push(part);
            separator = " AND ";
        }
        sql.text.push_str(" ORDER BY ");
        for (at, column) in order.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            sql.text.push_str(comma);
            sql.push(column.sql.clone());
            sql.text.push_str(column.collate);
            sql.text.push_str(if column.descending { " DESC" } else { "" });
        }
        sql.text.push_str(&format!(" LIMIT {}", limit + 1));

        let mut body = Vec::with_capacity(256 * 1024);
        body.push(b'{');
        push_member(&mut body, "@odata.context", &self.context(table, ""));
        self.push_counts(connection, source, condition.as_ref(), &mut body)?;
        push_name(&mut body, "value");
        body.push(b'[');
        let mut statement = connection.prepare_cached(&sql.text)?;
        let mut rows = statement.query(params_from_iter(sql.values))?;
        let mut count = 0;
        let mut first = None;
        let mut last = Vec::new();
        let mut more = false;
        while let Some(row) = rows.next()? {
            if count == limit {
                more = true;
                break;
            }
            if count > 0 {
                body.push(b',');
            }
            self.push_row(&mut body, row, table, &plan, &expands)?;
            count += 1;
            if first.is_none() {
                first = Some(cookie_row(&order, row, first_order)?);
            }
            if count == limit {
                last = cookie_row(&order, row, first_order)?;
            }
        }
        body.push(b']');
        if more && top.is_none() {
            if let Some(baseline) = &baseline {
                last.push(("deltatoken".to_owned(), Some(baseline.clone())));
            }
            let page = token.as_ref().map_or(1, |token| token.page) + 1;
            let next = SkipToken { page, tracking, last };
            let link = self.link(&[("$skiptoken", &next.encode(&first.unwrap_or_default()))]);
            push_member(&mut body, "@odata.nextLink", &link);
        } else if let Some(baseline) = &baseline {
            push_member(&mut body, "@odata.deltaLink", &self.delta_link(baseline));
        }
        body.push(b'}');
        Ok(Response::json(StatusCode::OK, body).with_applied(self.prefer.applied_to_list()))
    }

    fn prefer_tracks_table(&self, source: &Source<'_>) -> bool {
        source.condition.is_none()
    }

    /// Appends one row as an object.
    pub(super) fn push_row(
        &self,
        body: &mut Vec<u8>,
        row: &Row<'_>,
        _table: &Table,
        plan: &Plan,
        expands: &[ExpandPlan<'_>],
    ) -> Result<(), ODataError> {
        body.push(b'{');
        plan.write_members(body, row)?;
        if !expands.is_empty() {
            let id = row.get_ref(KEY)?.as_str().unwrap_or_default();
            for expand in expands {
                expand.write(self, body, id, row)?;
            }
        }
        body.push(b'}');
        Ok(())
    }

    /// The address's own condition, the caller's rights and `$filter`.
    pub(super) fn conditions(&'a self, source: &Source<'a>) -> Result<Option<Sql>, ODataError> {
        let mut parts = Vec::new();
        parts.extend(source.condition.clone());
        parts.extend(self.readable(source.table)?);
        if let Some(filter) = &self.options.filter {
            parts.push(self.compiler(source.table).condition(filter)?);
        }
        let mut all: Option<Sql> = None;
        for part in parts {
            match &mut all {
                None => all = Some(part),
                Some(sql) => {
                    sql.text.push_str(" AND ");
                    sql.push(part);
                }
            }
        }
        Ok(all)
    }

    /// The rows of the table that the caller may read.
    pub(super) fn readable(&self, table: &Table) -> Result<Option<Sql>, ODataError> {
        let access = self.caller.access(table, PrivilegeType::Read, "t")?;
        Ok(access.map(|(text, ids)| Sql::with(text, ids.into_iter().map(SqlValue::Text).collect())))
    }

    /// `$orderby` and, so that paging is stable, the key.
    fn order_columns(&'a self, table: &'a Table) -> Result<Vec<OrderColumn>, ODataError> {
        let mut compiler = self.compiler(table);
        let mut columns = Vec::new();
        for order in &self.options.order {
            let reached = compiler.order(order)?;
            columns.push(OrderColumn {
                name: order.path.join("."),
                sql: reached.sql,
                stored: reached.property.stored,
                collate: collate(&reached.property),
                descending: order.descending,
            });
        }
        if !columns.iter().any(|column| column.name == table.primary_id) {
            columns.push(OrderColumn {
                name: table.primary_id.clone(),
                sql: Sql::new(format!("t.\"{}\"", table.primary_id)),
                stored: Stored::Guid,
                collate: "",
                descending: false,
            });
        }
        Ok(columns)
    }

    /// `@odata.count` and the counting annotations (reference §4.8).
    fn push_counts(
        &self,
        connection: &Connection,
        source: &Source<'_>,
        condition: Option<&Sql>,
        body: &mut Vec<u8>,
    ) -> Result<(), ODataError> {
        let wanted = |name: &str| self.prefer.annotations.include(name);
        let mut total = -1;
        if self.options.count {
            let (count, _) = counted(connection, source, condition)?;
            push_name(body, "@odata.count");
            push_integer(body, count);
            total = count;
        }
        if wanted("Microsoft.Dynamics.CRM.totalrecordcount") {
            push_name(body, "@Microsoft.Dynamics.CRM.totalrecordcount");
            push_integer(body, total);
        }
        if wanted("Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded") {
            let exceeded = self.options.count && counted(connection, source, condition)?.1;
            push_name(body, "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded");
            body.extend_from_slice(exceeded.to_string().as_bytes());
        }
        if wanted("Microsoft.Dynamics.CRM.globalmetadataversion") {
            push_member(body, "@Microsoft.Dynamics.CRM.globalmetadataversion", "1000001");
        }
        Ok(())
    }

    /// `GET {set}/$count`: at most 5,000.
    pub(super) fn count_rows(
        &'a self,
        connection: &Connection,
        source: &Source<'a>,
    ) -> Result<Response, ODataError> {
        if self.options.delta_token.is_some() {
            return self.delta_count(connection, source.table);
        }
        let condition = self.conditions(source)?;
        let (count, _) = counted(connection, source, condition.as_ref())?;
        Ok(Response::text(count.to_string()))
    }

    /// `{root}/$metadata#accounts(name,primarycontactid(fullname))` and a suffix.
    pub(super) fn context(&self, table: &Table, suffix: &str) -> String {
        let mut parts = Vec::new();
        if let (Some(_), Some(text)) = (&self.options.select, &self.options.select_text) {
            parts.push(text.clone());
        }
        parts.extend(self.options.expand.iter().map(|item| {
            let inner = item.options.select_text.as_deref().unwrap_or_default();
            format!("{}({inner})", item.navigation)
        }));
        let selection =
            if parts.is_empty() { String::new() } else { format!("({})", parts.join(",")) };
        format!("{}/$metadata#{}{selection}{suffix}", self.request.root, table.entity_set_name)
    }

    /// This request's address with other paging options; the order of the rest is kept.
    pub(super) fn link(&self, options: &[(&str, &str)]) -> String {
        let paging = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default().replace("%24", "$");
            !options.iter().any(|(option, _)| *option == name)
        };
        let mut pairs: Vec<String> = self
            .request
            .query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .filter(paging)
            .map(|pair| pair.replace('+', "%20"))
            .collect();
        pairs.extend(options.iter().map(|(name, value)| format!("{name}={value}")));
        format!("{}/{}?{}", self.request.root, self.request.path, pairs.join("&"))
    }
}

/// How many rows there are, up to 5,000, and whether there are more.
fn counted(
    connection: &Connection,
    source: &Source<'_>,
    condition: Option<&Sql>,
) -> Result<(i64, bool), ODataError> {
    let limit = i64::try_from(MAX_PAGE).unwrap_or(i64::MAX);
    let (filter, values) = match condition {
        Some(sql) => (format!(" WHERE {}", sql.text), sql.values.clone()),
        None => (String::new(), Vec::new()),
    };
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {}{filter} LIMIT {})",
        source.from,
        limit + 1
    );
    let count: i64 = connection
        .prepare_cached(&sql)?
        .query_row(params_from_iter(values), |row| row.get(0))?;
    Ok((count.min(limit), count > limit))
}

/// The values of the ordering columns in a row, for the paging cookie.
fn cookie_row(
    order: &[OrderColumn],
    row: &Row<'_>,
    first: usize,
) -> Result<CookieRow, ODataError> {
    let mut values = Vec::with_capacity(order.len() + 1);
    for (at, column) in order.iter().enumerate() {
        let value = match row.get::<_, SqlValue>(first + at)? {
            SqlValue::Null => None,
            SqlValue::Integer(number) => Some(number.to_string()),
            SqlValue::Real(number) => Some(format!("{number:?}")),
            SqlValue::Text(text) => Some(match column.stored {
                Stored::Guid | Stored::Reference | Stored::TypedReference => {
                    format!("{{{}}}", text.to_uppercase())
                }
                _ => text,
            }),
            SqlValue::Blob(_) => None,
        };
        values.push((column.name.clone(), value));
    }
    Ok(values)
}

/// The condition that a row comes after the cookie's row. Null comes before every value.
fn after(order: &[OrderColumn], token: &SkipToken) -> Result<Sql, ODataError> {
    let foreign = || {
        ODataError::bad_request(
            "0x80060888",
            "The paging cookie in $skiptoken does not fit the query: use the next link as it was \
             sent.",
        )
    };
    let mut beyond = Sql::new("(0");
    let mut equal = Sql::new("");
    for column in order {
        let value = match token.get(&column.name).ok_or_else(foreign)? {
            None => None,
            Some(text) => Some(cookie_value(column, text).ok_or_else(foreign)?),
        };
        let expression = || column.sql.clone();
        let strictly = match (&value, column.descending) {
            (None, false) => {
                let mut sql = expression();
                sql.text.push_str(" IS NOT NULL");
                sql
            }
            (None, true) => Sql::new("0"),
            (Some(value), false) => {
                let mut sql = expression();
                sql.text.push_str(&format!(" > ?{}", column.collate));
                sql.values.push(value.clone());
                sql
            }
            (Some(value), true) => {
                let mut sql = Sql::new("(");
                sql.push(expression());
                sql.text.push_str(&format!(" < ?{} OR ", column.collate));
                sql.values.push(value.clone());
                sql.push(expression());
                sql.text.push_str(" IS NULL)");
                sql
            }
        };
        beyond.text.push_str(" OR (");
        beyond.push(equal.clone());
        beyond.push(strictly);
        beyond.text.push(')');
        equal.push(expression());
        equal.text.push_str(&format!(" IS ?{} AND ", column.collate));
        equal.values.push(value.unwrap_or(SqlValue::Null));
    }
    beyond.text.push(')');
    // One ordering column: a plain comparison lets SQLite walk the key's index.
    if let [only] = order
        && !only.descending
        && let Some(Some(text)) = token.get(&only.name)
    {
        let mut sql = only.sql.clone();
        sql.text.push_str(&format!(" > ?{}", only.collate));
        sql.values.push(cookie_value(only, text).ok_or_else(foreign)?);
        return Ok(sql);
    }
    Ok(beyond)
}

fn cookie_value(column: &OrderColumn, text: &str) -> Option<SqlValue> {
    Some(match column.stored {
        Stored::Guid | Stored::Reference | Stored::TypedReference => {
            let inner = text.strip_prefix('{')?.strip_suffix('}')?;
            SqlValue::Text(uuid::Uuid::try_parse(inner).ok()?.to_string())
        }
        Stored::Text => SqlValue::Text(text.to_owned()),
        Stored::Real => SqlValue::Real(text.parse().ok()?),
        _ => SqlValue::Integer(text.parse().ok()?),
    })
}
