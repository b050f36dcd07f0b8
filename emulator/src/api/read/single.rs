//! Rows by key, their properties and what their navigation properties lead to (reference §4.1).

use axum::http::StatusCode;
use rusqlite::{Connection, params_from_iter, types::Value as SqlValue};
use uuid::Uuid;

use super::{expand, list::Source};
use crate::{
    api::{
        Call, Response,
        files::is_file,
        key::RowKey,
        request::{MAX_PAGE, Segment},
    },
    odata::{
        Navigation,
        fragment::Sql,
        options::Expand,
        plan::{VERSION, write_value},
    },
    schema::Table,
    store::layout::parse_guid,
    wire::{
        ODataError,
        json::{push_member, push_name, push_separator},
    },
};

impl<'a> Call<'a> {
    /// `GET` on an entity set and what lies below it.
    pub(in crate::api) fn get_rows(
        &'a self,
        connection: &'a Connection,
        first: &Segment,
        rest: &[Segment],
    ) -> Result<Response, ODataError> {
        let table = self.model().table_by_set(&first.name)?;
        let Some(arguments) = &first.arguments else {
            return match rest {
                [] => self.list(connection, &Source::table(table)),
                [count] if count.plain() == Some("$count") => {
                    self.count_rows(connection, &Source::table(table))
                }
                [other, ..] => Err(ODataError::unknown_segment(&other.name)),
            };
        };
        let key = RowKey::parse(table, arguments)?;
        let id = key
            .find(connection, self.model(), table)?
            .ok_or_else(|| key.not_found(table))?;
        if rest.is_empty() {
            return self
                .only_row(connection, table, id)?
                .ok_or_else(|| key.not_found(table));
        }
        self.require_readable(connection, table, id)?
            .then_some(())
            .ok_or_else(|| key.not_found(table))?;
        self.below_row(connection, table, id, rest)
    }

    /// What lies below a row: a property, a function or a navigation property.
    fn below_row(
        &'a self,
        connection: &'a Connection,
        table: &'a Table,
        id: Uuid,
        rest: &[Segment],
    ) -> Result<Response, ODataError> {
        let Some((first, rest)) = rest.split_first() else {
            return Err(ODataError::unknown_segment(""));
        };
        let name = first.name.as_str();
        if let Some(response) = self.row_function(connection, table, id, first) {
            return response;
        }
        match self.model().navigation(&table.logical_name, name) {
            Some(Navigation::ToOne { .. } | Navigation::ToOwner) | None
                if first.arguments.is_some() =>
            {
                Err(ODataError::unknown_segment(name))
            }
            Some(Navigation::ToOne { column, target }) => {
                let target = self.model().table(target)?;
                self.referred(connection, table, id, column, Some(target), rest)
            }
            Some(Navigation::ToOwner) => {
                self.referred(connection, table, id, "ownerid", None, rest)
            }
            Some(Navigation::ToMany {
                table: child,
                column,
            }) => {
                let child = self.model().table(child)?;
                let condition = Sql::with(
                    format!("t.\"{column}\" = ?"),
                    vec![SqlValue::Text(id.to_string())],
                );
                self.collection(connection, child, condition, first, rest)
            }
            Some(Navigation::Associated {
                table: other,
                intersect,
                near,
                far,
            }) => {
                let other = self.model().table(other)?;
                let condition = Sql::with(
                    format!(
                        "t.\"{}\" IN (SELECT \"{far}\" FROM \"{intersect}\" WHERE \"{near}\" = ?)",
                        other.primary_id
                    ),
                    vec![SqlValue::Text(id.to_string())],
                );
                self.collection(connection, other, condition, first, rest)
            }
            None => {
                let suffix = match rest {
                    [] => None,
                    [only] => only.plain(),
                    _ => return Err(ODataError::unknown_segment(name)),
                };
                self.property_of(connection, table, id, name, suffix)
            }
        }
    }

    /// The rows of a collection that fulfil the condition, or the one whose key `segment` gives.
    fn collection(
        &'a self,
        connection: &'a Connection,
        table: &'a Table,
        condition: Sql,
        segment: &Segment,
        rest: &[Segment],
    ) -> Result<Response, ODataError> {
        if let Some(arguments) = &segment.arguments {
            let key = RowKey::parse(table, arguments)?;
            let id = self.member(connection, table, condition, &key)?;
            let id = id.ok_or_else(|| key.not_found(table))?;
            return if rest.is_empty() {
                self.only_row(connection, table, id)?
                    .ok_or_else(|| key.not_found(table))
            } else {
                self.below_row(connection, table, id, rest)
            };
        }
        let mut source = Source::table(table);
        source.condition = Some(condition);
        match rest {
            [] => self.list(connection, &source),
            [only] if only.plain() == Some("$count") => self.count_rows(connection, &source),
            [only] if only.plain() == Some("$ref") => self.references(connection, &source),
            [other, ..] => Err(ODataError::unknown_segment(&other.name)),
        }
    }

    /// The row of the key, if it fulfils the condition and the caller may read it.
    fn member(
        &self,
        connection: &Connection,
        table: &Table,
        mut condition: Sql,
        key: &RowKey,
    ) -> Result<Option<Uuid>, ODataError> {
        let Some(id) = key.find(connection, self.model(), table)? else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT 1 FROM \"{}\" t WHERE {} AND t.\"{}\" = ?",
            table.logical_name, condition.text, table.primary_id
        );
        condition.values.push(SqlValue::Text(id.to_string()));
        let found = connection
            .prepare_cached(&sql)?
            .exists(params_from_iter(condition.values))?;
        Ok((found && self.require_readable(connection, table, id)?).then_some(id))
    }

    /// The row an address leads to. Options for collections are rejected.
    fn only_row(
        &'a self,
        connection: &'a Connection,
        table: &'a Table,
        id: Uuid,
    ) -> Result<Option<Response>, ODataError> {
        let options = ["$filter", "$orderby", "$count", "$top"];
        if options.iter().any(|option| self.options.has(option)) {
            return Err(ODataError::syntax(
                "The query specified in the URI is not valid. The requested resource is not a \
                 collection. Query options $filter, $orderby, $count, $skip, and $top can be \
                 applied only on collections.",
            ));
        }
        self.row(connection, table, id, &self.options.expand)
    }

    /// The row, or `None` if it does not exist or the caller may not see any row like it.
    pub(in crate::api) fn row(
        &'a self,
        connection: &'a Connection,
        table: &'a Table,
        id: Uuid,
        expands: &'a [Expand],
    ) -> Result<Option<Response>, ODataError> {
        if !self.require_readable(connection, table, id)? {
            return Ok(None);
        }
        let mut plan = self.plan(table)?;
        let expands = expand::plans(self, connection, table, expands, &mut plan)?;
        let sql = format!(
            "SELECT {} FROM \"{}\" t WHERE t.\"{}\" = ?1",
            plan.columns.join(", "),
            table.logical_name,
            table.primary_id
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([id.to_string()])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let version: i64 = row.get(VERSION)?;
        let etag = format!("W/\"{version}\"");
        if self.request.header("if-none-match") == Some(&etag)
            && expands.is_empty()
            && !self.prefer.annotations.any()
        {
            return Ok(Some(
                Response::empty(StatusCode::NOT_MODIFIED).with("etag", &etag),
            ));
        }
        let mut body = Vec::with_capacity(4096);
        body.push(b'{');
        push_member(
            &mut body,
            "@odata.context",
            &self.context(table, "/$entity"),
        );
        body.push(b',');
        let at = body.len();
        self.push_row(&mut body, row, &plan, &expands)?;
        body.remove(at);
        let response = Response::json(StatusCode::OK, body).with("etag", &etag);
        Ok(Some(response.with_applied(self.prefer.applied_to_row())))
    }

    /// `GET {set}(key)/{property}` and `…/$value`.
    fn property_of(
        &'a self,
        connection: &Connection,
        table: &'a Table,
        id: Uuid,
        name: &str,
        suffix: Option<&str>,
    ) -> Result<Response, ODataError> {
        let property = self
            .model()
            .find_property(table, name)
            .ok_or_else(|| ODataError::unknown_segment(name))?;
        if suffix == Some("$value") && is_file(property.column) {
            return self.download(connection, table, property.column, id);
        }
        let sql = format!(
            "SELECT \"{}\" FROM \"{}\" WHERE \"{}\" = ?1",
            property.sql, table.logical_name, table.primary_id
        );
        let mut value = b"null".to_vec();
        if self.caller.viewer.columns.may_read(table, property.column) {
            value.clear();
            connection
                .prepare_cached(&sql)?
                .query_row([id.to_string()], |row| {
                    write_value(&mut value, row.get_ref(0)?, property.stored);
                    Ok(())
                })?;
        }
        if value == b"null" {
            return Ok(Response::empty(StatusCode::NO_CONTENT));
        }
        match suffix {
            None => {
                let mut body = vec![b'{'];
                let context = format!(
                    "{}/$metadata#{}({id})/{name}",
                    self.request.root, table.entity_set_name
                );
                push_member(&mut body, "@odata.context", &context);
                push_name(&mut body, "value");
                body.extend(value);
                body.push(b'}');
                Ok(Response::json(StatusCode::OK, body))
            }
            Some("$value") => {
                let text = serde_json::from_slice::<String>(&value);
                Ok(Response::text(text.map_or(value, String::into_bytes)))
            }
            Some(other) => Err(ODataError::unknown_segment(other)),
        }
    }

    /// The row a lookup refers to: `GET {set}(key)/{lookup}`, `…/$ref` and what lies below it.
    fn referred(
        &'a self,
        connection: &'a Connection,
        table: &'a Table,
        id: Uuid,
        column: &str,
        target: Option<&'a Table>,
        rest: &[Segment],
    ) -> Result<Response, ODataError> {
        let sql = format!(
            "SELECT \"{column}\"{} FROM \"{}\" WHERE \"{}\" = ?1",
            if target.is_none() {
                ", \"ownerid$type\""
            } else {
                ""
            },
            table.logical_name,
            table.primary_id
        );
        let (referred, kind): (Option<String>, Option<String>) =
            connection
                .prepare_cached(&sql)?
                .query_row([id.to_string()], |row| {
                    Ok((
                        row.get(0)?,
                        if target.is_none() { row.get(1)? } else { None },
                    ))
                })?;
        let target = match (target, kind) {
            (Some(target), _) => target,
            (None, Some(kind)) => self.model().table(&kind)?,
            (None, None) => return Ok(Response::empty(StatusCode::NO_CONTENT)),
        };
        let Some(referred) = referred else {
            return Ok(Response::empty(StatusCode::NO_CONTENT));
        };
        match rest {
            [] => {
                let found = self.only_row(connection, target, parse_guid(&referred))?;
                Ok(found.unwrap_or_else(|| Response::empty(StatusCode::NO_CONTENT)))
            }
            [only] if only.plain() == Some("$ref") => {
                let mut body = vec![b'{'];
                let root = &self.request.root;
                push_member(
                    &mut body,
                    "@odata.context",
                    &format!("{root}/$metadata#$ref"),
                );
                let address = format!("{root}/{}({referred})", target.entity_set_name);
                push_member(&mut body, "@odata.id", &address);
                body.push(b'}');
                Ok(Response::json(StatusCode::OK, body))
            }
            below => {
                let id = parse_guid(&referred);
                if self.require_readable(connection, target, id)? {
                    self.below_row(connection, target, id, below)
                } else {
                    Ok(Response::empty(StatusCode::NO_CONTENT))
                }
            }
        }
    }

    /// `GET {set}(key)/{collection}/$ref`.
    fn references(
        &'a self,
        connection: &Connection,
        source: &Source<'a>,
    ) -> Result<Response, ODataError> {
        let condition = self.conditions(source)?.unwrap_or_else(|| Sql::new("1"));
        let sql = format!(
            "SELECT t.\"{0}\" FROM {1} WHERE {2} ORDER BY 1 LIMIT {3}",
            source.table.primary_id, source.from, condition.text, MAX_PAGE
        );
        let root = &self.request.root;
        let mut body = vec![b'{'];
        let context = format!("{root}/$metadata#Collection($ref)");
        push_member(&mut body, "@odata.context", &context);
        push_name(&mut body, "value");
        body.push(b'[');
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(condition.values))?;
        while let Some(row) = rows.next()? {
            let id = row.get_ref(0)?.as_str().unwrap_or_default();
            push_separator(&mut body);
            body.push(b'{');
            let address = format!("{root}/{}({id})", source.table.entity_set_name);
            push_member(&mut body, "@odata.id", &address);
            body.push(b'}');
        }
        body.extend_from_slice(b"]}");
        Ok(Response::json(StatusCode::OK, body))
    }
}
