//! The name of a new column.

use std::fmt;

use super::invalid;
use super::publisher::Publisher;
use crate::error::Error;
use crate::text::one_line;

/// The schema name of a column: the publisher's prefix, an underscore, and words in any case
/// (reference §5.7). In lower case it is the logical name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SchemaName(String);

impl SchemaName {
    /// The name with the publisher's prefix, which is added if it has none.
    ///
    /// # Errors
    /// `InvalidData` for an invalid name, and for the prefix of another publisher.
    pub(super) fn of(name: &str, publisher: &Publisher) -> Result<Self, Error> {
        let is_word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if name.is_empty() || name.len() > MAX_LENGTH || !is_word {
            return Err(invalid(format!(
                "invalid column name {:?}; use 1 to {MAX_LENGTH} letters, digits and underscores",
                one_line(name, MAX_LENGTH)
            )));
        }
        let prefix = &publisher.prefix;
        match name.split_once('_') {
            Some((first, rest)) if first.eq_ignore_ascii_case(prefix) && !rest.is_empty() => {
                Ok(Self(format!("{prefix}_{rest}")))
            }
            Some((first, _)) if is_prefix(first) => Err(invalid(format!(
                "invalid column name {name}: its prefix {first} is not {prefix}, the prefix of the \
                 solution {}; use {prefix}_{name}",
                publisher.solution
            ))),
            _ => Ok(Self(format!("{prefix}_{name}"))),
        }
    }

    /// The name in queries and rows.
    pub(super) fn logical(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The schema name.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The longest name, in characters.
const MAX_LENGTH: usize = 50;

/// Whether it can be a publisher's prefix: two to eight letters and digits that begin with a
/// letter.
fn is_prefix(text: &str) -> bool {
    (2..=8).contains(&text.len()) && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_the_prefix_of_the_publisher() {
        let publisher = Publisher {
            solution: "Default".to_owned(),
            prefix: "new".to_owned(),
            first_value: None,
        };
        for (name, expected) in [
            ("BankName", Some("new_BankName")),
            ("new_BankName", Some("new_BankName")),
            ("NEW_BankName", Some("new_BankName")),
            ("a_b", Some("new_a_b")),
            ("averylongword_b", Some("new_averylongword_b")),
            ("2nd_bank", Some("new_2nd_bank")),
            ("cr12_BankName", None),
            ("bank_name", None),
            ("new_", None),
            ("", None),
            ("bank name", None),
            ("Größe", None),
        ] {
            let named = SchemaName::of(name, &publisher);
            assert_eq!(
                named.as_ref().ok().map(SchemaName::as_str),
                expected,
                "{name}: {named:?}"
            );
        }
        let error = SchemaName::of("cr12_Bank", &publisher).unwrap_err();
        assert!(error.message.ends_with("; use new_cr12_Bank"), "{error}");
    }
}
