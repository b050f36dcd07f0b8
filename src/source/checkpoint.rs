//! Where a stream goes on: versioned, self-contained, without secrets, bound to what it was
//! made for.
//!
//! A checkpoint is JSON that a person can read. It says which environment, table and
//! selection it belongs to, so that a refusal can say what differs, and ends with a checksum,
//! because a change token with one wrong digit would silently skip changes. Links stand in it
//! relative to the API root: they cannot lead anywhere else.

use serde::{Deserialize, Serialize};

use super::ranges::{Later, Ranges};
use super::watermark::{Column, Mark};
use crate::dataverse::Client;
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// The version that this connector writes. It reads every version up to this one; version 1
/// knew no ranges.
const VERSION: u32 = 2;

/// What a checkpoint belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binding {
    /// The environment and the version of its API.
    pub(super) environment: String,
    /// The table's logical name.
    pub(super) table: String,
    /// The selected columns, sorted; none for all.
    pub(super) columns: Option<Vec<String>>,
    /// Whether labels come too.
    pub(super) labels: bool,
}

/// How changes of a stream are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Method {
    /// By the service's change tracking.
    Tracked {
        /// Whether annotations are left out because the service forgets its delta link
        /// beside them (reference §6.5).
        plain: bool,
    },
    /// By a column that grows with every change.
    Watermark {
        /// The column.
        column: Column,
        /// Whether the table is tracked, but not for this account.
        fallback: bool,
    },
    /// Not at all.
    Full,
}

/// How far a stream has been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Position {
    /// Nothing is safe yet.
    Beginning {
        /// How it is read.
        method: Method,
    },
    /// Between two pages.
    Midway(Midway),
    /// Between pages of several ranges.
    Ranged(Ranges),
    /// At the end, from where changes are read later.
    CaughtUp(Cursor),
}

/// Between two pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Midway {
    pub(super) method: Method,
    pub(super) phase: Phase,
    /// The next page, relative to the API root.
    pub(super) next: String,
    /// Rows per page: not part of the link, and not to be changed on the way (reference §4.6).
    pub(super) page_size: u32,
    /// The newest change so far.
    pub(super) newest: Option<Mark>,
}

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    /// All rows.
    Snapshot,
    /// What has changed since.
    Changes,
}

/// From where changes are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Cursor {
    /// The service's own.
    Delta {
        /// Relative to the API root.
        link: String,
        /// See [`Method::Tracked`].
        plain: bool,
    },
    /// The newest change seen.
    Newest {
        /// The column.
        column: Column,
        /// See [`Method::Watermark`].
        fallback: bool,
        /// None while no row was ever seen.
        mark: Option<Mark>,
    },
    /// Nowhere: the next sync reads everything again.
    Done {
        /// When the last row was read, in milliseconds since 1970.
        at: u64,
    },
}

/// A checkpoint as it is written. The order of its members is the order of the text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    v: u32,
    environment: String,
    table: String,
    columns: Option<Vec<String>>,
    labels: bool,
    position: Position,
    /// CRC-32 of the document with this member empty, in hexadecimal.
    sum: String,
}

/// As much of a checkpoint as every version has.
#[derive(Deserialize)]
struct Versioned {
    v: u32,
}

impl Document {
    fn checksum(&mut self) -> Result<String, serde_json::Error> {
        let sum = std::mem::take(&mut self.sum);
        let text = serde_json::to_string(self)?;
        self.sum = sum;
        Ok(format!("{:08x}", crc32fast::hash(text.as_bytes())))
    }
}

/// Writes a checkpoint.
///
/// # Errors
/// `Internal`; plain data can always be written.
pub(super) fn write(binding: &Binding, position: &Position) -> Result<String, Error> {
    let Binding {
        environment,
        table,
        columns,
        labels,
    } = binding.clone();
    let mut document = Document {
        v: VERSION,
        environment,
        table,
        columns,
        labels,
        position: position.clone(),
        sum: String::new(),
    };
    document
        .checksum()
        .and_then(|sum| {
            document.sum = sum;
            serde_json::to_string(&document)
        })
        .map_err(|error| {
            Error::new(
                ErrorKind::Internal,
                format!(
                    "a checkpoint of {} cannot be written: {error}; this is a defect of the connector",
                    binding.table
                ),
            )
        })
}

/// Reads a checkpoint that was made for `binding`.
///
/// # Errors
/// `CheckpointExpired`, naming why it cannot be resumed.
pub(super) fn read<H: Host>(
    client: &Client<H>,
    binding: &Binding,
    text: &str,
) -> Result<Position, Error> {
    parse(binding, text)
        .and_then(|position| {
            let link = match &position {
                Position::Midway(Midway { next, .. }) => Some(next),
                Position::Ranged(Ranges {
                    later: Later::Baseline { next: link, .. } | Later::Delta { link, .. },
                    ..
                })
                | Position::CaughtUp(Cursor::Delta { link, .. }) => Some(link),
                _ => None,
            };
            if let Some(link) = link {
                client
                    .link(&absolute(client, link))
                    .map_err(|_| "it leads out of this environment's Web API".to_owned())?;
            }
            Ok(position)
        })
        .map_err(|why| {
            Error::new(
                ErrorKind::CheckpointExpired,
                format!(
                    "the checkpoint of {} cannot be resumed: {why}; start the stream without a \
                     checkpoint to read it from its beginning",
                    binding.table
                ),
            )
        })
}

fn parse(binding: &Binding, text: &str) -> Result<Position, String> {
    let damaged = |error: serde_json::Error| {
        if error.is_eof() {
            "it is cut off".to_owned()
        } else {
            format!("it is damaged or not a checkpoint ({error})")
        }
    };
    let Versioned { v } = serde_json::from_str(text).map_err(damaged)?;
    if v > VERSION {
        return Err(format!(
            "it is from a newer version of this connector (format {v}, this one reads \
             formats up to {VERSION})"
        ));
    }
    let mut document: Document = serde_json::from_str(text).map_err(damaged)?;
    if v == 0 || document.checksum().map_err(damaged)? != document.sum {
        return Err("it is damaged (its checksum is wrong)".to_owned());
    }
    if document.environment != binding.environment {
        return Err(format!(
            "it is of the environment {}, not {}",
            document.environment, binding.environment
        ));
    }
    if document.table != binding.table {
        return Err(format!(
            "it is of the table {}, not {}",
            document.table, binding.table
        ));
    }
    if document.columns != binding.columns {
        return Err(columns_differ(
            document.columns.as_deref(),
            binding.columns.as_deref(),
        ));
    }
    if document.labels != binding.labels {
        let (was, is) = if document.labels {
            ("with", "without")
        } else {
            ("without", "with")
        };
        return Err(format!(
            "it was made {was} labels and the selection is {is} them"
        ));
    }
    Ok(document.position)
}

fn columns_differ(was: Option<&[String]>, is: Option<&[String]>) -> String {
    let (Some(was), Some(is)) = (was, is) else {
        return if was.is_none() {
            "it was made for all columns and the selection names some".to_owned()
        } else {
            "it was made for some columns and the selection takes all".to_owned()
        };
    };
    let added = is.iter().find(|name| !was.contains(name));
    let removed = was.iter().find(|name| !is.contains(name));
    match (added, removed) {
        (Some(name), _) => format!("it was made for a selection without the column {name}"),
        (None, Some(name)) => {
            format!("it was made for a selection that also has the column {name}")
        }
        (None, None) => "it was made for another selection of columns".to_owned(),
    }
}

/// The link without the API root in front.
///
/// # Errors
/// `Unavailable` if it does not begin with the root as the service itself writes it; it has
/// been checked to lead there.
pub(super) fn relative<H: Host>(client: &Client<H>, link: &str) -> Result<String, Error> {
    let root = client.environment().api_root();
    if let Some(rest) = link.strip_prefix(root.as_str()) {
        return Ok(rest.to_owned());
    }
    // The same origin in other words: letters of another case, or the port spelled out.
    link.split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .and_then(|(_, path)| path.strip_prefix(root.path().trim_start_matches('/')))
        .map(str::to_owned)
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                format!(
                    "the service sent a link that does not begin with {root}; if a proxy rewrites \
                     addresses, set \"environment\" to the address that the links carry"
                ),
            )
        })
}

/// The link with the API root in front.
pub(super) fn absolute<H: Host>(client: &Client<H>, link: &str) -> String {
    format!("{}{link}", client.environment().api_root())
}

#[cfg(test)]
mod tests;
