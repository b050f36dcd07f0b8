//! The words of a line.

use std::str::FromStr;

/// The words of a line.
pub(super) struct Words<'a>(pub(super) &'a str);

/// The number that this text is.
pub(super) fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a valid number here"))
}

impl<'a> Words<'a> {
    pub(super) fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        if text.is_empty() {
            return None;
        }
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        self.0 = rest;
        Some(word)
    }

    pub(super) fn expect(&mut self, what: &str) -> Result<&'a str, String> {
        self.next()
            .ok_or_else(|| format!("the line ends before {what}"))
    }

    pub(super) fn name(&mut self) -> Result<String, String> {
        let word = self.expect("a name")?;
        if word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            Ok(word.to_owned())
        } else {
            Err(format!(
                "`{word}` is not a name; use letters, digits and underscores only"
            ))
        }
    }

    pub(super) fn number(&mut self) -> Result<i32, String> {
        number(self.expect("a number")?)
    }

    pub(super) fn quoted(&mut self) -> Result<String, String> {
        self.optional_quoted()?
            .ok_or_else(|| "a label in \"double quotes\" is missing".to_owned())
    }

    pub(super) fn optional_quoted(&mut self) -> Result<Option<String>, String> {
        let Some(text) = self.0.trim_start().strip_prefix('"') else {
            return Ok(None);
        };
        let (label, rest) = text
            .split_once('"')
            .ok_or_else(|| "a label has no closing quote".to_owned())?;
        self.0 = rest;
        Ok(Some(label.to_owned()))
    }

    /// Everything up to the end of the line.
    pub(super) fn tail(&mut self) -> Result<String, String> {
        let tail = std::mem::take(&mut self.0).trim();
        if tail.is_empty() {
            Err("a choice needs a label".into())
        } else {
            Ok(tail.to_owned())
        }
    }

    pub(super) fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next().map(str::to_owned)).collect()
    }

    pub(super) fn end(&mut self) -> Result<(), String> {
        match self.next() {
            None => Ok(()),
            Some(extra) => Err(format!("unexpected `{extra}` at the end of the line")),
        }
    }
}
