//! References between rows: `$ref` and `@odata.bind` (reference §7.4).

use axum::http::StatusCode;
use uuid::Uuid;

use super::payload::{Members, payload_error};
use crate::{
    api::{Call, Response, key::RowKey, request::Segment},
    odata::{Navigation, ODataError},
    schema::{PrivilegeType, Table, metadata_id},
    store::{StoreError, Value, Writer},
};

impl Call<'_> {
    /// The row an address leads to: `/contacts(…)`, `contacts(…)` or the whole address.
    pub(super) fn resolve_reference(
        &self,
        writer: &Writer<'_>,
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
            .find(writer.connection(), self.model(), table)?
            .ok_or_else(|| key.not_found(table))?;
        if writer.row(&table.logical_name, id)?.is_none() {
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
        let to_one = matches!(navigation, Navigation::ToOne { .. } | Navigation::ToOwner);
        match (method, to_one) {
            ("POST", false) | ("PUT", true) => {
                let body = Members::parse(&self.request.body, &table.entity_set_name)?;
                let address = body.text("@odata.id").ok_or_else(|| {
                    payload_error(&table.entity_set_name, "The body has no '@odata.id'.")
                })?;
                let (other, other_id) = self.resolve_reference(writer, &address)?;
                self.require_target(table, name, navigation, other)?;
                match navigation {
                    Navigation::ToOne { column, .. } => {
                        let value = Value::lookup(&other.logical_name, other_id);
                        self.set_lookup(writer, table, id, column, value)?;
                    }
                    Navigation::ToOwner => {
                        self.caller.depth(table, PrivilegeType::Assign)?;
                        let value = Value::lookup(&other.logical_name, other_id);
                        self.set_lookup(writer, table, id, "ownerid", value)?;
                    }
                    Navigation::ToMany { column, .. } => {
                        let value = Value::lookup(&table.logical_name, id);
                        self.set_lookup(writer, other, other_id, column, value)?;
                    }
                    Navigation::Associated { .. } => {
                        self.associate(writer, table, id, name, other_id)?;
                    }
                }
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
                    (None, Some(address)) => self.resolve_reference(writer, address)?,
                    (None, None) => {
                        return Err(ODataError::bad_request(
                            "0x80060888",
                            "Name the row to disassociate, in parentheses or by $id.",
                        ));
                    }
                };
                self.disassociate(writer, id, navigation, other, other_id)?;
            }
            _ => return Err(ODataError::method_not_allowed(method)),
        }
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    fn require_target(
        &self,
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
        self.caller.depth(table, PrivilegeType::Append)?;
        self.caller.depth(other, PrivilegeType::AppendTo)?;
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
        layout.set(&mut after, column, value);
        layout.set(&mut after, "modifiedon", Value::DateTime(self.now()));
        layout.set(
            &mut after,
            "modifiedby",
            Value::lookup("systemuser", self.caller.user),
        );
        writer.completer(table, self.author())?.derive(&mut after)?;
        writer.update(&table.logical_name, &before, &after)?;
        Ok(())
    }

    /// Adds the row that associates two others.
    pub(super) fn associate(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        navigation: &str,
        other_id: Uuid,
    ) -> Result<(), ODataError> {
        let Some(Navigation::Associated {
            table: other,
            intersect,
            near,
            far,
        }) = self.model().navigation(&table.logical_name, navigation)
        else {
            return Err(ODataError::unknown_segment(navigation));
        };
        let definition = self.model().table(intersect)?;
        let link = link_id(intersect, id, other_id);
        if writer.row(intersect, link)?.is_some()
            || linked(writer, intersect, near, id, far, other_id)?.is_some()
        {
            return Err(ODataError::precondition(
                "0x80040237",
                "Cannot insert duplicate key.",
            ));
        }
        if intersect == "systemuserroles" {
            require_same_unit(writer, (&table.logical_name, id), (other, other_id))?;
        }
        writer.create(
            intersect,
            self.author(),
            &[
                (definition.primary_id.as_str(), Value::Guid(link)),
                (near, Value::lookup(&table.logical_name, id)),
                (far, Value::lookup(other, other_id)),
            ],
        )?;
        Ok(())
    }

    fn disassociate(
        &self,
        writer: &Writer<'_>,
        id: Uuid,
        navigation: &Navigation,
        other: &Table,
        other_id: Uuid,
    ) -> Result<(), ODataError> {
        match navigation {
            Navigation::ToMany { column, .. } => {
                let name = &other.logical_name;
                let row = writer.row(name, other_id)?;
                let layout = writer.store().layout(name)?;
                row.filter(|row| layout.get(&row.values, column).id() == Some(id))
                    .ok_or_else(|| ODataError::no_row(name, other_id))?;
                self.set_lookup(writer, other, other_id, column, Value::Null)
            }
            Navigation::Associated {
                intersect,
                near,
                far,
                ..
            } => {
                let link = linked(writer, intersect, near, id, far, other_id)?;
                let link = link.ok_or_else(|| ODataError::no_row(&other.logical_name, other_id))?;
                writer.delete(intersect, link)?;
                Ok(())
            }
            Navigation::ToOne { .. } | Navigation::ToOwner => {
                Err(ODataError::method_not_allowed("DELETE"))
            }
        }
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

fn link_id(intersect: &str, one: Uuid, other: Uuid) -> Uuid {
    metadata_id(&["link", intersect, &one.to_string(), &other.to_string()])
}

/// The row that associates two others, if there is one.
fn linked(
    writer: &Writer<'_>,
    intersect: &str,
    near: &str,
    id: Uuid,
    far: &str,
    other_id: Uuid,
) -> Result<Option<Uuid>, StoreError> {
    let layout = writer.store().layout(intersect)?;
    for link in writer.referring(intersect, near, id)? {
        let row = writer.row(intersect, link)?;
        if row.is_some_and(|row| layout.get(&row.values, far).id() == Some(other_id)) {
            return Ok(Some(link));
        }
    }
    Ok(None)
}

/// A role can be given to users of its own business unit only (reference §11.2).
fn require_same_unit(
    writer: &Writer<'_>,
    one: (&str, Uuid),
    other: (&str, Uuid),
) -> Result<(), ODataError> {
    let unit = |(table, id): (&str, Uuid)| -> Result<Option<Uuid>, StoreError> {
        let layout = writer.store().layout(table)?;
        let row = writer.row(table, id)?;
        Ok(row.and_then(|row| layout.get(&row.values, "businessunitid").id()))
    };
    if unit(one)? == unit(other)? {
        return Ok(());
    }
    Err(ODataError::bad_request(
        "0x80041d00",
        "The user and the role must belong to the same business unit.",
    ))
}
