//! Where a stream resumes: versioned, self-contained, without secrets, bound to what it was
//! made for.
//!
//! A checkpoint is JSON that a person can read. It names the environment, table and selection
//! it belongs to, so that a rejection can say what differs, and ends with a checksum, because a
//! change token with one wrong digit would silently skip changes. Links in it are relative to
//! the API root, so they cannot lead anywhere else.

mod binding;
mod document;
mod parse;

pub(super) use binding::{Binding, fingerprint};

use serde_json::Value;

use super::position::{Cursor, LaterChanges, Position};
use crate::dataverse::Client;
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::json::Object;
use document::{Document, VERSION};

/// Where a stream stopped, and the columns that it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) position: Position,
    /// The columns with their types; `None` in formats that did not keep them.
    pub(super) types: Option<String>,
}

/// Writes a checkpoint. `types` are the columns with their types.
///
/// # Errors
/// `Internal`; plain data can always be written.
pub(super) fn write(binding: &Binding, types: &str, position: &Position) -> Result<String, Error> {
    Document::new(binding, types, position)
        .into_text()
        .map_err(|error| {
            Error::new(
                ErrorKind::Internal,
                format!(
                    "a checkpoint of {} cannot be written: {error}; this is a defect of the \
                     connector",
                    binding.table
                ),
            )
        })
}

/// Reads a checkpoint that was made for `binding`.
///
/// # Errors
/// `CheckpointExpired`, with the reason why it cannot be resumed.
pub(super) fn read<H: Host>(
    client: &Client<H>,
    binding: &Binding,
    text: &str,
) -> Result<Checkpoint, Error> {
    parse(binding, text)
        .and_then(|checkpoint| {
            if let Some(link) = link(&checkpoint.position) {
                client
                    .link(&absolute(client, link))
                    .map_err(|_| "it links outside this environment's Web API".to_owned())?;
            }
            Ok(checkpoint)
        })
        .map_err(|why| {
            Error::new(
                ErrorKind::CheckpointExpired,
                format!(
                    "the checkpoint of {} cannot be resumed: {why}; start the stream without a \
                     checkpoint to read all rows again",
                    binding.table
                ),
            )
        })
}

/// The link at which a position resumes, if it resumes at one.
fn link(position: &Position) -> Option<&str> {
    match position {
        Position::Paged(paged) => Some(&paged.next),
        Position::Ranged(ranges) => match &ranges.later {
            LaterChanges::Baseline { next: link, .. } | LaterChanges::Delta { link, .. } => {
                Some(link)
            }
            LaterChanges::Versions { .. } => None,
        },
        Position::CaughtUp(Cursor::Delta(delta)) => Some(&delta.link),
        Position::CaughtUp(Cursor::Watermark(_) | Cursor::Done { .. })
        | Position::Start { .. }
        | Position::Queried(_) => None,
    }
}

fn parse(binding: &Binding, text: &str) -> Result<Checkpoint, String> {
    let whole: Value = serde_json::from_slice(text.as_bytes()).map_err(|error| {
        if error.is_eof() {
            "it is cut off".to_owned()
        } else {
            format!("it is damaged or not a checkpoint ({error})")
        }
    })?;
    let damaged = || "it is damaged or not a checkpoint".to_owned();
    let object = Object::parse(text.as_bytes()).ok_or_else(damaged)?;
    let v: i64 = object.integer("v").unwrap_or_default();
    if v > i64::from(VERSION) {
        return Err(format!(
            "it was written by a newer version of this connector (format {v}; this version reads \
             formats up to {VERSION})"
        ));
    }
    let mut document = parse::document(&object).ok_or_else(damaged)?;
    let sum = document.checksum().map_err(|error| error.to_string())?;
    if v <= 0 || sum != document.sum {
        return Err("it is damaged (wrong checksum)".to_owned());
    }
    // Members that the parser ignored are missing from the text that is written.
    let understood = serde_json::to_string(&document)
        .and_then(|text| serde_json::from_slice::<Value>(text.as_bytes()));
    if understood.ok().as_ref() != Some(&whole) {
        return Err("it is damaged (it contains unknown members)".to_owned());
    }
    let made_for = document.binding();
    match made_for.difference(binding) {
        Some(difference) => Err(difference),
        None => Ok(Checkpoint {
            position: document.position,
            types: document.types,
        }),
    }
}

/// The link without the API root in front.
///
/// # Errors
/// `Unavailable` if it leads anywhere but below the root.
pub(super) fn relative<H: Host>(client: &Client<H>, link: &str) -> Result<String, Error> {
    client.link(link).map(|link| link.below_root().to_owned())
}

/// The link with the API root in front.
pub(super) fn absolute<H: Host>(client: &Client<H>, link: &str) -> String {
    format!("{}{link}", client.environment().api_root())
}

#[cfg(test)]
mod tests;
