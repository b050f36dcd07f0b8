//! Replaces the references to files and images by their content (reference §4.10).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dataverse_rows::{Piece, members, string};

use super::kind::Plan;
use super::rejection;
use crate::dataverse::query::encode;
use crate::dataverse::{Client, Guid, Prefer};
use crate::error::{Error, ErrorKind, Recovery};
use crate::host::Host;
use crate::json::quoted;

/// The largest file that is read, in bytes.
const MAX_FILE: usize = 4 << 20;
/// How much the files of one page may take in base64, in bytes.
const MAX_PAGE: usize = 8 << 20;
/// The size that a piece of rows should have, in bytes.
const PIECE_BYTES: usize = 4 << 20;

/// The rows of a page with the content of their files, and why the first missing file is missing.
///
/// # Errors
/// Why the files cannot be read; with [`Recovery::SmallerPages`] if they are too large together.
pub(super) async fn fill<H: Host>(
    client: &Client<H>,
    plan: &Plan,
    pieces: Vec<Piece>,
) -> Result<(Vec<Piece>, Option<String>), Error> {
    let columns = plan.file_columns();
    let client = client.clone().with_max_body(MAX_FILE);
    let mut missing = None;
    let mut bytes = 0;
    let mut out: Vec<Piece> = Vec::new();
    for piece in pieces {
        if piece.deleted {
            out.push(piece);
            continue;
        }
        for line in piece.ndjson.lines() {
            let row = members(line).unwrap_or_default();
            let key = row
                .iter()
                .find(|(name, _)| *name == plan.table.primary_key)
                .and_then(|(_, value)| Guid::parse(&string(value)?));
            let mut text = String::from("{");
            for (name, value) in &row {
                if text.len() > 1 {
                    text.push(',');
                }
                text.push_str(&quoted(name));
                text.push(':');
                let is_file = value.starts_with('"') && columns.contains(&&**name);
                let Some(key) = key.as_ref().filter(|_| is_file) else {
                    text.push_str(value);
                    continue;
                };
                match content(&client, plan, key, name, value).await? {
                    Content::File(content) => {
                        bytes += content.len();
                        text.push_str(&content);
                    }
                    Content::Missing(why) => {
                        text.push_str("null");
                        missing.get_or_insert(why);
                    }
                }
            }
            text.push_str("}\n");
            // One row alone may be larger.
            if bytes > MAX_PAGE && !out.is_empty() {
                let message =
                    "the files of one page are too large together; use a smaller page size";
                return Err(Error::new(ErrorKind::Unsupported, message)
                    .with_recovery(Recovery::SmallerPages));
            }
            match out.last_mut() {
                Some(last) if !last.deleted && last.ndjson.len() + text.len() <= PIECE_BYTES => {
                    last.ndjson.push_str(&text);
                    last.count += 1;
                }
                _ => out.push(Piece {
                    deleted: false,
                    count: 1,
                    ndjson: text,
                }),
            }
        }
    }
    Ok((out, missing))
}

/// The content of a file.
enum Content {
    /// As JSON text.
    File(String),
    /// Missing, and why.
    Missing(String),
}

async fn content<H: Host>(
    client: &Client<H>,
    plan: &Plan,
    key: &Guid,
    column: &str,
    value: &str,
) -> Result<Content, Error> {
    let path = encode(&format!("{}({key})/{column}/$value", plan.table.entity_set));
    let is_file = string(value).is_some_and(|value| Guid::parse(&value).is_some());
    // The row of an image holds a thumbnail of it.
    let size = if is_file { "" } else { "?size=full" };
    let link = client.resource(&format!("{path}{size}"))?;
    match client.get(&link, &Prefer::default()).await {
        Ok(response) if response.body.is_empty() && is_file => Ok(Content::File("null".to_owned())),
        // Only the thumbnail exists.
        Ok(response) if response.body.is_empty() => Ok(Content::File(value.to_owned())),
        Ok(response) => Ok(Content::File(format!(
            "\"{}\"",
            STANDARD.encode(response.body)
        ))),
        Err(error) if error.recovery == Some(Recovery::SmallerPages) => {
            Ok(Content::Missing(format!(
                "{column} of the row {key} is larger than the {} MiB that are read",
                MAX_FILE >> 20
            )))
        }
        Err(error) if error.kind == ErrorKind::Forbidden => Ok(Content::Missing(error.message)),
        Err(error) if rejection::is_permanent(&error) && !is_file => {
            Ok(Content::File(value.to_owned()))
        }
        // The file was deleted since.
        Err(error) if rejection::is_permanent(&error) => Ok(Content::File("null".to_owned())),
        Err(error) => Err(error),
    }
}
