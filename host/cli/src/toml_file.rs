//! Reading TOML files that people write.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::exit::{Exit, Failure};

/// Reads a text file.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| usage(format!("{} cannot be read: {error}", path.display())))
}

/// Parses TOML. An error names the line, and repeats nothing of the text.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let before = before.unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let mut message = format!("{name}, line {line}: {}", without_values(error.message()));
        let section = before
            .lines()
            .rev()
            .find(|line| line.trim_start().starts_with('['));
        if section.is_some_and(|section| section.contains("[secrets]")) {
            message.push_str(
                "; [secrets] names stores of secrets, this file never contains their values",
            );
        }
        usage(message)
    })
}

/// A parser's message without the text it quotes, which may be a secret in the wrong place.
fn without_values(message: &str) -> String {
    let Some((head, rest)) = message.split_once(": string \"") else {
        return message.to_owned();
    };
    match rest.rsplit_once("\", expected") {
        Some((_, expected)) => format!("{head}: a text, expected{expected}"),
        None => head.to_owned(),
    }
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message)
}
