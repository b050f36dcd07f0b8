//! A strict scanner of JSON text (RFC 8259): it finds where values end and does not convert them.
//!
//! A page is megabytes of short strings, most of which are copied unchanged; a parser that converts
//! them takes twice as long.

/// The deepest nesting of arrays and objects.
const MAX_DEPTH: u8 = 128;

/// Why text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It ends too early.
    CutOff,
    /// Something else was expected there.
    Syntax {
        /// In bytes from the start.
        offset: usize,
        reason: &'static str,
    },
}

/// A position in JSON text.
#[derive(Debug)]
pub(crate) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    surrogates: bool,
}

/// Whether a member of an object, or an element of an array, has been read.
#[derive(Debug, Default)]
pub(crate) struct Series {
    began: bool,
}

impl<'t> Scanner<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            surrogates: false,
        }
    }

    /// How many bytes have been scanned.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Whether a string scanned since the last call holds an escaped surrogate.
    pub(crate) fn take_surrogates(&mut self) -> bool {
        std::mem::take(&mut self.surrogates)
    }

    /// All of the text.
    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    /// The text from `start` up to this place.
    pub(crate) fn since(&self, start: usize) -> &'t str {
        // Both positions are next to an ASCII character, so the range is valid.
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The next byte after white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// A fault at this place, or the end of the text.
    pub(crate) fn fault(&mut self, reason: &'static str) -> Fault {
        match self.peek() {
            Some(_) => self.fault_at(self.at, reason),
            None => Fault::CutOff,
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "called like the other constructors of faults"
    )]
    fn fault_at(&self, offset: usize, reason: &'static str) -> Fault {
        Fault::Syntax { offset, reason }
    }

    /// Skips this character.
    pub(crate) fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), Fault> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.fault(reason))
        }
    }

    /// Skips this text if it comes next. Returns whether it did.
    #[inline]
    pub(crate) fn take(&mut self, expected: &str) -> bool {
        let here = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let is_next = begins_with(here, expected.as_bytes());
        if is_next {
            self.at += expected.len();
        }
        is_next
    }

    /// Whether another member or element comes before `close`. If none does, `close` is skipped.
    #[inline]
    pub(crate) fn more(&mut self, series: &mut Series, close: u8) -> Result<bool, Fault> {
        let next = self.peek();
        if next == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        if std::mem::replace(&mut series.began, true) {
            if next != Some(b',') {
                return Err(self.fault("expected `,` or the end of the object or array"));
            }
            self.at += 1;
            if self.peek() == Some(close) {
                return Err(self.fault("trailing comma"));
            }
        }
        Ok(true)
    }

    /// A member's name with its quotes; the colon is skipped.
    pub(crate) fn key(&mut self) -> Result<&'t str, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault("key must be a string"));
        }
        let start = self.at;
        self.skip_string()?;
        let key = self.since(start);
        self.expect(b':', "expected `:`")?;
        Ok(key)
    }

    /// A value's text.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<&'t str, Fault> {
        self.peek();
        let start = self.at;
        self.skip_value(MAX_DEPTH)?;
        Ok(self.since(start))
    }

    /// Checks that only white space is left.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fault("trailing characters")),
        }
    }

    #[inline]
    fn skip_value(&mut self, depth: u8) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => self.skip_string(),
            Some(b'-' | b'0'..=b'9') => self.skip_number(),
            Some(b'n') => self.skip_word("null"),
            Some(b't') => self.skip_word("true"),
            Some(b'f') => self.skip_word("false"),
            Some(b'{' | b'[') => self.skip_nested(depth),
            _ => Err(self.fault("expected value")),
        }
    }

    fn skip_nested(&mut self, depth: u8) -> Result<(), Fault> {
        let depth = depth
            .checked_sub(1)
            .ok_or_else(|| self.fault_at(self.at, "recursion limit exceeded"))?;
        let is_object = self.peek() == Some(b'{');
        let close = if is_object { b'}' } else { b']' };
        self.at += 1;
        let mut series = Series::default();
        while self.more(&mut series, close)? {
            if is_object {
                self.key()?;
            }
            self.skip_value(depth)?;
        }
        Ok(())
    }

    fn skip_word(&mut self, word: &'static str) -> Result<(), Fault> {
        if self.take(word) {
            return Ok(());
        }
        let left = self.text.get(self.at..).unwrap_or_default();
        if word.starts_with(left) {
            return Err(Fault::CutOff);
        }
        Err(self.fault_at(self.at, "expected value"))
    }

    fn skip_number(&mut self) -> Result<(), Fault> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
            if matches!(self.byte(), Some(b'0'..=b'9')) {
                return Err(self.fault_at(self.at, "invalid number"));
            }
        } else {
            self.skip_digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.skip_digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.skip_digits()?;
        }
        Ok(())
    }

    /// One digit or more.
    fn skip_digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match self.byte() {
            _ if self.at > start => Ok(()),
            None => Err(Fault::CutOff),
            Some(_) => Err(self.fault_at(self.at, "invalid number")),
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips a string, whose opening quote comes next.
    #[inline]
    fn skip_string(&mut self) -> Result<(), Fault> {
        self.at += 1;
        loop {
            self.at += plain_length(self.text.as_bytes().get(self.at..).unwrap_or_default());
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.skip_escape()?,
                Some(_) => return Err(self.fault_at(self.at, "control character in a string")),
                None => return Err(Fault::CutOff),
            }
        }
    }

    fn skip_escape(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let kind = self.text.as_bytes().get(start + 1).ok_or(Fault::CutOff)?;
        self.at += 2;
        match kind {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => {
                let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
                let digits = rest.get(..4).ok_or(Fault::CutOff)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(self.fault_at(start, "invalid escape"));
                }
                self.surrogates |= matches!(
                    digits,
                    [b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]
                );
                self.at += 4;
                Ok(())
            }
            _ => Err(self.fault_at(start, "invalid escape")),
        }
    }
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGH_BITS: u64 = ONES << 7;

/// How many bytes come before the first special one: a quote, a backslash or a control character.
/// Eight bytes are checked at a time.
#[inline]
pub(crate) fn plain_length(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let mut length = 0;
    while let Some((chunk, after)) = rest.split_first_chunk() {
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            return length + special.trailing_zeros() as usize / 8;
        }
        length += chunk.len();
        rest = after;
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1F);
    length + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Sets the high bit of each special byte. Bits above the lowest one may be false positives.
#[inline]
fn special_bytes(chunk: u64) -> u64 {
    let quotes = chunk ^ (ONES * u64::from(b'"'));
    let backslashes = chunk ^ (ONES * u64::from(b'\\'));
    let below = |bytes: u64, bound: u64| bytes.wrapping_sub(ONES * bound) & !bytes;
    (below(quotes, 1) | below(backslashes, 1) | below(chunk, 0x20)) & HIGH_BITS
}

/// Whether `text` begins with `prefix`. The standard library compares byte by byte if there is no C
/// library, and this runs for every value of every row.
#[inline]
fn begins_with(text: &[u8], prefix: &[u8]) -> bool {
    let Some(mut text) = text.get(..prefix.len()) else {
        return false;
    };
    let mut prefix = prefix;
    while let (Some((a, text_left)), Some((b, prefix_left))) = (
        text.split_first_chunk::<8>(),
        prefix.split_first_chunk::<8>(),
    ) {
        if u64::from_ne_bytes(*a) != u64::from_ne_bytes(*b) {
            return false;
        }
        (text, prefix) = (text_left, prefix_left);
    }
    text.iter().zip(prefix).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    fn is_one_value(text: &str) -> bool {
        let mut scanner = Scanner::new(text);
        scanner.value().is_ok() && scanner.end().is_ok()
    }

    #[test]
    fn deep_nesting_is_rejected_before_it_exhausts_the_stack() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_one_value(&nested(128)));
        assert!(!is_one_value(&nested(129)));
        assert!(!is_one_value(&"[{\"a\":".repeat(1_000_000)));
    }

    #[test]
    fn truncated_text_is_reported_as_cut_off() {
        let text = r#"{"a":[-1.5e+3,true,null,"x\u00e9\n"]}"#;
        for length in 0..text.len() {
            let fault = Scanner::new(&text[..length]).value().unwrap_err();
            assert_eq!(fault, Fault::CutOff, "{}", &text[..length]);
        }
    }

    proptest! {
        /// It accepts exactly what another parser accepts.
        #[test]
        fn the_scanner_accepts_what_serde_json_accepts(
            text in prop_oneof![
                r#"[\[\]{}",:\\/ \n0-9eE+.u\-a-fnrtlsDd]{0,12}"#,
                r"-?[0-9]{0,3}(\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?",
                r#"\{"[a-z\\"\x01é]{0,20}": ?(null|tru|1|"\\u[dD0-9a-g]{3,4}")\}"#,
            ]
        ) {
            let theirs = serde_json::from_str::<&RawValue>(&text);
            prop_assert_eq!(is_one_value(&text), theirs.is_ok(), "{:?}", theirs);
        }

        #[test]
        fn the_first_special_byte_is_found(bytes in prop::collection::vec(
            prop_oneof![Just(b'"'), Just(b'\\'), 0x1E..=0x23_u8, 0x5B..=0x5D_u8, 0x7F..=0xFF_u8,
                Just(b'a'), Just(b'a'), Just(b'a')], 0..40)
        ) {
            let expected = bytes.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1F));
            prop_assert_eq!(plain_length(&bytes), expected.count());
        }

        #[test]
        fn prefixes_are_compared_whole(text in "[ab]{0,20}", prefix in "[ab]{0,20}") {
            prop_assert_eq!(begins_with(text.as_bytes(), prefix.as_bytes()), text.starts_with(&prefix));
            let longer = format!("{prefix}{text}");
            prop_assert!(begins_with(longer.as_bytes(), prefix.as_bytes()));
        }
    }
}
