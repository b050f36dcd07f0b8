//! `create-column`: adds a column to a stream.

use std::str::FromStr;

use dataverse_host::Session;
use dataverse_host::contract::{NewChoice, NewColumn, NewType, Requirement, TextType};

use super::args::{ColumnOptions, ColumnRequirement, ColumnType, Output};
use super::discover::{JsonColumn, column_line};
use super::exit::{Exit, Failure};
use super::{print, print_json};

/// The most characters of a text, if nothing else is said.
const MAX_LENGTH: u32 = 100;
/// Digits after the decimal point, if nothing else is said.
const SCALE: u8 = 2;

/// A choice as the command line takes it: `LABEL`, or `VALUE=LABEL` with an integer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewChoiceArgument(NewChoice);

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

/// The column that the options describe.
pub(super) fn parse(options: &ColumnOptions) -> Result<NewColumn, Failure> {
    refuse_what_does_not_apply(options)?;
    let choices = || -> Result<Vec<NewChoice>, Failure> {
        if options.choices.is_empty() {
            return Err(usage(
                "a choice needs its labels: --choice LABEL --choice LABEL",
            ));
        }
        let choices = options.choices.iter();
        Ok(choices
            .map(|NewChoiceArgument(choice)| choice.clone())
            .collect())
    };
    let scale = options.scale.unwrap_or(SCALE);
    let new_type = match options.column_type {
        ColumnType::Text => NewType::Text(TextType {
            max_length: options.max_length.unwrap_or(MAX_LENGTH),
            multiline: options.multiline,
        }),
        ColumnType::Integer => NewType::Integer,
        ColumnType::Decimal => NewType::Decimal(scale),
        ColumnType::Money => NewType::Money(scale),
        ColumnType::Boolean => NewType::Boolean,
        ColumnType::Choice => NewType::Choice(choices()?),
        ColumnType::ChoiceList => NewType::ChoiceList(choices()?),
        ColumnType::Date => NewType::Date,
        ColumnType::Timestamp => NewType::Timestamp,
        ColumnType::Reference => NewType::Reference(
            options
                .to
                .clone()
                .ok_or_else(|| usage("a reference needs the stream it refers to: --to STREAM"))?,
        ),
    };
    Ok(NewColumn {
        name: options.name.clone(),
        title: options.title.clone(),
        description: options.description.clone(),
        new_type,
        requirement: match options.requirement {
            ColumnRequirement::Optional => Requirement::Optional,
            ColumnRequirement::Recommended => Requirement::Recommended,
            ColumnRequirement::Required => Requirement::Required,
        },
        solution: options.solution.clone(),
    })
}

/// An option of another type is a slip, and a column cannot be changed afterwards.
fn refuse_what_does_not_apply(options: &ColumnOptions) -> Result<(), Failure> {
    use ColumnType::{Choice, ChoiceList, Decimal, Money, Reference, Text};
    let rules: [(&str, bool, &[ColumnType], &str); 5] = [
        (
            "--max-length",
            options.max_length.is_some(),
            &[Text],
            "a text",
        ),
        ("--multiline", options.multiline, &[Text], "a text"),
        (
            "--scale",
            options.scale.is_some(),
            &[Decimal, Money],
            "a decimal or money",
        ),
        (
            "--choice",
            !options.choices.is_empty(),
            &[Choice, ChoiceList],
            "a choice or choice-list",
        ),
        ("--to", options.to.is_some(), &[Reference], "a reference"),
    ];
    for (option, given, types, meant_for) in rules {
        if given && !types.contains(&options.column_type) {
            return Err(usage(format!("{option} is for {meant_for}; leave it out")));
        }
    }
    Ok(())
}

/// Runs the command.
pub(super) async fn run(
    session: &mut Session,
    options: &ColumnOptions,
    column: &NewColumn,
) -> Result<Exit, Failure> {
    let made = session.create_column(&options.stream, column).await?;
    match options.output {
        Output::Text => print(&column_line(&made))?,
        Output::Json => print_json(&JsonColumn::from(&made))?,
    }
    Ok(Exit::Done)
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args::{Arguments, Command};
    use super::*;

    fn column(arguments: &[&str]) -> Result<NewColumn, String> {
        let line = [
            "dataverse-host",
            "create-column",
            "account",
            "score",
            "--title",
            "Score",
        ];
        let parsed = Arguments::try_parse_from(line.iter().chain(arguments));
        match parsed.map_err(|error| error.to_string())?.command {
            Command::CreateColumn(options) => parse(&options).map_err(|error| error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_type_can_be_said() {
        let choice = |value, label: &str| NewChoice {
            value,
            label: label.to_owned(),
        };
        let cases: [(&[&str], NewType); 8] = [
            (
                &["--type", "text"],
                NewType::Text(TextType {
                    max_length: 100,
                    multiline: false,
                }),
            ),
            (
                &["--type", "text", "--max-length", "4000", "--multiline"],
                NewType::Text(TextType {
                    max_length: 4000,
                    multiline: true,
                }),
            ),
            (&["--type", "decimal", "--scale", "5"], NewType::Decimal(5)),
            (&["--type", "money"], NewType::Money(2)),
            (&["--type", "boolean"], NewType::Boolean),
            (
                &["--type", "choice", "--choice", "100=Hot", "--choice", "a=b"],
                NewType::Choice(vec![choice(Some(100), "Hot"), choice(None, "a=b")]),
            ),
            (&["--type", "timestamp"], NewType::Timestamp),
            (
                &["--type", "reference", "--to", "contact"],
                NewType::Reference("contact".to_owned()),
            ),
        ];
        for (arguments, expected) in cases {
            let column = column(arguments).unwrap();
            assert_eq!(column.new_type, expected);
            assert_eq!(
                (column.name.as_str(), column.title.as_str()),
                ("score", "Score")
            );
            assert_eq!(column.requirement, Requirement::Optional);
        }
        let more = [
            "--type",
            "date",
            "--requirement",
            "recommended",
            "--solution",
            "Sales",
            "--description",
            "How warm",
        ];
        let column = column(&more).unwrap();
        assert_eq!(column.requirement, Requirement::Recommended);
        assert_eq!(column.solution.as_deref(), Some("Sales"));
        assert_eq!(column.description.as_deref(), Some("How warm"));
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let cases: [(&[&str], &str); 6] = [
            (
                &["--type", "integer", "--scale", "2"],
                "--scale is for a decimal or money",
            ),
            (
                &["--type", "date", "--max-length", "2"],
                "--max-length is for a text",
            ),
            (&["--type", "text", "--choice", "a"], "--choice is for"),
            (&["--type", "choice"], "--choice LABEL"),
            (&["--type", "reference"], "--to STREAM"),
            (
                &["--type", "choice", "--choice", "5= "],
                "a choice needs a label",
            ),
        ];
        for (arguments, words) in cases {
            let told = column(arguments).unwrap_err();
            assert!(told.contains(words), "{told}");
        }
    }
}
