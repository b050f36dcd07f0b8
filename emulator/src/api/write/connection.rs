//! Connections, each of which is two rows that mirror one another (reference §12.3).

use uuid::Uuid;

use crate::{
    api::Call,
    store::{Layout, Value, Writer},
    wire::ODataError,
};

const TABLE: &str = "connection";

/// Columns of a row, with those of its mirror row that hold the same.
const MIRRORED: [(&str, &str); 11] = [
    ("record1id", "record2id"),
    ("record2id", "record1id"),
    ("record1roleid", "record2roleid"),
    ("record2roleid", "record1roleid"),
    ("description", "description"),
    ("effectivestart", "effectivestart"),
    ("effectiveend", "effectiveend"),
    ("ownerid", "ownerid"),
    ("statecode", "statecode"),
    ("statuscode", "statuscode"),
    ("importsequencenumber", "importsequencenumber"),
];

impl Call<'_> {
    /// Makes a new row the first of two.
    pub(in crate::api) fn prepare_connection(
        writer: &Writer<'_>,
        row: &mut [Value],
    ) -> Result<(), ODataError> {
        let layout = writer.store().layout(TABLE)?;
        if layout.get(row, "record1id") == layout.get(row, "record2id") {
            return Err(ODataError::bad_request(
                "0x80048217",
                "Cannot connect a record to itself.",
            ));
        }
        let mirror = Value::lookup(TABLE, Uuid::new_v4());
        layout.set(row, "relatedconnectionid", mirror);
        layout.set(row, "ismaster", Value::Bool(true));
        let name = name_of(writer, layout.get(row, "record2id"))?;
        layout.set(row, "name", name);
        Ok(())
    }

    /// Adds the mirror row of a new row.
    pub(in crate::api) fn mirror_connection(
        &self,
        writer: &Writer<'_>,
        id: Uuid,
    ) -> Result<(), ODataError> {
        let layout = writer.store().layout(TABLE)?;
        let row = writer
            .row(TABLE, id)?
            .ok_or_else(|| ODataError::no_row(TABLE, id))?;
        let value = |column: &str| layout.get(&row.values, column).clone();
        let mirror = value("relatedconnectionid").id().unwrap_or_default();
        let mut values = vec![
            ("connectionid", Value::Guid(mirror)),
            ("relatedconnectionid", Value::lookup(TABLE, id)),
            ("ismaster", Value::Bool(false)),
            ("name", name_of(writer, &value("record1id"))?),
        ];
        values.extend(MIRRORED.iter().map(|(from, to)| (*to, value(from))));
        writer.create(TABLE, self.author(), &values)?;
        Ok(())
    }

    /// Lets the mirror row of a changed row follow.
    pub(in crate::api) fn follow_connection(
        &self,
        writer: &Writer<'_>,
        after: &[Value],
    ) -> Result<(), ODataError> {
        let layout = writer.store().layout(TABLE)?;
        let mirror = layout.get(after, "relatedconnectionid").id();
        let Some(before) = mirror
            .map(|id| writer.row(TABLE, id))
            .transpose()?
            .flatten()
        else {
            return Ok(());
        };
        let mut image = before.values.clone();
        for (from, to) in MIRRORED {
            layout.set(&mut image, to, layout.get(after, from).clone());
        }
        if image != before.values {
            self.author().sign(layout, &mut image);
            writer.update(TABLE, &before, &image)?;
        }
        Ok(())
    }

    /// Deletes the mirror row of a deleted row.
    pub(in crate::api) fn delete_mirror(writer: &Writer<'_>, id: Uuid) -> Result<(), ODataError> {
        let layout: &Layout = writer.store().layout(TABLE)?;
        let row = writer.row(TABLE, id)?;
        let mirror = row.and_then(|row| layout.get(&row.values, "relatedconnectionid").id());
        if let Some(mirror) = mirror {
            writer.delete(TABLE, mirror)?;
        }
        Ok(())
    }
}

/// The primary name of the row that a lookup refers to.
fn name_of(writer: &Writer<'_>, lookup: &Value) -> Result<Value, ODataError> {
    let Value::Lookup { table, id } = lookup else {
        return Ok(Value::Null);
    };
    let definition = writer.store().table(table)?;
    let row = writer.row(table, *id)?;
    let named = definition.primary_name.as_ref().zip(row);
    let layout = writer.store().layout(table)?;
    Ok(named.map_or(Value::Null, |(column, row)| {
        layout.get(&row.values, column).clone()
    }))
}
