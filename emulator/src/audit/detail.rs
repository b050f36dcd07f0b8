//! `AuditDetail` and its derived types: a row of the log in the form of the Web API.

use uuid::Uuid;

use super::data::{Changed, Data, Granted};
use crate::{
    gate::ColumnRights,
    odata::{
        Model,
        model::{is_principal, wire_name},
    },
    org::Depth,
    schema::{PrivilegeType, Table},
    store::Stored,
    wire::json::{push_member, push_name, push_separator, push_text},
};

const NAMESPACE: &str = "#Microsoft.Dynamics.CRM.";

/// The user who reads an entry of the log.
pub(crate) struct Reader<'a> {
    pub(crate) model: &'a Model,
    pub(crate) rights: &'a ColumnRights,
    /// The business unit for which privileges of roles are returned.
    pub(crate) unit: Uuid,
}

impl Reader<'_> {
    fn may_read(&self, table: &Table, column: &str) -> bool {
        let column = table.column(column);
        column.is_none_or(|column| self.rights.may_read(table, column))
    }
}

/// Appends the detail of a row of the log as a JSON object.
pub(crate) fn push_detail(
    out: &mut Vec<u8>,
    reader: &Reader<'_>,
    table: &Table,
    change_data: &str,
) {
    let (model, unit) = (reader.model, reader.unit);
    out.push(b'{');
    match serde_json::from_str(change_data) {
        Ok(Data::Attributes { changed_attributes }) => {
            let mut shown = changed_attributes;
            shown.retain(|changed| reader.may_read(table, &changed.logical_name));
            attributes(out, model, table, &shown);
        }
        Ok(Data::Relationship {
            relationship_name,
            targets,
        }) => {
            kind(out, "RelationshipAuditDetail");
            push_member(out, "RelationshipName", &relationship_name);
            push_name(out, "TargetRecords");
            list(out, &targets, |out, target| row(out, model, target));
        }
        Ok(Data::Share {
            principal,
            old_privileges,
            new_privileges,
        }) => {
            kind(out, "ShareAuditDetail");
            push_member(out, "OldPrivileges", &rights(old_privileges));
            push_member(out, "NewPrivileges", &rights(new_privileges));
            push_name(out, "Principal");
            row(out, model, &principal);
        }
        Ok(Data::RolePrivileges { removed, added }) => {
            kind(out, "RolePrivilegeAuditDetail");
            push_name(out, "InvalidNewPrivileges");
            out.extend_from_slice(b"[]");
            push_name(out, "OldRolePrivileges");
            list(out, &removed, |out, granted| privilege(out, granted, unit));
            push_name(out, "NewRolePrivileges");
            list(out, &added, |out, granted| privilege(out, granted, unit));
        }
        Err(_) => kind(out, "AuditDetail"),
    }
    out.push(b'}');
}

fn kind(out: &mut Vec<u8>, name: &str) {
    push_member(out, "@odata.type", &format!("{NAMESPACE}{name}"));
}

fn attributes(out: &mut Vec<u8>, model: &Model, table: &Table, changed: &[Changed]) {
    kind(out, "AttributeAuditDetail");
    push_name(out, "InvalidNewValueAttributes");
    out.extend_from_slice(b"[]");
    push_name(out, "LocLabelLanguageCode");
    out.push(b'0');
    push_name(out, "DeletedAttributes");
    out.extend_from_slice(br#"{"Count":0,"Keys":[],"Values":[]}"#);
    for (name, new) in [("OldValue", false), ("NewValue", true)] {
        push_name(out, name);
        out.push(b'{');
        kind(out, &table.logical_name);
        for change in changed {
            let value = if new {
                &change.new_value
            } else {
                &change.old_value
            };
            if let Some(value) = value {
                property(out, model, table, &change.logical_name, value);
            }
        }
        out.push(b'}');
    }
}

/// A property from the text that the log keeps.
fn property(out: &mut Vec<u8>, model: &Model, table: &Table, column: &str, text: &str) {
    let property = table
        .column(column)
        .and_then(|column| model.find_property(table, &wire_name(column)));
    let Some(property) = property else {
        return;
    };
    push_name(out, &property.name);
    match property.stored {
        Stored::Integer | Stored::Boolean | Stored::Scaled(_) | Stored::Real => {
            out.extend_from_slice(text.as_bytes());
        }
        Stored::Reference | Stored::TypedReference => {
            push_text(out, text.rsplit(',').next().unwrap_or(text));
        }
        Stored::Guid | Stored::Text | Stored::Instant | Stored::Date => push_text(out, text),
    }
}

/// `role,{key}` as an object with type and key.
fn row(out: &mut Vec<u8>, model: &Model, reference: &str) {
    let (name, id) = reference.split_once(',').unwrap_or((reference, ""));
    out.push(b'{');
    kind(out, name);
    if let Some(table) = model.schema.table(name) {
        push_member(out, &table.primary_id, id);
        if is_principal(table) {
            push_member(out, "ownerid", id);
        }
    }
    out.push(b'}');
}

fn privilege(out: &mut Vec<u8>, granted: &Granted, unit: Uuid) {
    out.push(b'{');
    if let Some(depth) = Depth::from_mask(granted.depth) {
        push_member(out, "Depth", depth.name());
    }
    push_member(out, "PrivilegeId", &granted.privilege_id.to_string());
    push_member(out, "BusinessUnitId", &unit.to_string());
    out.push(b'}');
}

fn list<T>(out: &mut Vec<u8>, items: &[T], push: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for item in items {
        push_separator(out);
        push(out, item);
    }
    out.push(b']');
}

/// `ReadAccess, WriteAccess`, or `None`.
fn rights(mask: i64) -> String {
    match PrivilegeType::names_of(mask) {
        names if names.is_empty() => "None".to_owned(),
        names => names,
    }
}
