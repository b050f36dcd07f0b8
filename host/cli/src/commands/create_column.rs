//! `create-column`: creates a column of a stream.

use dataverse_host::Session;
use dataverse_host::contract::{NewChoice, NewColumn, NewType, Requirement, TextType};

use super::discover::{JsonColumn, column_line};
use crate::args::{ColumnOptions, ColumnRequirement, ColumnType, NewChoiceArgument, Output};
use crate::exit::{Exit, Failure};
use crate::output::{print, print_json};

/// The maximum length of a text column, unless the options say otherwise.
const MAX_LENGTH: u32 = 100;
/// Digits after the decimal point, unless the options say otherwise.
const SCALE: u8 = 2;

/// The column that the options describe.
pub(super) fn parse(options: &ColumnOptions) -> Result<NewColumn, Failure> {
    refuse_options_of_other_types(options)?;
    let choices = || -> Result<Vec<NewChoice>, Failure> {
        if options.choices.is_empty() {
            return Err(usage(
                "a choice needs labels: --choice LABEL --choice LABEL",
            ));
        }
        let choices = options.choices.iter();
        Ok(choices
            .map(|NewChoiceArgument(choice)| choice.clone())
            .collect())
    };
    let scale = options.scale.unwrap_or(SCALE);
    let new_type =
        match options.column_type {
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
            ColumnType::Reference => NewType::Reference(options.to.clone().ok_or_else(|| {
                usage("a reference needs the stream that it refers to: --to STREAM")
            })?),
        };
    let mut column = NewColumn::new(&options.name, &options.title, new_type).with_requirement(
        match options.requirement {
            ColumnRequirement::Optional => Requirement::Optional,
            ColumnRequirement::Recommended => Requirement::Recommended,
            ColumnRequirement::Required => Requirement::Required,
        },
    );
    column.description.clone_from(&options.description);
    column.solution.clone_from(&options.solution);
    Ok(column)
}

/// An option of another type is a mistake, and a column cannot be changed afterwards.
fn refuse_options_of_other_types(options: &ColumnOptions) -> Result<(), Failure> {
    use ColumnType::{Choice, ChoiceList, Decimal, Money, Reference, Text};
    let rules: [(&str, bool, &[ColumnType], &str); 5] = [
        (
            "--max-length",
            options.max_length.is_some(),
            &[Text],
            "--type text",
        ),
        ("--multiline", options.multiline, &[Text], "--type text"),
        (
            "--scale",
            options.scale.is_some(),
            &[Decimal, Money],
            "--type decimal and money",
        ),
        (
            "--choice",
            !options.choices.is_empty(),
            &[Choice, ChoiceList],
            "--type choice and choice-list",
        ),
        (
            "--to",
            options.to.is_some(),
            &[Reference],
            "--type reference",
        ),
    ];
    for (option, given, types, names) in rules {
        if given && !types.contains(&options.column_type) {
            return Err(usage(format!("{option} is for {names}; remove it")));
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
    let created = session.create_column(&options.stream, column).await?;
    match options.output {
        Output::Text => print(&column_line(&created))?,
        Output::Json => print_json(&JsonColumn::from(&created))?,
    }
    Ok(Exit::Done)
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Arguments, Command};

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
    fn every_type_is_parsed() {
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
    fn options_of_other_types_are_refused() {
        let cases: [(&[&str], &str); 6] = [
            (
                &["--type", "integer", "--scale", "2"],
                "--scale is for --type decimal and money",
            ),
            (
                &["--type", "date", "--max-length", "2"],
                "--max-length is for --type text",
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
            let message = column(arguments).unwrap_err();
            assert!(message.contains(words), "{message}");
        }
    }
}
