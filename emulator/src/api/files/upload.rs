//! `PATCH {set}(key)/{column}` with the bytes of a file, at once or in parts.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::{CHUNK, image, is_file, require_size, set_file};
use crate::{
    api::{Call, Response, key::RowKey, request::Segment},
    schema::{Column, PrivilegeType, Table},
    store::{StoredFile, Writer},
    wire::ODataError,
};

/// Files of which a part has arrived, by the token in the address of the others.
#[derive(Debug, Default)]
pub(in crate::api) struct Uploads(Mutex<HashMap<Uuid, Upload>>);

#[derive(Debug)]
struct Upload {
    row: Uuid,
    column: String,
    name: String,
    content: Vec<u8>,
}

impl Call<'_> {
    /// Handles a request that changes the file behind a column; `None` if it is about something
    /// else.
    pub(in crate::api) fn change_file(
        &self,
        writer: &Writer<'_>,
        first: &Segment,
        rest: &[Segment],
    ) -> Result<Option<Response>, ODataError> {
        let (Some(key), [name, ..]) = (&first.arguments, rest) else {
            return Ok(None);
        };
        let Ok(table) = self.model().table_by_set(&first.name) else {
            return Ok(None);
        };
        let Some(column) = table.column(&name.name).filter(|column| is_file(column)) else {
            return Ok(None);
        };
        let deletes = self.request.method == Method::DELETE;
        let kind = self.request.header("content-type").unwrap_or_default();
        if !deletes && kind.starts_with("application/json") {
            return Ok(None);
        }
        if !deletes && !matches!(self.request.method, Method::PATCH | Method::PUT) {
            return Err(ODataError::method_not_allowed(self.request.method.as_str()));
        }
        let key = RowKey::parse(table, key)?;
        let id = self.existing(writer.connection(), table, &key)?;
        self.require_access(writer.connection(), table, id, PrivilegeType::Write)?;
        self.caller
            .viewer
            .columns
            .require_write(table, column, false)?;
        if deletes {
            return self.put_file(writer, table, column, id, None).map(Some);
        }
        let chunked = self.request.header("x-ms-transfer-mode");
        if chunked.is_some_and(|mode| mode.eq_ignore_ascii_case("chunked")) {
            return self.begin(table, column, id).map(Some);
        }
        if let Some(token) = self.options.custom.get("sessiontoken") {
            return self.go_on(writer, table, column, id, token).map(Some);
        }
        let content = self.request.body.to_vec();
        let file = Self::file(table, column, self.file_name(), content)?;
        self.put_file(writer, table, column, id, Some(&file))
            .map(Some)
    }

    /// The name that the address or a header gives the file.
    fn file_name(&self) -> Option<String> {
        let in_address = self.options.custom.get("x-ms-file-name").cloned();
        in_address.or_else(|| {
            let name = self.request.header("x-ms-file-name")?;
            let name = percent_decode_str(name).decode_utf8().ok()?;
            Some(name.into_owned())
        })
    }

    fn file(
        table: &Table,
        column: &Column,
        name: Option<String>,
        content: Vec<u8>,
    ) -> Result<StoredFile, ODataError> {
        require_size(column, content.len())?;
        if column.attribute_of.is_some() {
            let unnamed = image(table, content);
            let name = name.unwrap_or(unnamed.name);
            return Ok(StoredFile { name, ..unnamed });
        }
        let name = name.ok_or_else(|| {
            ODataError::bad_request(
                "0x80040203",
                "A file needs a name: send x-ms-file-name in the address or as a header.",
            )
        })?;
        let kind = "application/octet-stream".to_owned();
        Ok(StoredFile {
            name,
            kind,
            content,
        })
    }

    fn put_file(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        column: &Column,
        id: Uuid,
        file: Option<&StoredFile>,
    ) -> Result<Response, ODataError> {
        let layout = writer.store().layout(&table.logical_name)?;
        let before = writer
            .row(&table.logical_name, id)?
            .ok_or_else(|| ODataError::no_row(&table.logical_name, id))?;
        let mut after = before.values.clone();
        set_file(writer, layout, &mut after, column, file, self.now())?;
        self.author().sign(layout, &mut after);
        writer.update(&table.logical_name, &before, &after)?;
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// The first request of an upload in parts: returns the address for them.
    fn begin(&self, table: &Table, column: &Column, row: Uuid) -> Result<Response, ODataError> {
        let file = Self::file(table, column, self.file_name(), Vec::new())?;
        let token = Uuid::new_v4();
        let upload = Upload {
            row,
            column: column.logical_name.clone(),
            name: file.name,
            content: Vec::new(),
        };
        let uploads = &self.api.uploads.0;
        let mut uploads = uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.insert(token, upload);
        let location = format!(
            "{}/{}({row})/{}?sessiontoken={token}",
            self.request.root, table.entity_set_name, column.logical_name
        );
        Ok(Response::empty(StatusCode::OK)
            .with("location", &location)
            .with("x-ms-chunk-size", &CHUNK.to_string())
            .with("accept-ranges", "bytes"))
    }

    /// A part, which follows the ones before.
    fn go_on(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        column: &Column,
        row: Uuid,
        token: &str,
    ) -> Result<Response, ODataError> {
        let unfit = |problem: &str| ODataError::bad_request("0x80040203", problem);
        let range = self.request.header("content-range").and_then(part);
        let (start, end, total) = range
            .ok_or_else(|| unfit("A part needs a header such as Content-Range: bytes 0-9/20."))?;
        require_size(column, total)?;
        let uploads = &self.api.uploads.0;
        let mut uploads = uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let token = Uuid::try_parse(token).ok();
        let upload = token
            .and_then(|token| uploads.get_mut(&token))
            .filter(|upload| upload.row == row && upload.column == column.logical_name)
            .ok_or_else(|| unfit("There is no upload of this session token."))?;
        let body = &self.request.body;
        if start != upload.content.len() || body.len() != end - start || body.len() > CHUNK {
            return Err(unfit(
                "The part does not follow the parts before, or has another length than it says.",
            ));
        }
        upload.content.extend_from_slice(body);
        if end < total {
            return Ok(Response::empty(StatusCode::PARTIAL_CONTENT));
        }
        let upload = token.and_then(|token| uploads.remove(&token));
        drop(uploads);
        let Some(upload) = upload else {
            return Err(unfit("There is no upload of this session token."));
        };
        let file = Self::file(table, column, Some(upload.name), upload.content)?;
        self.put_file(writer, table, column, row, Some(&file))
    }
}

/// First byte, the one after the last, and size of the whole: `bytes 0-9/20`.
fn part(range: &str) -> Option<(usize, usize, usize)> {
    let (range, total) = range.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (start, last, total): (usize, usize, usize) =
        (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    (start <= last && last < total).then_some((start, last + 1, total))
}
