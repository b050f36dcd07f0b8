//! Columns that grow with every change, and positions in their order (reference §6.5).

use std::fmt;

use serde::{Serialize, Serializer};

use crate::source::time;

/// How far behind the newest change the next read starts, in seconds. A change is stamped before it
/// is committed, and the service allows an operation at most two minutes.
pub(in crate::source) const OVERLAP_SECONDS: i64 = 120;
/// The overlap for versions, which are counted for the whole environment: about as many as it
/// assigns during a short operation.
pub(super) const OVERLAP_VERSIONS: i64 = 10_000;

/// A column that grows with every change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::source) enum MarkColumn {
    /// When the row was changed, in whole seconds.
    ModifiedOn,
    /// The row's version.
    VersionNumber,
    /// When the row was created, of rows that never change.
    CreatedOn,
}

impl MarkColumn {
    /// Every column that grows.
    pub(in crate::source) const ALL: [Self; 3] =
        [Self::ModifiedOn, Self::VersionNumber, Self::CreatedOn];

    /// The column's name.
    pub(in crate::source) fn name(self) -> &'static str {
        match self {
            Self::ModifiedOn => "modifiedon",
            Self::VersionNumber => "versionnumber",
            Self::CreatedOn => "createdon",
        }
    }

    /// The mark of a row, from the JSON text of the column's value.
    pub(in crate::source) fn mark(self, json: &str) -> Option<Mark> {
        match self {
            Self::ModifiedOn | Self::CreatedOn => {
                time::parse(json.strip_prefix('"')?.strip_suffix('"')?).map(Mark::Time)
            }
            Self::VersionNumber => json.parse().ok().map(Mark::Version),
        }
    }
}

/// A position in the order of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::source) enum Mark {
    /// Seconds since 1970.
    Time(i64),
    /// A version.
    Version(i64),
}

impl Mark {
    /// Reads what [`Display`](fmt::Display) writes.
    pub(in crate::source) fn parse(text: &str) -> Option<Self> {
        let version = text.parse().ok().map(Self::Version);
        version.or_else(|| time::parse(text).map(Self::Time))
    }

    /// The mark from which changes are read.
    pub(in crate::source) fn with_overlap(self) -> Self {
        match self {
            Self::Time(seconds) => Self::Time(seconds.saturating_sub(OVERLAP_SECONDS)),
            Self::Version(version) => Self::Version(version.saturating_sub(OVERLAP_VERSIONS)),
        }
    }
}

impl fmt::Display for Mark {
    /// As a literal of a query: `2024-02-29T12:00:00Z` or `4711`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Version(version) => write!(f, "{version}"),
            Self::Time(seconds) => f.write_str(&time::literal(seconds)),
        }
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_from_rows() {
        assert_eq!(
            MarkColumn::ModifiedOn.mark("\"1970-01-01T00:00:07Z\""),
            Some(Mark::Time(7))
        );
        assert_eq!(
            MarkColumn::VersionNumber.mark("9007199254740993"),
            Some(Mark::Version(9_007_199_254_740_993))
        );
        assert_eq!(MarkColumn::ModifiedOn.mark("7"), None);
        assert_eq!(MarkColumn::VersionNumber.mark("7.0"), None);
    }
}
