//! Measures the pages of ranges: how large rows are, and how far a page reaches.

use dataverse_rows::Walked;

use crate::source::kind::Plan;
use crate::source::position::Range;

/// Estimates how many rows fit into a page of a given size.
pub(super) struct Measure {
    /// Rows per page at most.
    pub(super) max_rows: u32,
    bytes: u64,
    rows: u64,
}

impl Measure {
    /// The estimate before the first page, for pages with at most `max_rows` rows.
    pub(super) fn new(plan: &Plan, max_rows: u32) -> Self {
        Self {
            max_rows: plan.max_page_rows().min(max_rows),
            bytes: plan.likely_row_bytes() as u64,
            rows: 1,
        }
    }

    /// Records a page.
    pub(super) fn note(&mut self, bytes: usize, rows: u32) {
        self.bytes += bytes as u64;
        self.rows += u64::from(rows);
    }

    /// How many rows fit into this many bytes, with a reserve for rows larger than the average.
    pub(super) fn fitting(&self, bytes: usize) -> u32 {
        let usable = bytes as u64 / 4 * 3;
        let rows = usable.saturating_mul(self.rows) / self.bytes.max(1);
        u32::try_from(rows)
            .unwrap_or(u32::MAX)
            .clamp(1, self.max_rows)
    }
}

/// A page is not what was requested: it has rows of other versions, or in another order.
pub(super) struct OutOfOrder;

/// Up to which version a page reads its range; none if it reads it to its end.
pub(super) fn reached(range: Range, walked: &Walked) -> Result<Option<i64>, OutOfOrder> {
    let has_next = walked.next_link.is_some();
    let Some(version) = &walked.watched else {
        // There is no version from which to continue.
        return if walked.pieces.is_empty() && !has_next {
            Ok(None)
        } else {
            Err(OutOfOrder)
        };
    };
    let last = version.parse().map_err(|_| OutOfOrder)?;
    if !walked.ascending || !range.contains(last) {
        return Err(OutOfOrder);
    }
    Ok(((has_next && last < range.until) || range.is_open()).then_some(last))
}
