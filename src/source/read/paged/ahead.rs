//! Finds the link to the next page before this page has been walked.
//!
//! The service writes the link after the rows. If it is found first, the next page is requested
//! while the rows are walked. It is a guess; the walk shows whether it was right.

use memchr::memmem;
use serde::Deserialize;

/// How far from the end the link is looked for, in bytes. Links are at most 32,768 characters long
/// (reference §4.12).
const TAIL: usize = 40 << 10;

/// The link to the next page, if it is near the end of the body.
pub(super) fn next_link(body: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"\"@odata.nextLink\":";
    let (_, tail) = body.split_at(body.len().saturating_sub(TAIL));
    let value = tail.get(memmem::rfind(tail, NAME)? + NAME.len()..)?;
    String::deserialize(&mut serde_json::Deserializer::from_slice(value)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_found_only_after_the_rows() {
        let rows = r#"{"name":"a"},"#.repeat(10_000);
        let page = format!(r#"{{"value":[{rows}{{}}],"@odata.nextLink": "https://x/a?b=\"c" }}"#);
        assert_eq!(
            next_link(page.as_bytes()).as_deref(),
            Some("https://x/a?b=\"c")
        );
        let page = format!(r#"{{"@odata.nextLink":"https://x/a","value":[{rows}{{}}]}}"#);
        assert_eq!(next_link(page.as_bytes()), None);
    }

    #[test]
    fn other_text_is_not_accepted_as_the_link() {
        for page in [
            "",
            r#"{"value":[]}"#,
            r#"{"value":[],"@odata.nextLink":null}"#,
            r#"{"value":[],"@odata.nextLink":"https://x/cut"#,
            r#"{"value":[{"Tasks@odata.nextLink":"https://x/a"}]}"#,
            r#"{"value":[{"name":"\"@odata.nextLink\":\"https://x/a\""}]}"#,
        ] {
            assert_eq!(next_link(page.as_bytes()), None, "{page}");
        }
    }
}
