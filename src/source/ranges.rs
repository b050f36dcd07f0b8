//! A full read in several ranges: what remains of it.
//!
//! Ranges are of `versionnumber`, which is unique within an environment and grows with every
//! change. A page of a range is asked for by its bounds and no link is followed, so that two
//! numbers say all about what remains of a range: such a checkpoint outlives every cookie.
//!
//! A row that changes meanwhile gets a version above all ranges. So what is above them, the
//! tail, is read when they are done, and then nothing is missing: the row has either been
//! read where it was or is found where it is now.

use serde::Serialize;

use super::checkpoint::{Cursor, Method, Phase};
use super::watermark::{Column, Mark, OVERLAP_VERSIONS};

/// Versions are never negative.
const BELOW_ALL: i64 = -1;

/// Versions above one, up to another and with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "(i64, i64)")]
pub(super) struct Range {
    pub(super) after: i64,
    pub(super) until: i64,
}

impl From<Range> for (i64, i64) {
    fn from(range: Range) -> Self {
        (range.after, range.until)
    }
}

impl Range {
    /// Every version above this one, now and later.
    pub(super) fn above(after: i64) -> Self {
        Self {
            after,
            until: i64::MAX,
        }
    }

    /// Whether it has no end.
    pub(super) fn is_open(self) -> bool {
        self.until == i64::MAX
    }

    /// How many versions there are in it.
    fn length(self) -> u64 {
        u64::try_from(i128::from(self.until) - i128::from(self.after)).unwrap_or(0)
    }

    /// Whether a version is in it.
    pub(super) fn contains(self, version: i64) -> bool {
        self.after < version && version <= self.until
    }

    /// The condition of a query for it.
    pub(super) fn filter(self) -> String {
        let column = Column::VersionNumber.name();
        let Self { after, until } = self;
        if self.is_open() {
            format!("{column} gt {after}")
        } else {
            format!("{column} gt {after} and {column} le {until}")
        }
    }

    /// As many even parts, in order; fewer if there are fewer versions.
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

/// How changes will be found later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Later {
    /// By the link at the end of a tracked read of the keys alone, the baseline, which was
    /// begun before the first range and goes on beside them. With change tracking the service
    /// takes no filter (reference §6.4), so the ranges themselves have no such link.
    Baseline {
        /// See [`Method::Tracked`].
        plain: bool,
        /// The next page, relative to the API root.
        next: String,
        /// Rows per page.
        page_size: u32,
    },
    /// By that link, now that it is known.
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
pub(super) struct Ranges {
    /// Whether the full read itself goes on, or only its baseline and what belongs to that.
    pub(super) phase: Phase,
    /// What remains to be read of the versions up to the tail, in order.
    pub(super) remaining: Vec<Range>,
    /// Versions above this are read once there are no ranges left.
    pub(super) tail: i64,
    pub(super) later: Later,
}

impl Ranges {
    /// Everything, in as many parts. The oldest version and the newest only say where it is
    /// worth dividing: the first range takes whatever is older, the tail whatever is newer.
    ///
    /// What is recent stands apart, in parts that a page of `page_size` rows holds, to be read
    /// last: a change gets its version before others can see it, so that a version below the
    /// newest may still appear.
    pub(super) fn new(
        oldest: i64,
        newest: i64,
        parts: usize,
        page_size: u32,
        later: Later,
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
        // Pages turn out somewhat smaller where rows are large.
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
    pub(super) fn method(&self) -> Method {
        match self.later {
            Later::Baseline { plain, .. } | Later::Delta { plain, .. } => Method::Tracked { plain },
            Later::Versions { fallback } => Method::Watermark {
                column: Column::VersionNumber,
                fallback,
            },
        }
    }

    /// Whether the range is among the most recent versions, which are read last.
    fn is_recent(&self, range: Range) -> bool {
        range.until > self.tail.saturating_sub(OVERLAP_VERSIONS)
    }

    /// Which of two ranges is read first: the one of which this is greater.
    pub(super) fn precedence(&self, range: Range) -> (bool, u64) {
        (!self.is_recent(range), range.length())
    }

    /// How many ranges are not to be read after this one; it is among them.
    pub(super) fn competing(&self, range: Range) -> usize {
        let is_recent = self.is_recent(range);
        self.remaining
            .iter()
            .filter(|range| is_recent || !self.is_recent(**range))
            .count()
    }

    /// Notes that a range, or the tail, has been read up to a version, or to its end.
    pub(super) fn advance(&mut self, range: Range, reached: Option<i64>) {
        if range.is_open() {
            self.tail = reached.unwrap_or(self.tail);
            return;
        }
        let Some(index) = self.remaining.iter().position(|known| *known == range) else {
            return;
        };
        match (self.remaining.get_mut(index), reached) {
            (Some(range), Some(reached)) => range.after = reached,
            _ => drop(self.remaining.remove(index)),
        }
    }

    /// Splits what remains of a range, of which nothing must be in flight.
    pub(super) fn split(&mut self, range: Range, parts: usize) {
        if let Some(index) = self.remaining.iter().position(|known| *known == range) {
            self.remaining.splice(index..=index, range.split(parts));
        }
    }

    /// Where changes are read from once everything has been read, if that is known.
    pub(super) fn cursor(&self) -> Option<Cursor> {
        match &self.later {
            Later::Baseline { .. } => None,
            Later::Delta { plain, link } => Some(Cursor::Delta {
                link: link.clone(),
                plain: *plain,
                at: None,
            }),
            Later::Versions { fallback } => Some(Cursor::Newest {
                column: Column::VersionNumber,
                fallback: *fallback,
                mark: Some(Mark::Version(self.tail)),
                seen: None,
            }),
        }
    }

    /// What is left for a later sync once everything has been read but the baseline: to go on
    /// with it, and then to read the most recent versions again. When the token of a tracked
    /// read dates from is not documented beyond doubt; should it be the last page, those
    /// versions are what the token misses.
    pub(super) fn later(&self) -> Self {
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

    fn versions(fallback: bool) -> Later {
        Later::Versions { fallback }
    }

    /// Whether the ranges stand side by side from one version to the other.
    fn covers(ranges: &[Range], after: i64, until: i64) -> bool {
        let ends = ranges.iter().try_fold(after, |end, range| {
            (range.after == end && range.until > end).then_some(range.until)
        });
        ends == Some(until)
    }

    #[test]
    fn conditions_are_written() {
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
    fn what_is_recent_stands_apart() {
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
        fn nothing_lies_between_two_ranges(
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
            // Whatever is split and read, what remains and what was read is the whole.
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
