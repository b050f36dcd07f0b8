//! Words, texts, numbers and signs of a statement.

use super::refused;
use crate::odata::ODataError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword, as it was written.
    Word(String),
    /// `'…'` without its quotes.
    Text(String),
    /// A number as it was written.
    Number(String),
    /// `=`, `<>`, `(` and their kin.
    Sign(String),
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ODataError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first == '\'' {
            let (content, length) = quoted(rest)?;
            tokens.push(Token::Text(content));
            length
        } else if first.is_ascii_alphabetic() || first == '_' {
            let length = span(rest, |c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
            tokens.push(Token::Word(
                rest.get(..length).unwrap_or_default().to_owned(),
            ));
            length
        } else if first.is_ascii_digit() || first == '-' {
            let length = 1 + span(rest.get(1..).unwrap_or_default(), |c| {
                c.is_ascii_digit() || c == '.'
            });
            tokens.push(Token::Number(
                rest.get(..length).unwrap_or_default().to_owned(),
            ));
            length
        } else {
            let known = ["<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", ",", "*"];
            let sign = known.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| refused(&format!("The character '{first}'")))?;
            tokens.push(Token::Sign(sign.to_owned()));
            sign.len()
        };
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

fn span(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !belongs(c)).unwrap_or(text.len())
}

/// The text in quotes at the beginning, and its length with the quotes.
fn quoted(text: &str) -> Result<(String, usize), ODataError> {
    let mut content = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != '\'' {
            content.push(character);
        } else if characters.next_if(|(_, next)| *next == '\'').is_some() {
            content.push('\'');
        } else {
            return Ok((content, at + 1));
        }
    }
    Err(refused("A text without its closing quote"))
}
