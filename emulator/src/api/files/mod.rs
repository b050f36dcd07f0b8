//! Files and images behind columns (reference §4.10): how rows refer to them.

mod download;
mod upload;

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use uuid::Uuid;

pub(super) use self::upload::Uploads;
use super::Call;
use crate::{
    schema::{Column, ColumnKind, Table},
    store::{Layout, StoreError, StoredFile, Value, Writer},
    wire::ODataError,
};

/// Largest part of a file in one exchange, in bytes.
const CHUNK: usize = 4 * 1024 * 1024;

/// Whether values of the column are files that have addresses of their own.
pub(super) fn is_file(column: &Column) -> bool {
    matches!(
        column.kind,
        ColumnKind::File { .. } | ColumnKind::Image { .. }
    )
}

/// The column that holds the key of the column's file: for an image another one.
fn key_column(column: &Column) -> &str {
    match &column.attribute_of {
        Some(key) => key,
        None => &column.logical_name,
    }
}

fn require_size(column: &Column, size: usize) -> Result<(), ODataError> {
    let (ColumnKind::File { max_kib } | ColumnKind::Image { max_kib, .. }) = &column.kind else {
        return Ok(());
    };
    let most = usize::try_from(*max_kib)
        .unwrap_or(usize::MAX)
        .saturating_mul(1024);
    if size <= most {
        return Ok(());
    }
    Err(ODataError::new(
        StatusCode::BAD_REQUEST,
        "0x80044331",
        format!(
            "The file of {size} bytes is larger than the {max_kib} KB that the column '{}' takes.",
            column.logical_name
        ),
    ))
}

/// Puts a file into a row, in the place of the one before; with none, empties the column.
fn set_file(
    writer: &Writer<'_>,
    layout: &Layout,
    row: &mut [Value],
    column: &Column,
    file: Option<&StoredFile>,
    now: i64,
) -> Result<(), StoreError> {
    let key = key_column(column);
    if let Some(old) = layout.get(row, key).id() {
        writer.forget_file(old)?;
    }
    let id = file.map(|file| writer.keep_file(file)).transpose()?;
    layout.set(row, key, id.map_or(Value::Null, Value::Guid));
    let name = &column.logical_name;
    let mut part = |suffix: &str, value: Option<Value>| {
        layout.set(
            row,
            &format!("{name}{suffix}"),
            value.unwrap_or(Value::Null),
        );
    };
    if let ColumnKind::File { .. } = column.kind {
        part("_name", file.map(|file| Value::Text(file.name.clone())));
        return Ok(());
    }
    // The time is in ticks of 100 ns since the year 1.
    let ticks = 621_355_968_000_000_000_i64.saturating_add(now.saturating_mul(10_000_000));
    let address = |id: Uuid| {
        format!(
            "/Image/download.aspx?Entity={}&Attribute={name}&Id={id}&Timestamp={ticks}",
            layout.table
        )
    };
    part(
        "",
        file.map(|file| Value::Text(STANDARD.encode(&file.content))),
    );
    part("_timestamp", id.map(|_| Value::Int(ticks)));
    part("_url", id.map(|id| Value::Text(address(id))));
    Ok(())
}

impl Call<'_> {
    /// Takes the images that a body gave as base64 out of a row, and keeps them as files.
    pub(super) fn store_images(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        before: Option<&[Value]>,
        row: &mut [Value],
    ) -> Result<(), ODataError> {
        let layout = writer.store().layout(&table.logical_name)?;
        if let (Value::Text(text), "annotation") =
            (layout.get(row, "documentbody"), table.logical_name.as_str())
        {
            decoded(text, "documentbody")?;
        }
        let images = table
            .columns
            .iter()
            .filter(|column| matches!(column.kind, ColumnKind::Image { .. }));
        for column in images {
            let name = &column.logical_name;
            let given = layout.get(row, name).clone();
            if before.map_or(&Value::Null, |before| layout.get(before, name)) == &given {
                continue;
            }
            let file = match given {
                Value::Text(text) => {
                    let content = decoded(&text, name)?;
                    require_size(column, content.len())?;
                    Some(image(table, content))
                }
                _ => None,
            };
            set_file(writer, layout, row, column, file.as_ref(), self.now())?;
        }
        Ok(())
    }
}

/// The bytes of a base64 text.
fn decoded(text: &str, column: &str) -> Result<Vec<u8>, ODataError> {
    STANDARD.decode(text).map_err(|_| {
        ODataError::bad_request(
            "0x80048d19",
            format!("The value of '{column}' is not in base64."),
        )
    })
}

/// An image that came without a name.
fn image(table: &Table, content: Vec<u8>) -> StoredFile {
    let (kind, ending) = match content.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => ("image/png", "png"),
        [0xff, 0xd8, ..] => ("image/jpeg", "jpg"),
        [b'G', b'I', b'F', ..] => ("image/gif", "gif"),
        _ => ("application/octet-stream", "bin"),
    };
    StoredFile {
        name: format!("{}.{ending}", table.logical_name),
        kind: kind.to_owned(),
        content,
    }
}

/// Deletes the files of a deleted row.
pub(super) fn delete_files(writer: &Writer<'_>, table: &Table, id: Uuid) -> Result<(), StoreError> {
    let mut keys = table
        .columns
        .iter()
        .filter(|column| is_file(column))
        .peekable();
    if keys.peek().is_none() {
        return Ok(());
    }
    let layout = writer.store().layout(&table.logical_name)?;
    if let Some(row) = writer.row(&table.logical_name, id)? {
        for key in keys.map(key_column) {
            if let Some(file) = layout.get(&row.values, key).id() {
                writer.forget_file(file)?;
            }
        }
    }
    Ok(())
}
