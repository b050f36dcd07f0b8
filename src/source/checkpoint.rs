//! Where a stream goes on: versioned, self-contained, without secrets, bound to what it was
//! made for.
//!
//! A checkpoint is JSON that a person can read. It says which environment, table and
//! selection it belongs to, so that a refusal can say what differs, and ends with a checksum,
//! because a change token with one wrong digit would silently skip changes. Links stand in it
//! relative to the API root: they cannot lead anywhere else.

mod parse;

use serde::Serialize;
use serde_json::Value;

use super::binding::Binding;
use super::ranges::{Later, Ranges};
use super::watermark::{Column, Mark};
use crate::dataverse::Client;
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::json::Object;

/// The version that this connector writes. It reads every version up to this one: version 1
/// knew no ranges, version 2 nothing of conditions, columns and the age of change tokens.
const VERSION: u32 = 3;

/// How changes of a stream are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
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
    /// Between pages of queries in `FetchXML`.
    Fetched(Fetched),
    /// At the end, from where changes are read later.
    CaughtUp(Cursor),
}

/// Between two pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Midway {
    pub(super) method: Method,
    pub(super) phase: Phase,
    /// The next page, relative to the API root.
    pub(super) next: String,
    /// Rows per page: not part of the link, and not to be changed on the way (reference §4.6).
    pub(super) page_size: u32,
    /// The newest change so far.
    pub(super) newest: Option<Mark>,
    /// When the first page was asked for, if changes will be found from there by the service's
    /// tracking, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) began: Option<u64>,
}

/// Between pages of queries in `FetchXML`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Fetched {
    /// Which query it is, by its name.
    pub(super) query: String,
    /// The next page, from 1.
    pub(super) page: u32,
    /// Rows per page, not to be changed on the way.
    pub(super) page_size: u32,
    /// How many rows the pages before had.
    pub(super) rows: u64,
    /// What the page begins behind, if the service says.
    pub(super) cookie: Option<String>,
}

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    /// All rows.
    Snapshot,
    /// What has changed since.
    Changes,
}

/// From where changes are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Cursor {
    /// The service's own.
    Delta {
        /// Relative to the API root.
        link: String,
        /// See [`Method::Tracked`].
        plain: bool,
        /// When it was fresh, in seconds since 1970; none in versions that did not keep it.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<u64>,
    },
    /// The newest change seen.
    Newest {
        /// The column.
        column: Column,
        /// See [`Method::Watermark`].
        fallback: bool,
        /// None while no row was ever seen.
        mark: Option<Mark>,
        /// Of a history, the entries that were told and will be read again.
        #[serde(skip_serializing_if = "Option::is_none")]
        seen: Option<String>,
    },
    /// Nowhere: the next sync reads everything again.
    Done {
        /// When the last row was read, in milliseconds since 1970.
        at: u64,
    },
}

/// Where a stream stopped, and what its rows were like then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) position: Position,
    /// The columns with their types, as [`drift`](super::drift) writes them; none in versions
    /// that did not keep them.
    pub(super) types: Option<String>,
}

/// A checkpoint as it is written. The order of its members is the order of the text; what
/// earlier versions did not have is left out where there is none of it.
#[derive(Serialize)]
struct Document {
    v: u32,
    environment: String,
    table: String,
    columns: Option<Vec<String>>,
    labels: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    types: Option<String>,
    position: Position,
    /// CRC-32 of the document with this member empty, in hexadecimal.
    sum: String,
}

impl Document {
    fn checksum(&mut self) -> Result<String, serde_json::Error> {
        let sum = std::mem::take(&mut self.sum);
        let text = serde_json::to_string(self)?;
        self.sum = sum;
        Ok(format!("{:08x}", crc32fast::hash(text.as_bytes())))
    }
}

/// Writes a checkpoint. `types` are the columns as [`drift`](super::drift) writes them.
///
/// # Errors
/// `Internal`; plain data can always be written.
pub(super) fn write(binding: &Binding, types: &str, position: &Position) -> Result<String, Error> {
    let binding = binding.clone();
    let mut document = Document {
        v: VERSION,
        environment: binding.environment,
        table: binding.table,
        columns: binding.columns,
        labels: binding.labels,
        filter: binding.filter,
        since: binding.since,
        query: binding.query,
        files: binding.files.then_some(true),
        types: Some(types.to_owned()),
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
                    document.table
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
) -> Result<Stop, Error> {
    parse(binding, text)
        .and_then(|stop| {
            let link = match &stop.position {
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
            Ok(stop)
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

fn parse(binding: &Binding, text: &str) -> Result<Stop, String> {
    let whole: Value = serde_json::from_slice(text.as_bytes()).map_err(|error| {
        if error.is_eof() {
            "it is cut off".to_owned()
        } else {
            format!("it is damaged or not a checkpoint ({error})")
        }
    })?;
    let damaged = || "it is damaged or not a checkpoint".to_owned();
    let object = Object::parse(text.as_bytes()).ok_or_else(damaged)?;
    let v: i64 = object.whole("v").unwrap_or_default();
    if v > i64::from(VERSION) {
        return Err(format!(
            "it is from a newer version of this connector (format {v}, this one reads \
             formats up to {VERSION})"
        ));
    }
    let mut document = parse::document(&object).ok_or_else(damaged)?;
    let sum = document.checksum().map_err(|error| error.to_string())?;
    if v <= 0 || sum != document.sum {
        return Err("it is damaged (its checksum is wrong)".to_owned());
    }
    // Whatever was passed over in reading is missing from what is written.
    let understood = serde_json::to_string(&document)
        .and_then(|text| serde_json::from_slice::<Value>(text.as_bytes()));
    if understood.ok().as_ref() != Some(&whole) {
        return Err("it is damaged (it holds something that does not belong there)".to_owned());
    }
    let made_for = Binding {
        environment: document.environment,
        table: document.table,
        columns: document.columns,
        labels: document.labels,
        filter: document.filter,
        since: document.since,
        query: document.query,
        files: document.files == Some(true),
    };
    match made_for.difference(binding) {
        Some(difference) => Err(difference),
        None => Ok(Stop {
            position: document.position,
            types: document.types,
        }),
    }
}

/// The link without the API root in front.
///
/// # Errors
/// `Unavailable` if it leads elsewhere than below the root.
pub(super) fn relative<H: Host>(client: &Client<H>, link: &str) -> Result<String, Error> {
    client.link(link).map(|link| link.below_root().to_owned())
}

/// The link with the API root in front.
pub(super) fn absolute<H: Host>(client: &Client<H>, link: &str) -> String {
    format!("{}{link}", client.environment().api_root())
}

#[cfg(test)]
mod tests;
