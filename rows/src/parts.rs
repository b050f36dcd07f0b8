//! JSON text taken apart: members and elements, with their values as they were written.

use std::borrow::Cow;

use crate::scanner::{Fault, Scanner, Series};
use crate::walk::{mended, unescaped};

/// Names of members, with the text of their values.
pub(crate) type Members<'t> = Vec<(Cow<'t, str>, Cow<'t, str>)>;

/// The members of an object with their values' text; none if it is no object.
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
        members.push((name, mended(scanner)?));
    }
    scanner.end()?;
    Ok(members)
}

/// The elements of an array as text; none if it is no array.
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

/// What the text of a string stands for; none if it is no string.
pub fn string(text: &str) -> Option<Cow<'_, str>> {
    let is_string = text.starts_with('"');
    is_string.then(|| unescaped(text, 0).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_they_were_written() {
        let found = members(r#" {"a":20000.0000, "b\"":{"c":[1,2]},"d":null} "#).unwrap();
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(name, value)| (&**name, &**value))
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
        for broken in ["", "[]", "{\"a\":1", "{} {}", "{\"a\"}"] {
            assert_eq!(members(broken), None, "{broken}");
        }
        assert!(elements("{}").is_none() && string("1").is_none());
    }
}
