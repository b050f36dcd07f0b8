//! JSON written straight into a byte buffer: a page of rows is never built as a tree.

/// Appends a JSON string.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain_from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(plain_from..at).unwrap_or_default());
        plain_from = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
                out.extend([digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
    out.extend_from_slice(bytes.get(plain_from..).unwrap_or_default());
    out.push(b'"');
}

/// Appends `"name":`, after a comma unless an object or array has just been opened.
pub(crate) fn push_name(out: &mut Vec<u8>, name: &str) {
    push_separator(out);
    push_text(out, name);
    out.push(b':');
}

/// Appends a comma unless an object or array has just been opened.
pub(crate) fn push_separator(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'{' | b'[') | None) {
        out.push(b',');
    }
}

/// Appends `"name":"text"`.
pub(crate) fn push_member(out: &mut Vec<u8>, name: &str, text: &str) {
    push_name(out, name);
    push_text(out, text);
}

/// Appends a whole number.
pub(crate) fn push_integer(out: &mut Vec<u8>, number: i64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// Appends `units / 10^scale` with all its digits after the point.
pub(crate) fn push_scaled(out: &mut Vec<u8>, units: i64, scale: u8) {
    if units < 0 {
        out.push(b'-');
    }
    let power = 10_u64.pow(u32::from(scale.min(19)));
    let magnitude = units.unsigned_abs();
    push_integer(out, i64::try_from(magnitude / power).unwrap_or(i64::MAX));
    if scale == 0 {
        return;
    }
    out.push(b'.');
    let mut rest = magnitude % power;
    let mut place = power / 10;
    while place > 0 {
        out.push(b'0' + u8::try_from(rest / place).unwrap_or(0));
        rest %= place;
        place /= 10;
    }
}

/// Appends a binary floating-point number in its shortest form.
pub(crate) fn push_double(out: &mut Vec<u8>, number: f64) {
    let text = format!("{number:?}");
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_survives_a_json_parser() {
        let text = "a\"b\\c\nd\re\tf\u{1}\u{1f}ü\u{2028}";
        let json = written(|out| push_text(out, text));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn amounts_keep_their_scale() {
        assert_eq!(
            written(|out| push_scaled(out, 200_000_000, 4)),
            "20000.0000"
        );
        assert_eq!(written(|out| push_scaled(out, -5, 4)), "-0.0005");
        assert_eq!(
            written(|out| push_scaled(out, i64::MIN + 1, 4)),
            "-922337203685477.5807"
        );
        assert_eq!(
            written(|out| push_integer(out, i64::MIN)),
            i64::MIN.to_string()
        );
        assert_eq!(
            written(|out| push_scaled(out, 1_000_000_000_000, 12)),
            "1.000000000000"
        );
    }
}
