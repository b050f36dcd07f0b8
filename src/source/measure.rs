//! What a page of a range tells: how large rows are, and how far it reaches.

use dataverse_rows::Walked;

use super::plan::Plan;
use super::ranges::Range;

/// Learns how many rows make a page of a certain size.
pub(super) struct Measure {
    /// Never more than this.
    pub(super) most: u32,
    bytes: u64,
    rows: u64,
}

impl Measure {
    /// Of pages with so many rows at most, before the first one has come.
    pub(super) fn new(plan: &Plan, most: u32) -> Self {
        Self {
            most: plan.most_rows().min(most),
            bytes: plan.likely_row_bytes() as u64,
            rows: 1,
        }
    }

    /// Notes a page.
    pub(super) fn note(&mut self, bytes: usize, rows: u32) {
        self.bytes += bytes as u64;
        self.rows += u64::from(rows);
    }

    /// How many rows fit into so many bytes, with some to spare for rows that are larger than
    /// most.
    pub(super) fn fitting(&self, bytes: usize) -> u32 {
        let spared = bytes as u64 / 4 * 3;
        let rows = spared.saturating_mul(self.rows) / self.bytes.max(1);
        u32::try_from(rows).unwrap_or(u32::MAX).clamp(1, self.most)
    }
}

/// A page is not what was asked for: rows of other versions, or in another order.
pub(super) struct Disorder;

/// Up to which version a page reads its range; none if it reads it to its end.
pub(super) fn reached(range: Range, walked: &Walked) -> Result<Option<i64>, Disorder> {
    let goes_on = walked.next_link.is_some();
    let Some(version) = &walked.watched else {
        // Nowhere to go on from.
        return if walked.pieces.is_empty() && !goes_on {
            Ok(None)
        } else {
            Err(Disorder)
        };
    };
    let last = version.parse().map_err(|_| Disorder)?;
    if !walked.ascending || !range.contains(last) {
        return Err(Disorder);
    }
    Ok(((goes_on && last < range.until) || range.is_open()).then_some(last))
}
