//! One row on its way out.

use std::ops::Range;

/// A row being written.
pub(crate) struct Line<'o, 't> {
    out: &'o mut String,
    /// Where the row begins in `out`.
    start: usize,
    text: &'t str,
    /// Members of the text that leave as they came, side by side, and are not written yet:
    /// they are copied together.
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

    /// Adds the member that stands there in the text.
    pub(crate) fn push_as_it_came(&mut self, place: Range<usize>) {
        // One byte between them can only be the comma.
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

    /// Takes all members out again.
    pub(crate) fn clear(&mut self) {
        self.pending = 0..0;
        self.out.truncate(self.start + 1);
    }

    /// Where the row begins, once all of it is written.
    pub(crate) fn end(mut self) -> usize {
        self.flush();
        self.out.push_str("}\n");
        self.start
    }
}
