//! Members of objects and elements of arrays, with their values as unchanged JSON text.

use std::borrow::Cow;

use crate::scanner::{Fault, Scanner, Series, plain_length};
use crate::surrogates::replace_unpaired_surrogates;
use crate::walk::unescaped;

/// Names of members, with the text of their values.
pub(crate) type Members<'t> = Vec<(Cow<'t, str>, &'t str)>;

/// The members of an object with their values' text; `None` if the text is not an object.
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

/// The elements of an array as text; `None` if the text is not an array.
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

/// The value of a JSON string; `None` if the text is not a string. An unpaired surrogate, which is
/// not a character, becomes U+FFFD.
#[inline(never)]
pub fn string(text: &str) -> Option<Cow<'_, str>> {
    if !text.starts_with('"') {
        return None;
    }
    unescaped(text, 0).ok().or_else(|| {
        let whole = replace_unpaired_surrogates(text)?;
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
        // Writing to memory cannot fail.
        let _ = serde_json::to_writer(out, text);
    }
}

/// The text of a value, with unpaired surrogates replaced as in [`string`].
pub fn sanitized(text: &str) -> Cow<'_, str> {
    replace_unpaired_surrogates(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_is_quoted_as_by_serde_json(text in "([a-zé]{0,9}[\"\\\\\n\x01\x7f]?){0,4}") {
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
