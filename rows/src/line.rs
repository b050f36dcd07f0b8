//! Writing one row.

use std::ops::Range;

/// A row being written.
pub(crate) struct Line<'o, 't> {
    out: &'o mut String,
    /// Where the row begins in `out`.
    start: usize,
    text: &'t str,
    /// Adjacent members of the text that are copied unchanged, and are not written yet: they are
    /// copied together.
    pending: Range<usize>,
}

impl<'o, 't> Line<'o, 't> {
    pub(crate) fn begin(out: &'o mut String, text: &'t str) -> Self {
        let start = out.len();
        out.push('{');
        Self {
            out,
            start,
            text,
            pending: 0..0,
        }
    }

    /// Adds the member at this place in the text, unchanged.
    pub(crate) fn push_unchanged(&mut self, place: Range<usize>) {
        // A single byte between them can only be the comma.
        if !self.pending.is_empty() && self.pending.end + 1 == place.start {
            self.pending.end = place.end;
        } else {
            self.flush();
            self.pending = place;
        }
    }

    /// Adds a member. `key` is its name as JSON text with its colon.
    pub(crate) fn push(&mut self, key: &str, value: &str) {
        self.flush();
        self.separate();
        self.out.push_str(key);
        self.out.push_str(value);
    }

    fn flush(&mut self) {
        if let Some(members) = self.text.get(std::mem::take(&mut self.pending))
            && !members.is_empty()
        {
            self.separate();
            self.out.push_str(members);
        }
    }

    fn separate(&mut self) {
        if self.out.len() > self.start + 1 {
            self.out.push(',');
        }
    }

    /// Removes all members.
    pub(crate) fn clear(&mut self) {
        self.pending = 0..0;
        self.out.truncate(self.start + 1);
    }

    /// Writes the end of the row. Returns where it begins in `out`.
    pub(crate) fn end(mut self) -> usize {
        self.flush();
        self.out.push_str("}\n");
        self.start
    }
}
