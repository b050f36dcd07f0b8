//! Repeatable randomness: the same seed gives the same values, whatever was drawn before.

/// A small generator (`SplitMix64`). Good enough to make data look alive, and nothing more.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The generator that belongs to a text, such as the key of a row.
    pub(crate) fn for_text(text: &str) -> Self {
        // FNV-1a.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self::mixed(hash)
    }

    /// The generator that belongs to one row of a table.
    pub(crate) fn for_row(seed: u64, table: u64, index: u64) -> Self {
        let mut random = Self::mixed(seed ^ table.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Self::mixed(random.next() ^ index)
    }

    fn mixed(state: u64) -> Self {
        let mut random = Self(state);
        random.next();
        random
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 if `limit` is 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // The high half of the product is uniform enough for any limit that a seed uses.
        let product = u128::from(self.next()) * u128::from(limit);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).saturating_add(1).max(1);
        low + self.below(span.unsigned_abs()).cast_signed()
    }

    /// `true` in this percentage of cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the items; the items must not be empty, or the default comes back.
    pub(crate) fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let position = self.below(items.len() as u64);
        usize::try_from(position)
            .ok()
            .and_then(|position| items.get(position))
            .copied()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_repeat_and_differ() {
        let draw = |index| Random::for_row(7, 1, index).next();
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
        let mut random = Random::for_text("acct_000001");
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[usize::try_from(random.between(0, 9)).unwrap()] += 1;
        }
        assert!(
            seen.iter().all(|count| (800..1_200).contains(count)),
            "{seen:?}"
        );
        assert_eq!(random.below(0), 0);
        assert_eq!(random.pick::<i32>(&[]), 0);
    }
}
