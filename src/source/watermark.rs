//! Reading by a column that grows with every change, for tables that the service does not
//! track (reference §6.5).
//!
//! Rows are read in the order of that column. A row that changes meanwhile moves to the end
//! and is read again, so that none is missed. Rows are delivered again when they lie within
//! the overlap. Deletions are not observable.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::plan::Plan;
use super::ranges::Range;
use crate::catalog::Table;
use crate::dataverse::query::Query;

/// How far behind the newest change the next read begins, in seconds. A change is stamped
/// before it is committed, and the service gives an operation two minutes at most.
const OVERLAP_SECONDS: i64 = 120;
/// The same for versions. They count for the whole environment, about as many as it can write
/// in the time of a short operation.
pub(super) const OVERLAP_VERSIONS: i64 = 10_000;

/// The column that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Column {
    /// When the row was changed, in whole seconds.
    ModifiedOn,
    /// The row's version.
    VersionNumber,
}

impl Column {
    /// The column of that table, if it has one.
    pub(super) fn of(table: &Table) -> Option<Self> {
        [Self::ModifiedOn, Self::VersionNumber]
            .into_iter()
            .find(|column| table.column(column.name()).is_some())
    }

    /// The column's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ModifiedOn => "modifiedon",
            Self::VersionNumber => "versionnumber",
        }
    }

    /// The mark that a row carries, from the JSON text of the column's value.
    pub(super) fn mark(self, json: &str) -> Option<Mark> {
        match self {
            Self::ModifiedOn => {
                parse_time(json.strip_prefix('"')?.strip_suffix('"')?).map(Mark::Time)
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
            Self::Time(seconds) => {
                let (year, month, day) = civil(seconds.div_euclid(86_400));
                let second = seconds.rem_euclid(86_400);
                let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
                write!(
                    f,
                    "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
                )
            }
        }
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .ok()
            .map(Self::Version)
            .or_else(|| parse_time(&text).map(Self::Time))
            .ok_or_else(|| serde::de::Error::custom("a version or a time is expected"))
    }
}

/// Whether rows of the table carry their version.
pub(super) fn has_versions(table: &Table) -> bool {
    table.column(Column::VersionNumber.name()).is_some()
}

/// Every row, oldest change first.
pub(super) fn snapshot(plan: &Plan, column: Column) -> Query {
    ordered(plan.query(Some(column.name())), plan, column)
}

/// Every row that has changed since, with some overlap.
pub(super) fn changes(plan: &Plan, column: Column, since: Mark) -> Query {
    let filter = format!("{} ge {}", column.name(), since.with_overlap());
    ordered(
        plan.query(Some(column.name())).option("$filter", &filter),
        plan,
        column,
    )
}

/// A range of versions, oldest change first.
pub(super) fn range(plan: &Plan, range: Range) -> Query {
    let column = Column::VersionNumber.name();
    plan.query(Some(column))
        .option("$filter", &range.filter())
        .option("$orderby", &format!("{column} asc"))
}

fn ordered(query: Query, plan: &Plan, column: Column) -> Query {
    // The key makes the order total: pages neither overlap nor leave gaps.
    query.option(
        "$orderby",
        &format!("{} asc,{} asc", column.name(), plan.table.primary_key),
    )
}

/// Seconds since 1970 of `YYYY-MM-DDTHH:MM:SS[.f]Z`; a fraction is cut off, which the overlap
/// makes good.
fn parse_time(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let time = time.split('.').next()?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    in_range.then(|| days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar. Years are counted from March,
/// so that the leap day is the last one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date that is so many days after 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = (shifted_month + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2023-04-07T21:59:01Z", 1_680_904_741),
            ("1899-12-31T00:00:00Z", -2_209_075_200),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(parse_time(text), Some(seconds), "{text}");
            assert_eq!(Mark::Time(seconds).to_string(), text);
        }
        assert_eq!(parse_time("2023-04-07T21:59:01.987Z"), Some(1_680_904_741));
        for wrong in [
            "2023-04-07",
            "2023-13-07T21:59:01Z",
            "2023-04-07T21:59:01",
            "+023-04-07T21:59:01Z",
        ] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
    }

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

    #[test]
    fn days_and_dates_are_inverse() {
        for day in (-800_000..800_000).step_by(97) {
            let (year, month, date) = civil(day);
            assert_eq!(days(year, month, date), day);
        }
    }
}
