//! Unpaired surrogates, which JSON text can contain and UTF-8 cannot.

/// The value with U+FFFD in place of every unpaired surrogate; `None` if there is none. The
/// service's text may contain one, and JSON can express it, but it is not valid Unicode: strict
/// readers reject the whole row because of it.
pub(crate) fn replace_unpaired_surrogates(value: &str) -> Option<String> {
    const ESCAPE: usize = "\\uXXXX".len();
    let mut text = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', value.as_bytes().get(at..)?) {
        let start = at + found;
        at = match surrogate(value, start) {
            None => start + 2,
            Some(Surrogate::High) if surrogate(value, start + ESCAPE) == Some(Surrogate::Low) => {
                start + 2 * ESCAPE
            }
            Some(_) => {
                text.push_str(value.get(copied..start)?);
                text.push_str("\\ufffd");
                copied = start + ESCAPE;
                copied
            }
        };
    }
    text.push_str(value.get(copied..)?);
    (copied > 0).then_some(text)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Surrogate {
    High,
    Low,
}

/// The surrogate whose escape begins there, if one does.
fn surrogate(value: &str, start: usize) -> Option<Surrogate> {
    let digits = value.get(start..start + 6)?.strip_prefix("\\u")?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xD800..=0xDBFF => Some(Surrogate::High),
        0xDC00..=0xDFFF => Some(Surrogate::Low),
        _ => None,
    }
}
