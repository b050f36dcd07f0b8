//! Reading by a column that grows with every change, for tables that the service does not
//! track (reference §6.5).
//!
//! Rows are read in the order of that column. A row that changes meanwhile moves to the end
//! and is read again, so that none is missed. Rows are delivered again when they lie within
//! the overlap. Deletions are not observable.

use std::fmt;

use serde::{Serialize, Serializer};

use super::plan::Plan;
use super::ranges::Range;
use super::time;
use crate::catalog::{StreamKind, StreamName, Table};
use crate::dataverse::query::Query;

/// How far behind the newest change the next read begins, in seconds. A change is stamped
/// before it is committed, and the service gives an operation two minutes at most.
pub(super) const OVERLAP_SECONDS: i64 = 120;
/// The same for versions. They count for the whole environment, about as many as it can write
/// in the time of a short operation.
pub(super) const OVERLAP_VERSIONS: i64 = 10_000;

/// The column that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Column {
    /// When the row was changed, in whole seconds.
    ModifiedOn,
    /// The row's version.
    VersionNumber,
    /// When the row was made, of rows that are never changed.
    CreatedOn,
}

impl Column {
    /// Every column that grows; the better one first.
    pub(super) const ALL: [Self; 3] = [Self::ModifiedOn, Self::VersionNumber, Self::CreatedOn];

    /// The column of that table, if it has one.
    pub(super) fn of(table: &Table) -> Option<Self> {
        if StreamName::of(&table.name).kind() == StreamKind::History {
            return Some(Self::CreatedOn);
        }
        [Self::ModifiedOn, Self::VersionNumber]
            .into_iter()
            .find(|column| table.column(column.name()).is_some())
    }

    /// The column's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ModifiedOn => "modifiedon",
            Self::VersionNumber => "versionnumber",
            Self::CreatedOn => "createdon",
        }
    }

    /// The mark that a row carries, from the JSON text of the column's value.
    pub(super) fn mark(self, json: &str) -> Option<Mark> {
        match self {
            Self::ModifiedOn | Self::CreatedOn => {
                time::parse(json.strip_prefix('"')?.strip_suffix('"')?).map(Mark::Time)
            }
            Self::VersionNumber => json.parse().ok().map(Mark::Version),
        }
    }
}

/// A place in the order of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Seconds since 1970.
    Time(i64),
    /// A version.
    Version(i64),
}

impl Mark {
    /// A mark as it is written.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let version = text.parse().ok().map(Self::Version);
        version.or_else(|| time::parse(text).map(Self::Time))
    }

    /// The mark from which changes are read.
    fn with_overlap(self) -> Self {
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

/// Whether rows of the table carry their version.
pub(super) fn has_versions(table: &Table) -> bool {
    table.column(Column::VersionNumber.name()).is_some()
}

/// Every row, oldest change first.
pub(super) fn snapshot(plan: &Plan, column: Column) -> Query {
    ordered(plan.query(Some(column.name()), None), plan, column)
}

/// Every row that has changed since, with some overlap.
pub(super) fn changes(plan: &Plan, column: Column, since: Mark) -> Query {
    let changed = format!("{} ge {}", column.name(), since.with_overlap());
    let query = plan.query(Some(column.name()), Some(&changed));
    ordered(query, plan, column)
}

/// A range of versions, oldest change first.
pub(super) fn range(plan: &Plan, range: Range) -> Query {
    let column = Column::VersionNumber.name();
    plan.query(Some(column), Some(&range.filter()))
        .option("$orderby", &format!("{column} asc"))
}

fn ordered(query: Query, plan: &Plan, column: Column) -> Query {
    // The key makes the order total: pages neither overlap nor leave gaps.
    query.option(
        "$orderby",
        &format!("{} asc,{} asc", column.name(), plan.table.primary_key),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_from_rows() {
        assert_eq!(
            Column::ModifiedOn.mark("\"1970-01-01T00:00:07Z\""),
            Some(Mark::Time(7))
        );
        assert_eq!(
            Column::VersionNumber.mark("9007199254740993"),
            Some(Mark::Version(9_007_199_254_740_993))
        );
        assert_eq!(Column::ModifiedOn.mark("7"), None);
        assert_eq!(Column::VersionNumber.mark("7.0"), None);
    }
}
