//! How changes of a stream are found, and which part of a read is under way.

use serde::Serialize;

use super::mark::MarkColumn;

/// How changes of a stream are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::source) enum Method {
    /// By the service's change tracking.
    Tracked {
        /// Whether annotations are left out because the service omits its delta link beside
        /// them (reference §6.5).
        plain: bool,
    },
    /// By a column that grows with every change.
    Watermark {
        /// The column.
        column: MarkColumn,
        /// Whether the table is tracked, but not for this account.
        fallback: bool,
    },
    /// Not at all: every sync reads all rows.
    Full,
}

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::source) enum Phase {
    /// All rows.
    Snapshot,
    /// What has changed since.
    Changes,
}
