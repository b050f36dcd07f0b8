//! Halves of characters: what JSON can write and UTF-8 cannot.

/// The value with U+FFFD in place of every half of a surrogate pair that stands alone; none if
/// there is no such half. The service's text may hold one, and JSON may write it, but it is no
/// Unicode text: strict readers refuse the whole row for it.
pub(crate) fn without_halves(value: &str) -> Option<String> {
    const ESCAPE: usize = "\\uXXXX".len();
    let mut mended = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', value.as_bytes().get(at..)?) {
        let start = at + found;
        at = match surrogate(value, start) {
            None => start + 2,
            Some(Half::High) if surrogate(value, start + ESCAPE) == Some(Half::Low) => {
                start + 2 * ESCAPE
            }
            Some(_) => {
                mended.push_str(value.get(copied..start)?);
                mended.push_str("\\ufffd");
                copied = start + ESCAPE;
                copied
            }
        };
    }
    mended.push_str(value.get(copied..)?);
    (copied > 0).then_some(mended)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    High,
    Low,
}

/// The surrogate whose escape begins there, if one does.
fn surrogate(value: &str, start: usize) -> Option<Half> {
    let digits = value.get(start..start + 6)?.strip_prefix("\\u")?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xD800..=0xDBFF => Some(Half::High),
        0xDC00..=0xDFFF => Some(Half::Low),
        _ => None,
    }
}
