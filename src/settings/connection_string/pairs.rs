//! Splitting a connection string into keys and values.

use std::iter::Peekable;
use std::str::Chars;

/// The `Key=Value` parts of a connection string, in order, as ADO.NET reads them: a value may be in
/// single or double quotes, where a doubled quote stands for one; `==` in a key stands for `=`; a
/// key without a value counts as absent.
///
/// # Errors
/// Which part cannot be read, as the end of a sentence. No text is repeated: a part that is
/// out of place may be a piece of a secret.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    let mut characters = text.chars().peekable();
    for number in 1.. {
        while characters
            .next_if(|c| *c == ';' || c.is_whitespace())
            .is_some()
        {}
        if characters.peek().is_none() {
            break;
        }
        let key = key(&mut characters)
            .ok_or_else(|| format!("its part {number} is not of the form Key=Value"))?;
        let value = value(&mut characters)
            .ok_or_else(|| format!("the quotes of its part {number} are not closed"))?;
        if !value.is_empty() {
            pairs.push((key, value));
        }
    }
    Ok(pairs)
}

fn key(characters: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut key = String::new();
    loop {
        match characters.next()? {
            ';' => return None,
            '=' if characters.next_if_eq(&'=').is_some() => key.push('='),
            '=' => break,
            character => key.push(character),
        }
    }
    let key = key.trim();
    (!key.is_empty()).then(|| key.to_owned())
}

fn value(characters: &mut Peekable<Chars<'_>>) -> Option<String> {
    let blank = |c: &char| c.is_whitespace();
    while characters.next_if(blank).is_some() {}
    let mut value = String::new();
    let Some(quote) = characters.next_if(|c| matches!(c, '"' | '\'')) else {
        while let Some(character) = characters.next_if(|c| *c != ';') {
            value.push(character);
        }
        value.truncate(value.trim_end().len());
        return Some(value);
    };
    loop {
        match characters.next()? {
            character if character != quote => value.push(character),
            _ if characters.next_if_eq(&quote).is_some() => value.push(quote),
            _ => break,
        }
    }
    while characters.next_if(blank).is_some() {}
    matches!(characters.peek(), None | Some(';')).then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_are_read_as_ado_net_reads_them() {
        for (text, expected) in [
            ("", vec![]),
            (" ; ;", vec![]),
            ("a=1", vec![("a", "1")]),
            (" A b = 1 2 ; c=d=e;", vec![("A b", "1 2"), ("c", "d=e")]),
            ("a='x;y';b=\"p'q\"", vec![("a", "x;y"), ("b", "p'q")]),
            ("a='it''s' ; b=\"\"\"\"", vec![("a", "it's"), ("b", "\"")]),
            ("a==b=c", vec![("a=b", "c")]),
            ("a=;b='';c=1", vec![("c", "1")]),
            ("a=x'y'", vec![("a", "x'y'")]),
        ] {
            let pairs = pairs(text).unwrap();
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (&**k, &**v)).collect();
            assert_eq!(pairs, expected, "{text}");
        }
        for (text, reason) in [
            ("a=1;MARKER", "part 2 is not"),
            ("a=1;MARKER;b=2", "part 2 is not"),
            ("=MARKER", "part 1 is not"),
            ("a=1;b='MARKER", "part 2 are not closed"),
            ("a='MARKER' MARKER", "part 1 are not closed"),
        ] {
            let error = pairs(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(!error.contains("MARKER"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn quoted_values_are_restored(values in proptest::collection::vec(".{1,12}", 0..4)) {
            let quoted = values.iter().map(|value| value.replace('\'', "''"));
            let text = quoted.map(|value| format!("k = '{value}'")).collect::<Vec<_>>().join(" ; ");
            let read: Vec<String> = pairs(&text).unwrap().into_iter().map(|(_, value)| value).collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn no_text_causes_a_panic(text in "[a='\"; ]{0,30}") {
            let _ = pairs(&text);
        }
    }
}
