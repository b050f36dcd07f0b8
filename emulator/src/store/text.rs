//! Text as the organization's database compares it: without regard to case or trailing blanks,
//! and with the wildcards of SQL Server's `LIKE` (reference §4.4).

use std::cmp::Ordering;

use rusqlite::{Connection, functions::FunctionFlags};

/// Name of the collation of every text column.
const COLLATION: &str = "dataverse";

/// SQL that makes a comparison or an order one of the collation.
pub(crate) const COLLATE: &str = " COLLATE dataverse";

/// Adds the collation and the function `dv_like(text, pattern)` to a connection.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_collation(COLLATION, compare)?;
    connection.create_scalar_function(
        "dv_like",
        2,
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC,
        |context| {
            let (Some(text), Some(pattern)) = (
                context.get_raw(0).as_str_or_null().unwrap_or(None),
                context.get_raw(1).as_str_or_null().unwrap_or(None),
            ) else {
                return Ok(false);
            };
            Ok(like(text, pattern))
        },
    )
}

/// Compares two texts without regard to case or trailing blanks.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_end_matches(' '), right.trim_end_matches(' '));
    if left.is_ascii() && right.is_ascii() {
        let lower = |byte: u8| byte.to_ascii_lowercase();
        return left.bytes().map(lower).cmp(right.bytes().map(lower));
    }
    left.chars()
        .flat_map(char::to_lowercase)
        .cmp(right.chars().flat_map(char::to_lowercase))
}

/// Whether the text matches the pattern: `%` any text, `_` any character, `[a-z]` one of these,
/// `[^a-z]` none of these.
pub(crate) fn like(text: &str, pattern: &str) -> bool {
    let fold = |text: &str| {
        text.chars()
            .flat_map(char::to_lowercase)
            .collect::<Vec<_>>()
    };
    matches(&fold(text), &parse_pattern(&fold(pattern)))
}

#[derive(Debug)]
enum Wildcard {
    AnyText,
    AnyCharacter,
    Literal(char),
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Wildcard {
    fn accepts(&self, character: char) -> bool {
        match self {
            Self::AnyText | Self::AnyCharacter => true,
            Self::Literal(literal) => *literal == character,
            Self::Set { negated, ranges } => {
                ranges
                    .iter()
                    .any(|(from, to)| (*from..=*to).contains(&character))
                    != *negated
            }
        }
    }
}

fn parse_pattern(pattern: &[char]) -> Vec<Wildcard> {
    let mut parsed = Vec::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        parsed.push(match first {
            '%' => Wildcard::AnyText,
            '_' => Wildcard::AnyCharacter,
            '[' => match parse_set(tail) {
                Some((set, after)) => {
                    rest = after;
                    set
                }
                None => Wildcard::Literal('['),
            },
            other => Wildcard::Literal(other),
        });
    }
    parsed
}

/// Parses what follows an opening bracket; `None` if the bracket is never closed.
fn parse_set(pattern: &[char]) -> Option<(Wildcard, &[char])> {
    let close = pattern.iter().position(|&character| character == ']')?;
    let (inner, after) = (pattern.get(..close)?, pattern.get(close + 1..)?);
    let (negated, inner) = match inner.split_first() {
        Some(('^', rest)) => (true, rest),
        _ => (false, inner),
    };
    let mut ranges = Vec::new();
    let mut members = inner;
    while let Some((&from, tail)) = members.split_first() {
        let (to, after) = match tail {
            ['-', to, after @ ..] => (*to, after),
            _ => (from, tail),
        };
        ranges.push((from, to));
        members = after;
    }
    Some((Wildcard::Set { negated, ranges }, after))
}

/// Matches greedily, going back only to the last `%`, so the time is at most text × pattern.
fn matches(text: &[char], pattern: &[Wildcard]) -> bool {
    let (mut at, mut next) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&character) = text.get(at) {
        match pattern.get(next) {
            Some(Wildcard::AnyText) => {
                retry = Some((at, next + 1));
                next += 1;
            }
            Some(wildcard) if wildcard.accepts(character) => {
                at += 1;
                next += 1;
            }
            _ => {
                let Some((from, after)) = retry else {
                    return false;
                };
                retry = Some((from + 1, after));
                at = from + 1;
                next = after;
            }
        }
    }
    pattern
        .iter()
        .skip(next)
        .all(|wildcard| matches!(wildcard, Wildcard::AnyText))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_sql_server() {
        assert!(like("Contoso Ltd", "%CONTOSO%"));
        assert!(like("abc", "a_c"));
        assert!(like("b1", "[a-c]1"));
        assert!(!like("d1", "[a-c]1"));
        assert!(like("d1", "[^a-c]1"));
        assert!(like("100%", "100[%]"));
        assert!(!like("1000", "100[%]"));
        assert!(like("[x", "[x"));
        assert!(like("ÄÖ", "äö"));
        assert!(!like("", "_"));
        assert!(like("", "%"));
    }

    #[test]
    fn a_hostile_pattern_is_matched_quickly() {
        assert!(!like(&"a".repeat(5_000), &format!("{}b", "%a".repeat(50))));
    }

    #[test]
    fn comparison_ignores_case_and_trailing_blanks() {
        assert_eq!(compare("Abc  ", "aBC"), Ordering::Equal);
        assert_eq!(compare("Ärger", "ärger"), Ordering::Equal);
        assert_eq!(compare("a", "B"), Ordering::Less);
    }
}
