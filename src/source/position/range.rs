//! A full read in several ranges: what remains of it.
//!
//! Ranges are of `versionnumber`, which is unique within an environment and grows with every
//! change. A page of a range is requested by its bounds and no link is followed, so two numbers
//! describe what remains of a range: such a checkpoint outlives every paging cookie.
//!
//! A row that changes meanwhile gets a version above all ranges. So the versions above them, the
//! tail, are read after the ranges, and nothing is missing: the row has either been read at its
//! old version or is found at its new one.

use serde::Serialize;

use super::cursor::{Cursor, Delta, Watermark};
use super::mark::{Mark, MarkColumn, OVERLAP_VERSIONS};
use super::method::{Method, Phase};

/// Versions are never negative.
const BELOW_ALL: i64 = -1;

/// Versions above one, up to and including another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "(i64, i64)")]
pub(in crate::source) struct Range {
    pub(in crate::source) after: i64,
    pub(in crate::source) until: i64,
}

impl From<Range> for (i64, i64) {
    fn from(range: Range) -> Self {
        (range.after, range.until)
    }
}

impl Range {
    /// Every version above this one, now and later.
    pub(in crate::source) fn above(after: i64) -> Self {
        Self {
            after,
            until: i64::MAX,
        }
    }

    /// Whether it has no end.
    pub(in crate::source) fn is_open(self) -> bool {
        self.until == i64::MAX
    }

    /// How many versions there are in it.
    fn length(self) -> u64 {
        u64::try_from(i128::from(self.until) - i128::from(self.after)).unwrap_or(0)
    }

    /// Whether a version is in it.
    pub(in crate::source) fn contains(self, version: i64) -> bool {
        self.after < version && version <= self.until
    }

    /// The filter of a query for it.
    pub(in crate::source) fn filter(self) -> String {
        let column = MarkColumn::VersionNumber.name();
        let Self { after, until } = self;
        if self.is_open() {
            format!("{column} gt {after}")
        } else {
            format!("{column} gt {after} and {column} le {until}")
        }
    }

    /// Equal parts, in order; fewer if there are fewer versions.
    fn split(self, parts: usize) -> impl Iterator<Item = Self> {
        let length = u128::from(self.length());
        let parts = u128::try_from(parts)
            .unwrap_or(u128::MAX)
            .clamp(1, length.max(1));
        let bound = move |part: u128| {
            let offset = i128::try_from(length * part / parts).unwrap_or(0);
            i64::try_from(i128::from(self.after) + offset).unwrap_or(self.until)
        };
        (0..parts).map(move |part| Self {
            after: bound(part),
            until: bound(part + 1),
        })
    }
}

/// How changes will be found once the ranges are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::source) enum LaterChanges {
    /// By the delta link at the end of a tracked read of the keys alone, the baseline, which starts
    /// before the first range and continues beside them. With change tracking the service allows no
    /// filter (reference §6.4), so the ranges themselves have no such link.
    Baseline {
        /// See [`Method::Tracked`].
        plain: bool,
        /// The next page, relative to the API root.
        next: String,
        /// Rows per page.
        page_size: u32,
    },
    /// By the delta link at the end of the baseline.
    Delta {
        /// See [`Method::Tracked`].
        plain: bool,
        /// Relative to the API root.
        link: String,
    },
    /// By versions.
    Versions {
        /// See [`Method::Watermark`].
        fallback: bool,
    },
}

/// What remains of a full read in ranges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::source) struct Ranges {
    /// Whether the full read itself is under way, or only its baseline and the versions that are
    /// read again after it.
    pub(in crate::source) phase: Phase,
    /// What remains of the versions up to the tail, in order.
    pub(in crate::source) remaining: Vec<Range>,
    /// Versions above this one are read once no range remains.
    pub(in crate::source) tail: i64,
    pub(in crate::source) later: LaterChanges,
}

impl Ranges {
    /// All versions, in `parts` parts. The oldest and the newest version only decide where to
    /// divide: the first range includes older versions, the tail newer ones.
    ///
    /// Recent versions are ranges of their own, each of about one page of `page_size` rows, and
    /// are read last: a change gets its version before others can see it, so a version below the
    /// newest may still appear.
    pub(in crate::source) fn new(
        oldest: i64,
        newest: i64,
        parts: usize,
        page_size: u32,
        later: LaterChanges,
    ) -> Self {
        let after = oldest.saturating_sub(1);
        let recent = newest.saturating_sub(OVERLAP_VERSIONS).max(after);
        let settled = Range {
            after,
            until: recent,
        };
        let recent = Range {
            after: recent,
            until: newest,
        };
        // Pages are a little smaller if rows are large.
        let versions = u64::from(page_size).saturating_mul(3).div_ceil(4).max(1);
        let recent_pages = recent.length().div_ceil(versions);
        let recent_parts = usize::try_from(recent_pages).unwrap_or(parts).min(parts);
        let mut remaining: Vec<Range> = settled
            .split(parts)
            .chain(recent.split(recent_parts))
            .filter(|range| range.length() > 0)
            .collect();
        if let Some(first) = remaining.first_mut() {
            first.after = first.after.min(BELOW_ALL);
        }
        Self {
            phase: Phase::Snapshot,
            remaining,
            tail: newest,
            later,
        }
    }

    /// How the stream is read.
    pub(in crate::source) fn method(&self) -> Method {
        match self.later {
            LaterChanges::Baseline { plain, .. } | LaterChanges::Delta { plain, .. } => {
                Method::Tracked { plain }
            }
            LaterChanges::Versions { fallback } => Method::Watermark {
                column: MarkColumn::VersionNumber,
                fallback,
            },
        }
    }

    /// Whether the range is among the most recent versions, which are read last.
    fn is_recent(&self, range: Range) -> bool {
        range.until > self.tail.saturating_sub(OVERLAP_VERSIONS)
    }

    /// The order in which ranges are read: the greatest first.
    pub(in crate::source) fn precedence(&self, range: Range) -> (bool, u64) {
        (!self.is_recent(range), range.length())
    }

    /// How many ranges are read before or beside this one, which is among them.
    pub(in crate::source) fn competing(&self, range: Range) -> usize {
        let is_recent = self.is_recent(range);
        self.remaining
            .iter()
            .filter(|range| is_recent || !self.is_recent(**range))
            .count()
    }

    /// Records that a range, or the tail, has been read up to a version, or to its end.
    pub(in crate::source) fn advance(&mut self, range: Range, reached: Option<i64>) {
        if range.is_open() {
            self.tail = reached.unwrap_or(self.tail);
            return;
        }
        let Some(index) = self.remaining.iter().position(|known| *known == range) else {
            return;
        };
        match (self.remaining.get_mut(index), reached) {
            (Some(range), Some(reached)) => range.after = reached,
            (Some(_) | None, _) => drop(self.remaining.remove(index)),
        }
    }

    /// Splits what remains of a range that no request is in flight for.
    pub(in crate::source) fn split(&mut self, range: Range, parts: usize) {
        if let Some(index) = self.remaining.iter().position(|known| *known == range) {
            self.remaining.splice(index..=index, range.split(parts));
        }
    }

    /// From where changes are read once everything has been read, if that is known.
    pub(in crate::source) fn cursor(&self) -> Option<Cursor> {
        match &self.later {
            LaterChanges::Baseline { .. } => None,
            LaterChanges::Delta { plain, link } => Some(Cursor::Delta(Delta {
                link: link.clone(),
                plain: *plain,
                at: None,
            })),
            LaterChanges::Versions { fallback } => Some(Cursor::Watermark(Watermark {
                column: MarkColumn::VersionNumber,
                fallback: *fallback,
                mark: Some(Mark::Version(self.tail)),
                seen: None,
            })),
        }
    }

    /// What is left for a later sync once everything but the baseline has been read: to finish
    /// it, and then to read the most recent versions again. The documentation does not say
    /// whether the token of a tracked read dates from its first or its last page; if from the
    /// last, those versions are what the token misses.
    pub(in crate::source) fn left_for_later(&self) -> Self {
        Self {
            phase: Phase::Changes,
            remaining: Vec::new(),
            tail: self.tail.saturating_sub(OVERLAP_VERSIONS),
            later: self.later.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn versions(fallback: bool) -> LaterChanges {
        LaterChanges::Versions { fallback }
    }

    /// Whether the ranges cover every version from one to the other, without gap or overlap.
    fn covers(ranges: &[Range], after: i64, until: i64) -> bool {
        let ends = ranges.iter().try_fold(after, |end, range| {
            (range.after == end && range.until > end).then_some(range.until)
        });
        ends == Some(until)
    }

    #[test]
    fn a_range_is_written_as_a_filter() {
        let range = Range {
            after: -1,
            until: 9_007_199_254_740_993,
        };
        assert_eq!(
            range.filter(),
            "versionnumber gt -1 and versionnumber le 9007199254740993"
        );
        assert_eq!(Range::above(7).filter(), "versionnumber gt 7");
    }

    #[test]
    fn recent_versions_are_ranges_of_their_own() {
        let ranges = Ranges::new(1, 40_000, 3, 5_000, versions(false));
        assert_eq!(
            serde_json::to_string(&ranges.remaining).unwrap(),
            "[[-1,10000],[10000,20000],[20000,30000],[30000,33333],[33333,36666],[36666,40000]]"
        );
        assert!(ranges.precedence(ranges.remaining[0]) > ranges.precedence(ranges.remaining[4]));
        assert_eq!(ranges.competing(ranges.remaining[1]), 3);
        assert_eq!(ranges.competing(ranges.remaining[3]), 6);
        let ranges = Ranges::new(39_000, 40_000, 2, 500, versions(false));
        assert_eq!(
            serde_json::to_string(&ranges.remaining).unwrap(),
            "[[-1,39499],[39499,40000]]"
        );
    }

    proptest! {
        #[test]
        fn ranges_leave_no_gap(
            oldest in any::<i64>(),
            length in 0..i64::MAX,
            parts in 1..60_usize,
        ) {
            let newest = oldest.saturating_add(length).min(i64::MAX - 1);
            let oldest = oldest.max(i64::MIN + 1).min(newest);
            let mut state = Ranges::new(oldest, newest, parts, 1, versions(false));
            let after = BELOW_ALL.min(oldest - 1);
            prop_assert!(covers(&state.remaining, after, newest));
            prop_assert!(state.remaining.len() <= 2 * parts);
            // However ranges are split and read, no version is lost.
            for n in 0..state.remaining.len() {
                let Some(range) = state.remaining.get(n).copied() else { break };
                state.split(range, n % 5);
            }
            prop_assert!(covers(&state.remaining, after, newest));
            let first = state.remaining[0];
            if first.length() > 1 {
                state.advance(first, Some(first.until - 1));
                prop_assert!(covers(&state.remaining, first.until - 1, newest));
            }
            let rest = state.remaining[0];
            state.advance(rest, None);
            prop_assert!(state.remaining.is_empty() || covers(&state.remaining, first.until, newest));
        }
    }
}
