//! Writes (reference §7).

mod association;
mod connection;
mod delete;
mod duplicates;
mod headers;
mod intent;
mod record;
mod reference;

use axum::http::StatusCode;
use rusqlite::Connection;
use uuid::Uuid;

use super::{
    Call, Response,
    access::row_exists,
    key::RowKey,
    payload::{Members, invalid_property, payload_error, value_of},
    request::Segment,
};
use crate::{
    odata::{Literal, Navigation},
    schema::{PrivilegeType, Table, TableType},
    store::{Author, Writer},
    wire::ODataError,
};
pub(crate) use delete::delete;
pub(super) use headers::Condition;
use headers::require_version;

/// What a write did to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Created(Uuid),
    Updated(Uuid),
}

impl Done {
    pub(super) fn id(self) -> Uuid {
        match self {
            Self::Created(id) | Self::Updated(id) => id,
        }
    }
}

impl Call<'_> {
    pub(super) fn author(&self) -> Author {
        Author {
            user: self.caller.user,
            behind: self.caller.behind,
            now: self.now(),
        }
    }

    /// Writes to rows of the table: `key` is the text in parentheses after the entity set.
    pub(super) fn change_rows(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        key: Option<&str>,
        rest: &[Segment],
    ) -> Result<Response, ODataError> {
        let method = self.request.method.as_str();
        match (method, key, rest) {
            ("POST", None, []) => self.create(writer, table),
            ("PATCH", Some(key), []) => self.patch(writer, table, key),
            ("DELETE", Some(key), []) => self.delete_row(writer, table, key),
            (_, Some(key), below) if !below.is_empty() => {
                let key = RowKey::parse(table, key)?;
                let id = self.existing(writer.connection(), table, &key)?;
                self.change_below(writer, table, id, below)
            }
            _ => Err(ODataError::method_not_allowed(method)),
        }
    }

    /// The row of the key, or 404. Rights are checked by what follows.
    pub(super) fn existing(
        &self,
        connection: &Connection,
        table: &Table,
        key: &RowKey,
    ) -> Result<Uuid, ODataError> {
        let found = key.find(connection, self.model(), table)?;
        match found {
            Some(id) if row_exists(connection, table, id)? => Ok(id),
            _ => Err(key.not_found(table)),
        }
    }

    /// `POST {set}`.
    fn create(&self, writer: &Writer<'_>, table: &Table) -> Result<Response, ODataError> {
        let members = Members::parse(&self.request.body, &table.entity_set_name)?;
        let id = self.create_record(writer, table, &members, &[])?;
        self.written(writer, table, Done::Created(id), &id.to_string())
    }

    /// `PATCH {set}(key)`: update, insert or either, as the headers say.
    fn patch(&self, writer: &Writer<'_>, table: &Table, key: &str) -> Result<Response, ODataError> {
        let key = RowKey::parse(table, key)?;
        let members = Members::parse(&self.request.body, &table.entity_set_name)?;
        let condition = self.condition(table)?;
        let (done, text) = self.upsert(writer, table, &key, &members, condition)?;
        self.written(writer, table, done, &text)
    }

    /// Updates the row of the key, or creates it; returns what was done, and the key as the
    /// response's `OData-EntityId` gives it.
    pub(super) fn upsert(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        key: &RowKey,
        members: &Members,
        condition: Condition,
    ) -> Result<(Done, String), ODataError> {
        let found = key.find(writer.connection(), self.model(), table)?;
        let row = match found {
            Some(id) => writer.row(&table.logical_name, id)?,
            None => None,
        };
        let text = match key {
            RowKey::Primary(id) => id.to_string(),
            RowKey::Alternate { text, .. } => text.clone(),
        };
        match (row, condition) {
            (Some(_), Condition::Absent) => Err(duplicate()),
            (Some(row), condition) => {
                require_version(condition, row.version)?;
                let id = row.id;
                self.require_access(writer.connection(), table, id, PrivilegeType::Write)?;
                if table.table_type == TableType::Elastic && condition == Condition::Any {
                    let whole = members.whole(table);
                    self.update_record(writer, table, &row, &whole, key)?;
                } else {
                    self.update_record(writer, table, &row, members, key)?;
                }
                Ok((Done::Updated(id), text))
            }
            (None, Condition::Exists | Condition::Version(_)) => Err(key.not_found(table)),
            (None, Condition::Any | Condition::Absent) => {
                let from_key = Self::values_of_key(table, key)?;
                let id = self.create_record(writer, table, members, &from_key)?;
                Ok((Done::Created(id), text))
            }
        }
    }

    /// 204 with the row's address, or the row itself if the client prefers that.
    fn written(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        done: Done,
        key: &str,
    ) -> Result<Response, ODataError> {
        let address = format!("{}/{}({key})", self.request.root, table.entity_set_name);
        if !self.prefer.representation {
            return Ok(Response::empty(StatusCode::NO_CONTENT).with("odata-entityid", &address));
        }
        let expands: &[_] = match done {
            Done::Created(_) => &self.options.expand,
            Done::Updated(_) => &[],
        };
        let mut response = self
            .row(writer.connection(), table, done.id(), expands)?
            .ok_or_else(|| ODataError::no_row(&table.logical_name, done.id()))?;
        response.status = match done {
            Done::Created(_) => StatusCode::CREATED,
            Done::Updated(_) => StatusCode::OK,
        };
        Ok(response.with("preference-applied", "return=representation"))
    }

    /// Writes below a row: single properties, references, new rows of a collection.
    fn change_below(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        below: &[Segment],
    ) -> Result<Response, ODataError> {
        let method = self.request.method.as_str();
        let Some((first, rest)) = below.split_first() else {
            return Err(ODataError::unknown_segment(""));
        };
        let name = first.name.as_str();
        if let ("POST", []) = (method, rest)
            && let Some(response) = self.row_action(writer, table, id, first)
        {
            return response;
        }
        let navigation = self.model().navigation(&table.logical_name, name);
        match (method, rest) {
            (_, [last]) if last.plain() == Some("$ref") => {
                let navigation = navigation.ok_or_else(|| ODataError::unknown_segment(name))?;
                self.change_reference(writer, table, id, first, navigation)
            }
            ("POST", []) => {
                let Some(Navigation::ToMany {
                    table: child,
                    column,
                }) = navigation
                else {
                    return Err(ODataError::unknown_segment(name));
                };
                let child = self.model().table(child)?;
                let members = Members::parse(&self.request.body, &child.entity_set_name)?;
                let parent = crate::store::Value::lookup(&table.logical_name, id);
                let link = [(column.clone(), parent)];
                self.caller.depth(child, PrivilegeType::Append)?;
                self.require_access(writer.connection(), table, id, PrivilegeType::AppendTo)?;
                let child_id = self.create_record(writer, child, &members, &link)?;
                self.written(
                    writer,
                    child,
                    Done::Created(child_id),
                    &child_id.to_string(),
                )
            }
            ("PUT", []) if matches!(navigation, Some(Navigation::ToMany { .. })) => {
                self.replace_collection(writer, table, id, name)
            }
            ("PUT" | "DELETE", []) => self.change_property(writer, table, id, name),
            _ => Err(ODataError::unknown_segment(name)),
        }
    }

    /// `PUT {set}(key)/{property}` with `{"value":…}`, and `DELETE` to clear it.
    fn change_property(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        name: &str,
    ) -> Result<Response, ODataError> {
        let column = table
            .column(name)
            .filter(|column| column.is_selectable() && !column.is_lookup())
            .ok_or_else(|| ODataError::unknown_segment(name))?;
        let null = serde_json::value::RawValue::NULL.to_owned();
        let value = if self.request.method == "DELETE" {
            null
        } else {
            let body = Members::parse(&self.request.body, &table.entity_set_name)?;
            body.get("value")
                .map(ToOwned::to_owned)
                .ok_or_else(|| payload_error(&table.entity_set_name, "The body has no 'value'."))?
        };
        let row = writer
            .row(&table.logical_name, id)?
            .ok_or_else(|| ODataError::no_row(&table.logical_name, id))?;
        self.require_access(writer.connection(), table, id, PrivilegeType::Write)?;
        let members = Members(vec![(column.logical_name.clone(), value)]);
        self.update_record(writer, table, &row, &members, &RowKey::Primary(id))?;
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// The column values that a key gives a row created by it.
    fn values_of_key(
        table: &Table,
        key: &RowKey,
    ) -> Result<Vec<(String, crate::store::Value)>, ODataError> {
        match key {
            RowKey::Primary(id) => Ok(vec![(
                table.primary_id.clone(),
                crate::store::Value::Guid(*id),
            )]),
            RowKey::Alternate { columns, .. } => columns
                .iter()
                .map(|(name, literal)| {
                    let name = super::key::column_name(name);
                    let column = table
                        .column(name)
                        .ok_or_else(|| invalid_property(table, name))?;
                    let json = match literal {
                        Literal::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
                        Literal::Number(number) => number.clone(),
                        Literal::Date(at) => format!(
                            "\"{}\"",
                            &crate::time::date_time(*at)
                                .split('T')
                                .next()
                                .unwrap_or_default()
                        ),
                        Literal::DateTime(at) => format!("\"{}\"", crate::time::date_time(*at)),
                        Literal::Guid(id) => {
                            let target = column.targets().first().copied().unwrap_or_default();
                            return Ok((name.to_owned(), crate::store::Value::lookup(target, *id)));
                        }
                        Literal::Boolean(flag) => flag.to_string(),
                        Literal::Null | Literal::List(_) | Literal::Member(..) => "null".to_owned(),
                    };
                    let raw = serde_json::value::RawValue::from_string(json)
                        .map_err(|_| invalid_property(table, name))?;
                    Ok((name.to_owned(), value_of(table, column, &raw)?))
                })
                .collect(),
        }
    }
}

/// 412 for a row that exists.
fn duplicate() -> ODataError {
    ODataError::precondition(
        "0x80040237",
        "A record with matching key values already exists.",
    )
}
