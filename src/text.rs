//! Text from outside, made fit for messages and taken apart.

/// The first line that says anything: without control characters, and cut off with an
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

/// The parts of a header value between commas, trimmed; a comma in quotes does not part
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
    fn one_line_is_one_short_line() {
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
    fn commas_in_quotes_do_not_part() {
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
