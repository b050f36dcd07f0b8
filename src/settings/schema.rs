//! The JSON Schema of the settings, without insignificant white space.

const WRITTEN: &[u8] = include_bytes!("schema.json");

const COMPACT: [u8; compact_length(WRITTEN)] = compact(WRITTEN);

/// The schema (2020-12).
pub(super) const SCHEMA: &str = match str::from_utf8(&COMPACT) {
    Ok(text) => text,
    Err(_) => "",
};

/// The state of a scan over JSON text.
struct Scan {
    in_string: bool,
    escaped: bool,
}

impl Scan {
    const BEGIN: Self = Self {
        in_string: false,
        escaped: false,
    };

    /// Whether the byte is significant.
    const fn keeps(&mut self, byte: u8) -> bool {
        let keeps = self.in_string || !byte.is_ascii_whitespace();
        if byte == b'"' && !self.escaped {
            self.in_string = !self.in_string;
        }
        self.escaped = self.in_string && byte == b'\\' && !self.escaped;
        keeps
    }
}

const fn compact_length(mut text: &[u8]) -> usize {
    let (mut length, mut scan) = (0, Scan::BEGIN);
    while let Some((byte, rest)) = text.split_first() {
        if scan.keeps(*byte) {
            length += 1;
        }
        text = rest;
    }
    length
}

#[expect(
    clippy::indexing_slicing,
    reason = "the compiler runs this, and rejects an index out of bounds"
)]
const fn compact<const LENGTH: usize>(mut text: &[u8]) -> [u8; LENGTH] {
    let (mut compact, mut length, mut scan) = ([0; LENGTH], 0, Scan::BEGIN);
    while let Some((byte, rest)) = text.split_first() {
        if scan.keeps(*byte) {
            compact[length] = *byte;
            length += 1;
        }
        text = rest;
    }
    compact
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn only_white_space_is_left_out() {
        let written: Value = serde_json::from_slice(WRITTEN).unwrap();
        let compact: Value = serde_json::from_str(SCHEMA).unwrap();
        assert_eq!(written, compact);
        assert_eq!(SCHEMA.len(), compact.to_string().len());
    }

    #[test]
    fn white_space_in_strings_stays() {
        const TEXT: &[u8] = br#"{ "a \" b" : [ "\\" , " c" ] }"#;
        assert_eq!(
            &compact::<{ compact_length(TEXT) }>(TEXT),
            br#"{"a \" b":["\\"," c"]}"#
        );
    }
}
