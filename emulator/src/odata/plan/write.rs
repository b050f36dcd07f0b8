//! The members of a row as JSON, with the annotations that the request prefers.

use rusqlite::{Row, types::ValueRef};

use super::{Cell, Plan, VERSION};
use crate::{
    store::Stored,
    time,
    wire::{
        ODataError,
        annotations::{ATTRIBUTE, FORMATTED, LOOKUP_NAVIGATION, LOOKUP_TABLE},
        json::{push_double, push_integer, push_scaled, push_separator, push_text},
    },
};

impl Plan {
    /// Appends the row's members, without the braces around them.
    pub(crate) fn write_members(&self, out: &mut Vec<u8>, row: &Row<'_>) -> Result<(), ODataError> {
        if self.keyed {
            push_separator(out);
            out.extend_from_slice(b"\"@odata.etag\":\"W/\\\"");
            push_integer(out, row.get_ref(VERSION)?.as_i64().unwrap_or(0));
            out.extend_from_slice(b"\\\"\"");
        }
        for cell in &self.cells {
            let value = row.get_ref(cell.at)?;
            if self.sparse && value == ValueRef::Null {
                continue;
            }
            if self.annotations.any() {
                self.annotate(out, cell, value, row)?;
            }
            push_separator(out);
            out.extend_from_slice(&cell.label);
            write_value(out, value, cell.stored);
        }
        Ok(())
    }

    fn annotate(
        &self,
        out: &mut Vec<u8>,
        cell: &Cell,
        value: ValueRef<'_>,
        row: &Row<'_>,
    ) -> Result<(), ODataError> {
        if value == ValueRef::Null {
            return Ok(());
        }
        if let Some(column) = &cell.alias_of
            && self.annotations.include(ATTRIBUTE)
        {
            push_annotation(out, &cell.name, ATTRIBUTE);
            push_text(out, column);
        }
        if cell.is_lookup {
            let target = match cell.target {
                Some(at) => row.get_ref(at)?.as_str_or_null().unwrap_or(None),
                None => cell.only_target.as_deref(),
            }
            .unwrap_or_default();
            let known = cell.navigations.iter().find(|(table, _)| table == target);
            if let Some((_, navigation)) = known
                && self.annotations.include(LOOKUP_NAVIGATION)
            {
                push_annotation(out, &cell.name, LOOKUP_NAVIGATION);
                push_text(out, navigation);
            }
            if self.annotations.include(LOOKUP_TABLE) {
                push_annotation(out, &cell.name, LOOKUP_TABLE);
                push_text(out, target);
            }
        }
        if let Some(display) = &cell.display {
            let companion = cell.companion.map(|at| row.get_ref(at)).transpose()?;
            let before = out.len();
            push_annotation(out, &cell.name, FORMATTED);
            if !display.push(out, value, companion) {
                out.truncate(before);
            }
        }
        Ok(())
    }
}

fn push_annotation(out: &mut Vec<u8>, property: &str, annotation: &str) {
    push_separator(out);
    out.push(b'"');
    out.extend_from_slice(property.as_bytes());
    out.push(b'@');
    out.extend_from_slice(annotation.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Appends a cell's value as JSON.
pub(crate) fn write_value(out: &mut Vec<u8>, value: ValueRef<'_>, stored: Stored) {
    match (stored, value) {
        (Stored::Guid | Stored::Reference | Stored::TypedReference, ValueRef::Text(id)) => {
            out.push(b'"');
            out.extend_from_slice(id);
            out.push(b'"');
        }
        (_, ValueRef::Text(text)) => match std::str::from_utf8(text) {
            Ok(text) => push_text(out, text),
            Err(_) => out.extend_from_slice(b"null"),
        },
        (Stored::Boolean, ValueRef::Integer(flag)) => {
            out.extend_from_slice(if flag == 0 { b"false" } else { b"true" });
        }
        (Stored::Scaled(scale), ValueRef::Integer(units)) => push_scaled(out, units, scale),
        (Stored::Instant, ValueRef::Integer(seconds)) => {
            out.push(b'"');
            time::push_date_time(out, seconds);
            out.push(b'"');
        }
        (Stored::Date, ValueRef::Integer(seconds)) => {
            out.push(b'"');
            time::push_date(out, seconds);
            out.push(b'"');
        }
        (_, ValueRef::Integer(number)) => push_integer(out, number),
        (_, ValueRef::Real(number)) => push_double(out, number),
        _ => out.extend_from_slice(b"null"),
    }
}
