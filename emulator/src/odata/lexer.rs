//! Tokens of `$filter` expressions and key predicates.

use uuid::Uuid;

use crate::{time, wire::ODataError};

/// A constant in a query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Null,
    Boolean(bool),
    /// A number as it was written.
    Number(String),
    Text(String),
    Guid(Uuid),
    /// `yyyy-MM-dd`, in seconds since 1970.
    Date(i64),
    /// A date and time, in seconds since 1970.
    DateTime(i64),
    /// `Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'`: the enumeration's name and the member.
    Member(String, String),
    /// `["a","b"]`
    List(Vec<String>),
}

/// A token with the position of its first character.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// A name, possibly qualified by dots.
    Name(String),
    Literal(Literal),
    /// `@p1`
    Alias(String),
    /// One of `( ) , / : =`.
    Symbol(char),
}

/// Splits an expression into tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ODataError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next_token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, length: usize) -> &'t str {
        let taken = self.rest().get(..length).unwrap_or_default();
        self.at += length;
        taken
    }

    fn next_token(&mut self) -> Result<Option<(usize, Token)>, ODataError> {
        let blank = self.rest().len() - self.rest().trim_start().len();
        self.at += blank;
        let start = self.at;
        let Some(first) = self.rest().chars().next() else {
            return Ok(None);
        };
        let token = match first {
            '(' | ')' | ',' | '/' | ':' | '=' => {
                self.at += 1;
                Token::Symbol(first)
            }
            '\'' => Token::Literal(Literal::Text(self.quoted()?)),
            '[' => Token::Literal(Literal::List(self.list()?)),
            '@' => {
                self.at += 1;
                Token::Alias(format!("@{}", self.name()))
            }
            _ => match self.constant() {
                Some(literal) => Token::Literal(literal),
                None if first.is_alphabetic() || first == '_' => {
                    let name = self.name();
                    match name {
                        "null" => Token::Literal(Literal::Null),
                        "true" => Token::Literal(Literal::Boolean(true)),
                        "false" => Token::Literal(Literal::Boolean(false)),
                        _ => Token::Name(name.to_owned()),
                    }
                }
                None => {
                    return Err(ODataError::syntax(format!(
                        "Syntax error: character '{first}' is not valid at position {start} in \
                         '{}'.",
                        self.text
                    )));
                }
            },
        };
        Ok(Some((start, token)))
    }

    /// A GUID, date, time or number; `None` if the next characters are none of these.
    fn constant(&mut self) -> Option<Literal> {
        let rest = self.rest();
        if let Some(guid) = rest.get(..36).and_then(|text| Uuid::try_parse(text).ok()) {
            self.at += 36;
            return Some(Literal::Guid(guid));
        }
        let starts_number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        if !starts_number {
            return None;
        }
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || ".:+-".contains(c)))
            .unwrap_or(rest.len());
        let word = rest.get(..length)?;
        let literal = if let Some(day) = time::parse_date(word) {
            Literal::Date(day)
        } else if let Some(instant) = time::parse_date_time(word) {
            Literal::DateTime(instant)
        } else if word.parse::<f64>().is_ok() && word.ends_with(|c: char| c.is_ascii_digit()) {
            Literal::Number(word.to_owned())
        } else {
            return None;
        };
        self.at += length;
        Some(literal)
    }

    fn name(&mut self) -> &'t str {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
            .unwrap_or(rest.len());
        self.take(length)
    }

    /// `'…'` with `''` for a quote.
    fn quoted(&mut self) -> Result<String, ODataError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(end) = self.rest().find('\'') else {
                return Err(ODataError::syntax(format!(
                    "There is an unterminated literal at position {} in '{}'.",
                    self.text.len(),
                    self.text
                )));
            };
            text.push_str(self.take(end));
            self.at += 1;
            if !self.rest().starts_with('\'') {
                return Ok(text);
            }
            text.push('\'');
            self.at += 1;
        }
    }

    /// A JSON array of texts, numbers or booleans, or an OData list of quoted texts.
    fn list(&mut self) -> Result<Vec<String>, ODataError> {
        let rest = self.rest();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>();
        if let Some(Ok(serde_json::Value::Array(items))) = values.next() {
            self.at += values.byte_offset();
            return Ok(items
                .into_iter()
                .map(|item| match item {
                    serde_json::Value::String(text) => text,
                    other => other.to_string(),
                })
                .collect());
        }
        self.at += 1;
        let mut items = Vec::new();
        loop {
            match self.next_token()? {
                Some((_, Token::Literal(Literal::Text(text)))) => items.push(text),
                Some((_, Token::Literal(Literal::Number(number)))) => items.push(number),
                Some((_, Token::Literal(Literal::Guid(guid)))) => items.push(guid.to_string()),
                Some((_, Token::Symbol(','))) => {}
                _ if self.rest().trim_start().starts_with(']') => {}
                _ => {
                    return Err(ODataError::syntax(format!(
                        "Syntax error at position {} in '{}'.",
                        self.at, self.text
                    )));
                }
            }
            if let Some(after) = self.rest().trim_start().strip_prefix(']') {
                self.at = self.text.len() - after.len();
                return Ok(items);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Token {
        let tokens = tokens(text).unwrap();
        assert_eq!(tokens.len(), 1, "{tokens:?}");
        tokens.into_iter().next().unwrap().1
    }

    #[test]
    fn constants_of_each_type_are_recognized() {
        let guid = "a0dbf27c-8efb-e511-80d2-00155db07c77";
        assert_eq!(
            only(guid),
            Token::Literal(Literal::Guid(guid.parse().unwrap()))
        );
        assert_eq!(
            only("2024-01-01"),
            Token::Literal(Literal::Date(1_704_067_200))
        );
        assert_eq!(
            only("-1.50"),
            Token::Literal(Literal::Number("-1.50".into()))
        );
        assert_eq!(
            only("'O''Brian'"),
            Token::Literal(Literal::Text("O'Brian".into()))
        );
        assert_eq!(only("abc"), Token::Name("abc".into()));
        assert_eq!(
            only("[\"a\",\"it's\"]"),
            Token::Literal(Literal::List(vec!["a".into(), "it's".into()]))
        );
        assert_eq!(
            only("['a','b''c']"),
            Token::Literal(Literal::List(vec!["a".into(), "b'c".into()]))
        );
    }

    #[test]
    fn an_open_quote_is_reported_as_the_service_does() {
        let error = tokens("lastname eq 'O'Bryan'").unwrap_err();
        assert_eq!(
            error.message,
            "There is an unterminated literal at position 21 in 'lastname eq 'O'Bryan''."
        );
    }
}
