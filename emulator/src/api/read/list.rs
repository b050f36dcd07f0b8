//! Lists of rows (reference §4).

use axum::http::StatusCode;
use rusqlite::{Connection, Row, params_from_iter, types::Value as SqlValue};

use super::expand::{self, ExpandPlan};
use crate::{
    api::{Call, Response, request::MAX_PAGE},
    odata::{
        fragment::Sql,
        order::{CookieRow, OrderColumn, after, cookie_row},
        plan::{KEY, Plan},
        skiptoken::SkipToken,
    },
    schema::{PrivilegeType, Table},
    wire::{
        ODataError,
        json::{push_integer, push_member, push_name, push_separator},
    },
};

/// The rows of a list before filters.
pub(in crate::api) struct Source<'a> {
    pub(in crate::api) table: &'a Table,
    /// `FROM` clause in which the rows' table is `t`.
    pub(in crate::api) from: String,
    /// Condition that belongs to the address, such as the parent of a collection.
    pub(in crate::api) condition: Option<Sql>,
}

impl<'a> Source<'a> {
    /// All rows of a table.
    pub(in crate::api) fn table(table: &'a Table) -> Self {
        Self {
            table,
            from: format!("\"{}\" t", table.logical_name),
            condition: None,
        }
    }
}

impl<'a> Call<'a> {
    /// `GET {set}` and `GET {set}(key)/{collection}`.
    pub(in crate::api) fn list(
        &'a self,
        connection: &Connection,
        source: &Source<'a>,
    ) -> Result<Response, ODataError> {
        if let Some(xml) = self.options.custom.get("fetchXml") {
            return self.fetch(connection, source, xml);
        }
        if let Some(sql) = self.options.custom.get("sql") {
            return self.sql(connection, source, sql);
        }
        if let Some((kind, id)) = self.requested_view() {
            return self.view(connection, source, kind, id);
        }
        let table = source.table;
        let whole_table = source.condition.is_none();
        if let Some(apply) = &self.options.apply {
            return self.apply(connection, source, apply);
        }
        if self.options.delta_token.is_some() {
            return if whole_table {
                self.delta(connection, table)
            } else {
                Err(ODataError::syntax("$deltatoken belongs to an entity set."))
            };
        }
        let token = self.skip_token()?;
        let baseline = if self.prefer.track_changes && whole_table {
            Some(self.tracking_baseline(connection, table, token.as_ref())?)
        } else {
            None
        };
        // A page size makes the service ignore $top.
        let top = self.options.top.filter(|_| self.prefer.page_size.is_none());
        let limit = top
            .or(self.prefer.page_size)
            .unwrap_or(MAX_PAGE)
            .min(MAX_PAGE);

        let condition = self.conditions(source)?;
        let mut plan = self.plan(table)?;
        let expands = expand::plans(self, connection, table, &self.options.expand, &mut plan)?;
        let order = self.order_columns(table)?;
        let beyond = token
            .as_ref()
            .map(|token| after(&order, token))
            .transpose()?;
        let conditions = condition.iter().cloned().chain(beyond).collect();
        let sql = list_sql(&plan, &order, &source.from, conditions, limit + 1);

        let mut body = Vec::with_capacity(256 * 1024);
        body.push(b'{');
        push_member(&mut body, "@odata.context", &self.context(table, ""));
        self.push_counts(connection, source, condition.as_ref(), &mut body)?;
        push_name(&mut body, "value");
        body.push(b'[');
        let mut statement = connection.prepare_cached(&sql.text)?;
        let mut rows = statement.query(params_from_iter(sql.values))?;
        let mut count = 0;
        let (mut first, mut last) = (CookieRow::new(), CookieRow::new());
        let mut more = false;
        while let Some(row) = rows.next()? {
            if count == limit {
                more = true;
                break;
            }
            push_separator(&mut body);
            self.push_row(&mut body, row, &plan, &expands)?;
            count += 1;
            if count == 1 {
                first = cookie_row(&order, row, plan.columns.len())?;
            }
            if count == limit {
                last = cookie_row(&order, row, plan.columns.len())?;
            }
        }
        body.push(b']');
        if more && top.is_none() {
            let tracking = baseline.is_some();
            last.extend(baseline.map(|baseline| ("deltatoken".to_owned(), Some(baseline))));
            let page = token.as_ref().map_or(1, |token| token.page) + 1;
            let next = SkipToken {
                page,
                tracking,
                last,
            };
            let link = self.link(&[("$skiptoken", &next.encode(&first))]);
            push_member(&mut body, "@odata.nextLink", &link);
        } else if let Some(baseline) = &baseline {
            push_member(&mut body, "@odata.deltaLink", &self.delta_link(baseline));
        }
        body.push(b'}');
        Ok(Response::json(StatusCode::OK, body).with_applied(self.prefer.applied_to_list()))
    }

    /// The paging cookie of the request, if it has one.
    pub(in crate::api) fn skip_token(&self) -> Result<Option<SkipToken>, ODataError> {
        self.options
            .skip_token
            .as_deref()
            .map(SkipToken::parse)
            .transpose()
    }

    /// How the requested rows are read and written.
    pub(in crate::api) fn plan(&self, table: &Table) -> Result<Plan, ODataError> {
        let select = self.options.select.as_deref();
        Plan::new(
            self.model(),
            &self.caller.viewer,
            table,
            select,
            &[],
            &self.prefer.annotations,
            "t",
        )
    }

    /// Appends one row as an object.
    pub(super) fn push_row(
        &self,
        body: &mut Vec<u8>,
        row: &Row<'_>,
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
    pub(in crate::api) fn conditions(
        &'a self,
        source: &Source<'a>,
    ) -> Result<Option<Sql>, ODataError> {
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
    pub(in crate::api) fn readable(&self, table: &Table) -> Result<Option<Sql>, ODataError> {
        let access = self.caller.access(table, PrivilegeType::Read, "t")?;
        Ok(
            access
                .map(|(text, ids)| Sql::with(text, ids.into_iter().map(SqlValue::Text).collect())),
        )
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
            push_name(
                body,
                "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded",
            );
            body.extend_from_slice(exceeded.to_string().as_bytes());
        }
        if wanted("Microsoft.Dynamics.CRM.globalmetadataversion") {
            push_member(
                body,
                "@Microsoft.Dynamics.CRM.globalmetadataversion",
                &self.model().schema.version().to_string(),
            );
        }
        Ok(())
    }

    /// `GET {set}/$count`: at most 5,000.
    pub(in crate::api) fn count_rows(
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
    pub(in crate::api) fn context(&self, table: &Table, suffix: &str) -> String {
        format!(
            "{}/$metadata#{}{}{suffix}",
            self.request.root,
            table.entity_set_name,
            self.options.selection()
        )
    }

    /// This request's address with other paging options; the order of the rest is kept.
    pub(in crate::api) fn link(&self, options: &[(&str, &str)]) -> String {
        let paging = |pair: &&str| {
            let name = pair
                .split('=')
                .next()
                .unwrap_or_default()
                .replace("%24", "$");
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
        pairs.extend(
            options
                .iter()
                .map(|(name, value)| format!("{name}={value}")),
        );
        format!(
            "{}/{}?{}",
            self.request.root,
            self.request.path,
            pairs.join("&")
        )
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

/// The statement of a list; its last columns are those that order the rows.
fn list_sql(
    plan: &Plan,
    order: &[OrderColumn],
    from: &str,
    conditions: Vec<Sql>,
    limit: usize,
) -> Sql {
    let mut sql = Sql::new(format!("SELECT {}", plan.columns.join(", ")));
    for column in order {
        sql.append(", ");
        sql.push(column.expression());
    }
    sql.append(format!(" FROM {from}"));
    for (at, condition) in conditions.into_iter().enumerate() {
        sql.append(if at == 0 { " WHERE " } else { " AND " });
        sql.push(condition);
    }
    for (at, column) in order.iter().enumerate() {
        sql.append(if at == 0 { " ORDER BY " } else { ", " });
        sql.push(column.ordering());
    }
    // A very small limit is a reason for SQLite to sort the whole table instead of following an
    // index. What is beyond the page is never fetched.
    sql.append(format!(" LIMIT {}", limit.max(100)));
    sql
}
