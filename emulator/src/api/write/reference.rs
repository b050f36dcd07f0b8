//! References between rows: `$ref` and `@odata.bind` (reference §7.4).

use axum::http::StatusCode;
use rusqlite::Connection;
use uuid::Uuid;

use crate::{
    api::{
        Call, Response,
        access::row_exists,
        key::RowKey,
        payload::{Members, payload_error},
        request::Segment,
    },
    odata::Navigation,
    schema::{PrivilegeType, Table},
    store::{Value, Writer},
    wire::ODataError,
};

impl Call<'_> {
    /// The row an address leads to: `/contacts(…)`, `contacts(…)` or the whole address.
    pub(in crate::api) fn resolve_reference(
        &self,
        connection: &Connection,
        address: &str,
    ) -> Result<(&Table, Uuid), ODataError> {
        let malformed = || {
            ODataError::bad_request(
                "0x80048d19",
                format!("'{address}' is not the address of a row."),
            )
        };
        let path = if address.starts_with("http://") || address.starts_with("https://") {
            let own = address.strip_prefix(&self.request.origin);
            let (_, path) = own
                .and_then(|path| path.split_once("/api/data/v"))
                .ok_or_else(malformed)?;
            path.split_once('/').ok_or_else(malformed)?.1
        } else {
            address.trim_start_matches('/')
        };
        let decoded = percent_encoding::percent_decode_str(path)
            .decode_utf8()
            .map_err(|_| malformed())?;
        let (set, rest) = decoded.split_once('(').ok_or_else(malformed)?;
        let key = rest.strip_suffix(')').ok_or_else(malformed)?;
        let table = self.model().table_by_set(set)?;
        let key = RowKey::parse(table, key)?;
        let id = key
            .find(connection, self.model(), table)?
            .ok_or_else(|| key.not_found(table))?;
        if !row_exists(connection, table, id)? {
            return Err(key.not_found(table));
        }
        Ok((table, id))
    }

    /// `POST`, `PUT` and `DELETE` of `{set}(key)/{navigation}/$ref`.
    pub(super) fn change_reference(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        segment: &Segment,
        navigation: &Navigation,
    ) -> Result<Response, ODataError> {
        let name = segment.name.as_str();
        let method = self.request.method.as_str();
        let to_one = !navigation.is_collection();
        match (method, to_one) {
            ("POST", false) | ("PUT", true) => {
                let body = Members::parse(&self.request.body, &table.entity_set_name)?;
                let address = body.text("@odata.id").ok_or_else(|| {
                    payload_error(&table.entity_set_name, "The body has no '@odata.id'.")
                })?;
                let (other, other_id) = self.resolve_reference(writer.connection(), &address)?;
                Self::require_target(table, name, navigation, other)?;
                self.relate(writer, (table, id), name, (other, other_id))?;
            }
            ("DELETE", true) => {
                let Navigation::ToOne { column, .. } = navigation else {
                    return Err(ODataError::method_not_allowed(method));
                };
                self.set_lookup(writer, table, id, column, Value::Null)?;
            }
            ("DELETE", false) => {
                let (other, other_id) = match (&segment.arguments, &self.options.id) {
                    (Some(key), _) => {
                        let other = self.model().table(target_of(navigation))?;
                        let key = RowKey::parse(other, key)?;
                        let found = key.find(writer.connection(), self.model(), other)?;
                        (other, found.ok_or_else(|| key.not_found(other))?)
                    }
                    (None, Some(address)) => {
                        self.resolve_reference(writer.connection(), address)?
                    }
                    (None, None) => {
                        return Err(ODataError::bad_request(
                            "0x80060888",
                            "Name the row to disassociate, in parentheses or by $id.",
                        ));
                    }
                };
                if let Navigation::ToMany { column, .. } = navigation {
                    Self::require_child(writer, other, other_id, column, id)?;
                    self.set_lookup(writer, other, other_id, column, Value::Null)?;
                } else {
                    self.disassociate(writer, table, id, name, other_id)?;
                }
            }
            _ => return Err(ODataError::method_not_allowed(method)),
        }
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// Makes a row refer to another, be referred to by it, or be associated with it, as the
    /// navigation property says.
    pub(super) fn relate(
        &self,
        writer: &Writer<'_>,
        (table, id): (&Table, Uuid),
        name: &str,
        (other, other_id): (&Table, Uuid),
    ) -> Result<(), ODataError> {
        let other_row = || Value::lookup(&other.logical_name, other_id);
        match self.model().navigation(&table.logical_name, name) {
            Some(Navigation::ToOne { column, .. }) => {
                self.require_appendable(writer, (table, id), (other, other_id))?;
                self.set_lookup(writer, table, id, column, other_row())
            }
            Some(Navigation::ToOwner) => {
                self.require_access(writer.connection(), table, id, PrivilegeType::Assign)?;
                self.set_lookup(writer, table, id, "ownerid", other_row())
            }
            Some(Navigation::ToMany { column, .. }) => {
                self.require_appendable(writer, (other, other_id), (table, id))?;
                let value = Value::lookup(&table.logical_name, id);
                self.set_lookup(writer, other, other_id, column, value)
            }
            Some(Navigation::Associated { .. }) => {
                self.associate(writer, table, id, name, other_id)
            }
            None => Err(ODataError::unknown_segment(name)),
        }
    }

    pub(super) fn require_target(
        table: &Table,
        name: &str,
        navigation: &Navigation,
        other: &Table,
    ) -> Result<(), ODataError> {
        let fits = match navigation {
            Navigation::ToOwner => crate::odata::model::is_principal(other),
            other_navigation => target_of(other_navigation) == other.logical_name,
        };
        if !fits {
            return Err(payload_error(
                &table.entity_set_name,
                &format!(
                    "The navigation property '{name}' cannot refer to a row of '{}'.",
                    other.entity_set_name
                ),
            ));
        }
        Ok(())
    }

    /// Rejects a caller who may not attach the first row to the second.
    pub(super) fn require_appendable(
        &self,
        writer: &Writer<'_>,
        (table, id): (&Table, Uuid),
        (other, other_id): (&Table, Uuid),
    ) -> Result<(), ODataError> {
        let connection = writer.connection();
        self.require_access(connection, table, id, PrivilegeType::Append)?;
        self.require_access(connection, other, other_id, PrivilegeType::AppendTo)?;
        Ok(())
    }

    fn set_lookup(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        column: &str,
        value: Value,
    ) -> Result<(), ODataError> {
        let before = writer
            .row(&table.logical_name, id)?
            .ok_or_else(|| ODataError::no_row(&table.logical_name, id))?;
        let layout = writer.store().layout(&table.logical_name)?;
        let mut after = before.values.clone();
        self.require_access(writer.connection(), table, id, PrivilegeType::Write)?;
        layout.set(&mut after, column, value);
        self.author().sign(layout, &mut after);
        writer.completer(table, self.author())?.derive(&mut after)?;
        self.check_update(writer, table, &before, &after)?;
        writer.update(&table.logical_name, &before, &after)?;
        self.updated(writer, table, &before, &after)
    }

    /// 404 for a row that does not refer to this parent.
    fn require_child(
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        column: &str,
        parent: Uuid,
    ) -> Result<(), ODataError> {
        let name = &table.logical_name;
        let row = writer.row(name, id)?;
        let layout = writer.store().layout(name)?;
        row.filter(|row| layout.get(&row.values, column).id() == Some(parent))
            .map(|_| ())
            .ok_or_else(|| ODataError::no_row(name, id))
    }

    /// `PUT emails(id)/email_activity_parties` with `{"value":[…]}`: replaces the collection.
    pub(super) fn replace_collection(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        name: &str,
    ) -> Result<Response, ODataError> {
        let Some(Navigation::ToMany {
            table: child,
            column,
        }) = self.model().navigation(&table.logical_name, name)
        else {
            return Err(ODataError::unknown_segment(name));
        };
        let child = self.model().table(child)?;
        if !child.is_activity_party {
            return Err(ODataError::method_not_allowed("PUT"));
        }
        self.require_access(writer.connection(), table, id, PrivilegeType::Write)?;
        let set = &child.entity_set_name;
        let body = Members::parse(&self.request.body, set)?;
        let items: Vec<Members> = body
            .get("value")
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .ok_or_else(|| payload_error(set, "The body has no array 'value'."))?;
        for party in writer.referring(&child.logical_name, column, id)? {
            writer.delete(&child.logical_name, party)?;
        }
        for item in items {
            let link = [(column.clone(), Value::lookup(&table.logical_name, id))];
            self.create_record(writer, child, &item, &link)?;
        }
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }
}

fn target_of(navigation: &Navigation) -> &str {
    match navigation {
        Navigation::ToOne { target, .. } => target,
        Navigation::ToMany { table, .. } | Navigation::Associated { table, .. } => table,
        Navigation::ToOwner => "systemuser",
    }
}
