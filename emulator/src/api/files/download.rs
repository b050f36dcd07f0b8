//! `GET {set}(key)/{column}/$value`: a file or an image, whole or in parts.

use axum::http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use super::{CHUNK, key_column};
use crate::{
    api::{Call, Response},
    schema::{Column, Table},
    store::{layout::parse_guid, read_file},
    wire::ODataError,
};

/// Largest file that is sent without a `Range`, in bytes.
const WHOLE: usize = 16 * 1024 * 1024;

impl Call<'_> {
    /// The file behind a column of a row that the caller may read.
    pub(in crate::api) fn download(
        &self,
        connection: &Connection,
        table: &Table,
        column: &Column,
        id: Uuid,
    ) -> Result<Response, ODataError> {
        self.caller.viewer.columns.require_read(table, column)?;
        let sql = format!(
            "SELECT \"{}\" FROM \"{}\" WHERE \"{}\" = ?1",
            key_column(column),
            table.logical_name,
            table.primary_id
        );
        let key: Option<Option<String>> = connection
            .prepare_cached(&sql)?
            .query_row([id.to_string()], |row| row.get(0))
            .optional()?;
        let file = match key.flatten() {
            Some(key) => read_file(connection, parse_guid(&key))?,
            None => None,
        };
        let file = file.ok_or_else(|| {
            ODataError::new(
                StatusCode::NOT_FOUND,
                "0x80090001",
                format!(
                    "No file attachment found for attribute: {} EntityId: {id}.",
                    column.logical_name
                ),
            )
        })?;
        let size = file.content.len();
        let range = self.request.header("range");
        let (status, part) = match range {
            None if size > WHOLE => {
                return Err(ODataError::bad_request(
                    "0x80040203",
                    format!("A file of {size} bytes is downloaded in parts: send a Range header."),
                ));
            }
            None => (StatusCode::OK, 0..size),
            Some(range) => {
                let Some(part) = requested(range, size) else {
                    let refused = Response::empty(StatusCode::RANGE_NOT_SATISFIABLE);
                    return Ok(refused.with("content-range", &format!("bytes */{size}")));
                };
                (StatusCode::PARTIAL_CONTENT, part)
            }
        };
        let name = utf8_percent_encode(&file.name, NON_ALPHANUMERIC).to_string();
        // Dots and similar characters need no escape.
        let name = name
            .replace("%2E", ".")
            .replace("%5F", "_")
            .replace("%2D", "-");
        let mut response = Response::empty(status)
            .with("content-type", "application/octet-stream")
            .with(
                "content-disposition",
                &format!("attachment; filename=\"{name}\""),
            )
            .with("x-ms-file-name", &name)
            .with("x-ms-file-size", &size.to_string())
            .with("mimetype", &file.kind)
            .with("accept-ranges", "bytes");
        if status == StatusCode::PARTIAL_CONTENT {
            let last = part.end.saturating_sub(1);
            response = response
                .with(
                    "content-range",
                    &format!("bytes {}-{last}/{size}", part.start),
                )
                .with("x-ms-chunk-size", &CHUNK.to_string());
        }
        response.body = file.content.get(part).unwrap_or_default().to_vec();
        Ok(response)
    }
}

/// The part of a file that `bytes=0-1023` or `bytes=0-1023/8192` asks for, at most 4 MiB of it.
fn requested(range: &str, size: usize) -> Option<std::ops::Range<usize>> {
    let range = range.trim().strip_prefix("bytes=").unwrap_or(range);
    let (range, _) = range.split_once('/').unwrap_or((range, ""));
    let (first, last) = range.split_once('-')?;
    let start: usize = first.trim().parse().ok()?;
    let end = match last.trim() {
        "" => size,
        last => last.parse::<usize>().ok()?.saturating_add(1),
    };
    let end = end.min(size).min(start.saturating_add(CHUNK));
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_clients_write_them() {
        assert_eq!(requested("bytes=0-1023", 4096), Some(0..1024));
        assert_eq!(requested("bytes=1024-2047/4096", 4096), Some(1024..2048));
        assert_eq!(requested("bytes=4000-", 4096), Some(4000..4096));
        assert_eq!(requested("bytes=0-99999999", 10_000_000), Some(0..CHUNK));
        for wrong in ["bytes=4096-", "bytes=5-4", "bytes=-5", "bytes=x-y", ""] {
            assert_eq!(requested(wrong, 4096), None, "{wrong}");
        }
    }
}
