//! Values of arguments and their parsers.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use serde::Deserialize;
use toml::value::Datetime;

use dataverse_host::contract::{FileForm, NewChoice};

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    JsonLines(PathBuf),
    Sqlite(PathBuf),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("jsonl", path)) if !path.is_empty() => Ok(Self::JsonLines(expand_home(path)?)),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(expand_home(path)?)),
            _ => Err("use jsonl:DIRECTORY or sqlite:FILE".to_owned()),
        }
    }
}

/// A path whose leading `~` is the user's home directory. A shell does not expand it after the
/// colon of a target.
fn expand_home(path: &str) -> Result<PathBuf, String> {
    let Some(rest) = path.strip_prefix('~') else {
        return Ok(path.into());
    };
    if !rest.is_empty() && !rest.starts_with(['/', '\\']) {
        return Err(format!(
            "`{path}`: only ~/ is expanded; write the whole path, or ./{path} for a file of this \
             name"
        ));
    }
    let home = std::env::home_dir().filter(|home| home.is_absolute());
    let home = home.ok_or_else(|| format!("`{path}`: there is no home directory"))?;
    Ok(home.join(rest.trim_start_matches(['/', '\\'])))
}

/// A name in a list, without the space that people put after a comma.
pub(super) fn parse_name(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("a name is empty; separate names by single commas"),
        name => Ok(name.to_owned()),
    }
}

pub(super) fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "use a duration such as 90s, 15m or 2h (at most 1 year)";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| WRONG)?;
    let seconds = match text.get(digits.len()..) {
        Some("" | "s") => Some(number),
        Some("m") => number.checked_mul(60),
        Some("h") => number.checked_mul(3600),
        _ => None,
    };
    // More than a year is a mistake, and more than the clock can count would overflow.
    let seconds = seconds.filter(|seconds| (1..=31_536_000).contains(seconds));
    seconds.map(Duration::from_secs).ok_or(WRONG)
}

/// What columns of files and images contain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Files {
    /// The reference that the service returns.
    #[default]
    Reference,
    /// The content in base64.
    Content,
}

impl From<Files> for FileForm {
    fn from(files: Files) -> Self {
        match files {
            Files::Reference => Self::Reference,
            Files::Content => Self::Content,
        }
    }
}

/// A moment, or the beginning of a day in UTC, as RFC 3339 writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(crate) struct Since(pub(crate) String);

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "use a day such as 2026-01-31, or a time with its offset such as \
             2026-01-31T08:00:00+01:00"
                .to_owned()
        };
        let time: Datetime = text.parse().map_err(|_| wrong())?;
        match time {
            Datetime {
                date: Some(_),
                time: Some(_),
                offset: Some(_),
            } => Ok(Self(time.to_string())),
            Datetime {
                date: Some(day),
                time: None,
                offset: None,
            } => Ok(Self(format!("{day}T00:00:00Z"))),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<toml::Value> for Since {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::Datetime(time) => time.to_string().parse(),
            toml::Value::String(text) => text.parse(),
            _ => Err("use a day or a time, such as 2026-01-31".to_owned()),
        }
    }
}

/// A choice of a new column: `LABEL`, or `VALUE=LABEL` with an integer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewChoiceArgument(pub(crate) NewChoice);

impl FromStr for NewChoiceArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbered = text
            .split_once('=')
            .and_then(|(value, label)| Some((value.trim().parse().ok()?, label)));
        let (value, label) = match numbered {
            Some((value, label)) => (Some(value), label),
            None => (None, text),
        };
        if label.trim().is_empty() {
            return Err("a choice needs a label".to_owned());
        }
        Ok(Self(NewChoice {
            value,
            label: label.trim().to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_not_empty() {
        assert_eq!(parse_name(" revenue"), Ok("revenue".to_owned()));
        assert!(parse_name(" ").is_err());
    }

    #[test]
    fn targets_and_durations_are_parsed() {
        assert_eq!("jsonl:out".parse(), Ok(Target::JsonLines("out".into())));
        assert_eq!(
            "sqlite:C:\\x.db".parse(),
            Ok(Target::Sqlite("C:\\x.db".into()))
        );
        for bad in ["", "out", "sqlite:", "csv:x"] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
        for (text, seconds) in [("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
        }
        for bad in [
            "",
            "s",
            "-1s",
            "1d",
            "1.5h",
            "0",
            "99999999999999999999h",
            "9999999999999h",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_leading_tilde_is_the_home_directory() {
        let home = std::env::home_dir().unwrap();
        let expected = Target::Sqlite(home.join("crm.db"));
        assert_eq!("sqlite:~/crm.db".parse(), Ok(expected));
        assert_eq!("jsonl:~".parse(), Ok(Target::JsonLines(home)));
        assert_eq!("jsonl:a~/b".parse(), Ok(Target::JsonLines("a~/b".into())));
        let other = "sqlite:~root/crm.db".parse::<Target>().unwrap_err();
        assert!(other.contains("only ~/ is expanded"), "{other}");
    }

    #[test]
    fn times_are_days_or_have_an_offset() {
        for (text, expected) in [
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z"),
            ("2026-01-31 08:00:00.5-05:00", "2026-01-31T08:00:00.5-05:00"),
        ] {
            assert_eq!(text.parse(), Ok(Since(expected.to_owned())));
        }
        for wrong in [
            "",
            "yesterday",
            "08:00:00",
            "2026-01-31T08:00:00",
            "2026-02-30",
        ] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong}");
        }
    }
}
