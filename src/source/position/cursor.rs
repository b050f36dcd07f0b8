//! From where changes are read once a stream is caught up.

use serde::Serialize;

use super::mark::{Mark, MarkColumn};

/// From where changes are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::source) enum Cursor {
    /// The service's own change token.
    Delta(Delta),
    /// The newest change that was read.
    #[serde(rename = "newest")]
    Watermark(Watermark),
    /// None: the next sync reads everything again.
    Done {
        /// When the last row was read, in milliseconds since 1970.
        at: u64,
    },
}

/// The service's own change token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::source) struct Delta {
    /// Relative to the API root.
    pub(in crate::source) link: String,
    /// See [`Method::Tracked`](super::Method::Tracked).
    pub(in crate::source) plain: bool,
    /// When the token was fresh, in seconds since 1970; none in formats that did not keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::source) at: Option<u64>,
}

/// The newest change that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::source) struct Watermark {
    pub(in crate::source) column: MarkColumn,
    /// See [`Method::Watermark`](super::Method::Watermark).
    pub(in crate::source) fallback: bool,
    /// `None` while no row has been read.
    pub(in crate::source) mark: Option<Mark>,
    /// Of a history: the entries already handed out that the overlap reads again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::source) seen: Option<String>,
}
