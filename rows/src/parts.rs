//! JSON text taken apart: members and elements, with their values as they were written.

use std::borrow::Cow;

use crate::scanner::{Fault, Scanner, Series, plain_length};
use crate::surrogates::without_halves;
use crate::walk::unescaped;

/// Names of members, with the text of their values.
pub(crate) type Members<'t> = Vec<(Cow<'t, str>, &'t str)>;

/// The members of an object with their values' text; none if it is no object.
#[inline(never)]
pub fn members(text: &str) -> Option<Members<'_>> {
    all_members(&mut Scanner::new(text)).ok()
}

fn all_members<'t>(scanner: &mut Scanner<'t>) -> Result<Members<'t>, Fault> {
    scanner.expect(b'{', "expected an object")?;
    let mut members = Vec::new();
    let mut series = Series::default();
    while scanner.more(&mut series, b'}')? {
        let place = scanner.at();
        let name = unescaped(scanner.key()?, place)?;
        members.push((name, scanner.value()?));
    }
    scanner.end()?;
    Ok(members)
}

/// The elements of an array as text; none if it is no array.
#[inline(never)]
pub fn elements(text: &str) -> Option<Vec<&str>> {
    all_elements(&mut Scanner::new(text)).ok()
}

fn all_elements<'t>(scanner: &mut Scanner<'t>) -> Result<Vec<&'t str>, Fault> {
    scanner.expect(b'[', "expected an array")?;
    let mut elements = Vec::new();
    let mut series = Series::default();
    while scanner.more(&mut series, b']')? {
        elements.push(scanner.value()?);
    }
    scanner.end()?;
    Ok(elements)
}

/// What the text of a string stands for; none if it is no string. Half a surrogate pair, which
/// is no character, becomes U+FFFD.
#[inline(never)]
pub fn string(text: &str) -> Option<Cow<'_, str>> {
    if !text.starts_with('"') {
        return None;
    }
    unescaped(text, 0).ok().or_else(|| {
        let whole = without_halves(text)?;
        let whole = unescaped(&whole, 0).ok()?;
        Some(Cow::Owned(whole.into_owned()))
    })
}

/// Appends the text as a JSON string.
#[inline(never)]
pub fn push_quoted(out: &mut Vec<u8>, text: &str) {
    if plain_length(text.as_bytes()) == text.len() {
        out.reserve(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing a text into memory cannot fail.
        let _ = serde_json::to_writer(out, text);
    }
}

/// The text of a value that goes out with others, fit for UTF-8 as [`string`] is.
pub fn mended(text: &str) -> Cow<'_, str> {
    without_halves(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_quoted_as_by_another_writer(text in "([a-zé]{0,9}[\"\\\\\n\x01\x7f]?){0,4}") {
            let mut quoted = Vec::new();
            push_quoted(&mut quoted, &text);
            prop_assert_eq!(quoted, serde_json::to_vec(&text).unwrap());
        }
    }

    #[test]
    fn values_are_as_they_were_written() {
        let found = members(r#" {"a":20000.0000, "b\"":{"c":[1,2]},"d":null} "#).unwrap();
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(name, value)| (&**name, *value))
            .collect();
        assert_eq!(
            found,
            [
                ("a", "20000.0000"),
                ("b\"", r#"{"c":[1,2]}"#),
                ("d", "null")
            ]
        );
        assert_eq!(elements("[1, \"a\",{}]").unwrap(), ["1", "\"a\"", "{}"]);
        assert_eq!(string(r#""a\n""#).as_deref(), Some("a\n"));
        assert_eq!(string(r#""a\ud800""#).as_deref(), Some("a\u{FFFD}"));
        for broken in ["", "[]", "{\"a\":1", "{} {}", "{\"a\"}"] {
            assert_eq!(members(broken), None, "{broken}");
        }
        assert!(elements("{}").is_none() && string("1").is_none());
    }
}
