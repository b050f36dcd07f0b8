//! Text from outside: shortened for messages, and split.

/// The first line that is not empty: without control characters, and cut off with an
/// ellipsis after `longest` characters.
pub(crate) fn one_line(text: &str, longest: usize) -> String {
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let mut line: String = line.chars().filter(|c| !c.is_control()).collect();
    if let Some((end, _)) = line.char_indices().nth(longest) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// An address for messages. Its query is removed: it may contain a credential.
pub(crate) fn without_query(address: &str) -> String {
    one_line(address.split(['?', '#']).next().unwrap_or_default(), 200)
}

/// The body without the byte order mark that some servers and proxies put before UTF-8 text.
pub(crate) fn without_byte_order_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

/// How many characters to insert, remove or replace to get from one word to the other
/// (Levenshtein's distance).
pub(crate) fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, character) in from.chars().enumerate() {
        let mut left = index + 1;
        let mut next = Vec::with_capacity(row.len());
        next.push(left);
        for ((other, above_left), above) in to.iter().zip(&row).zip(row.iter().skip(1)) {
            left = (above_left + usize::from(character != *other))
                .min(above + 1)
                .min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// The parts of a header value between commas, trimmed; a comma in quotes does not separate
/// (RFC 9110, 5.6.1 and 5.6.4).
pub(crate) fn list_items(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    let parts = value.split(move |c| {
        let was_escaped = escaped;
        escaped = quoted && c == '\\' && !was_escaped;
        if c == '"' && !was_escaped {
            quoted = !quoted;
        }
        c == ',' && !quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shortened_to_one_line() {
        for (text, expected) in [
            ("", ""),
            ("\r\n", ""),
            ("\n  One.\r\n  at System.Web", "One."),
            ("a\tb\u{7}c", "abc"),
            ("äöüäöü", "äöüäö…"),
            ("äöüäö", "äöüäö"),
        ] {
            assert_eq!(one_line(text, 5), expected, "{text:?}");
        }
    }

    #[test]
    fn distance_counts_changes() {
        for (from, to, expected) in [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("abc", "", 3),
            ("äbc", "abc", 1),
            ("abc", "abc", 0),
        ] {
            assert_eq!(edit_distance(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn commas_in_quotes_do_not_separate() {
        for (value, expected) in [
            ("", vec![]),
            (" a , b=c,,", vec!["a", "b=c"]),
            (r#"a="b, c", d"#, vec![r#"a="b, c""#, "d"]),
            (r#"a="b\", c", d"#, vec![r#"a="b\", c""#, "d"]),
            (r#"a="b, c"#, vec![r#"a="b, c"#]),
        ] {
            assert_eq!(list_items(value).collect::<Vec<_>>(), expected, "{value}");
        }
    }
}
