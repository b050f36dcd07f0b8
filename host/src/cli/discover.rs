//! `discover`: what there is to read, as a table, as JSON, or as a diagram.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;
use serde_json::value::RawValue;

use dataverse_host::Session;
use dataverse_host::contract::{
    ChangeDetection, Column, DataType, StreamDescription, StreamSummary,
};

use super::args::{DiscoverOptions, Format};
use super::exit::{Exit, Failure};
use super::show::raw;
use super::{print, print_json};

/// How many streams are described in one call: descriptions are large.
const AT_ONCE: usize = 25;

/// Runs the command.
pub(super) async fn run(session: &mut Session, options: &DiscoverOptions) -> Result<Exit, Failure> {
    if options.format == Format::Table && options.streams.is_empty() {
        print(&list(&session.list_streams().await?))?;
        return Ok(Exit::Done);
    }
    let names = if options.streams.is_empty() {
        session
            .list_streams()
            .await?
            .into_iter()
            .map(|summary| summary.name)
            .collect()
    } else {
        options.streams.clone()
    };
    let mut descriptions = Vec::with_capacity(names.len());
    for names in names.chunks(AT_ONCE) {
        descriptions.extend(session.describe_streams(names).await?);
    }
    match options.format {
        Format::Table => {
            for description in &descriptions {
                print(&columns(description))?;
            }
        }
        Format::Json => {
            let streams: Vec<_> = descriptions
                .iter()
                .map(JsonStream::new)
                .collect::<Result<_, _>>()?;
            print_json(&streams)?;
        }
        Format::Mermaid => print(&mermaid(&descriptions))?,
    }
    Ok(Exit::Done)
}

fn list(streams: &[StreamSummary]) -> String {
    let width = streams
        .iter()
        .map(|stream| stream.name.chars().count())
        .max()
        .unwrap_or(0)
        .max(6);
    let mut text = format!("{:<width$}  {:<9}  TITLE\n", "STREAM", "CHANGES");
    for stream in streams {
        let changes = changes_name(stream.change_detection);
        let _infallible = writeln!(
            text,
            "{:<width$}  {changes:<9}  {}",
            stream.name, stream.title
        );
    }
    text
}

fn columns(stream: &StreamDescription) -> String {
    let summary = &stream.summary;
    let width = stream
        .columns
        .iter()
        .map(|c| c.name.chars().count())
        .max()
        .unwrap_or(0)
        .max(6);
    let mut text = format!(
        "{} ({}), changes: {}\n{:<width$}  {:<14}  TITLE\n",
        summary.name,
        summary.title,
        changes_name(summary.change_detection),
        "COLUMN",
        "TYPE"
    );
    for column in &stream.columns {
        let mut notes = Vec::new();
        if stream.primary_key.contains(&column.name) {
            notes.push("key".to_owned());
        }
        if !column.targets.is_empty() {
            notes.push(format!("→ {}", column.targets.join(", ")));
        }
        if !column.choices.is_empty() {
            notes.push(format!("{} choices", column.choices.len()));
        }
        let notes = if notes.is_empty() {
            String::new()
        } else {
            format!(" ({})", notes.join("; "))
        };
        let kind = type_name(column.data_type);
        let _infallible = writeln!(
            text,
            "{:<width$}  {kind:<14}  {}{notes}",
            column.name, column.title
        );
    }
    for key in &stream.alternate_keys {
        let state = if key.usable { "" } else { " (not usable yet)" };
        let _infallible = writeln!(
            text,
            "alternate key {}: {}{state}",
            key.name,
            key.columns.join(", ")
        );
    }
    text.push('\n');
    text
}

/// Keys, names, and the references among the described streams.
fn mermaid(streams: &[StreamDescription]) -> String {
    let shown: BTreeSet<&str> = streams.iter().map(|s| s.summary.name.as_str()).collect();
    let points_to_shown = |column: &Column| {
        column
            .targets
            .iter()
            .any(|target| shown.contains(target.as_str()))
    };
    let mut text = "erDiagram\n".to_owned();
    for stream in streams {
        let _infallible = writeln!(text, "    {} {{", word(&stream.summary.name));
        for column in &stream.columns {
            let is_key = stream.primary_key.contains(&column.name);
            let is_reference = points_to_shown(column);
            let mark = match (is_key, is_reference) {
                (true, true) => " PK, FK",
                (true, false) => " PK",
                (false, true) => " FK",
                (false, false) if stream.name_column.as_ref() == Some(&column.name) => "",
                (false, false) => continue,
            };
            let kind = word(type_name(column.data_type));
            let _infallible = writeln!(text, "        {kind} {}{mark}", word(&column.name));
        }
        text.push_str("    }\n");
    }
    for stream in streams {
        for column in &stream.columns {
            for target in column
                .targets
                .iter()
                .filter(|target| shown.contains(target.as_str()))
            {
                // A row points to one other row, or, where null is allowed, to none.
                let end = if column.nullable { "o|" } else { "||" };
                let _infallible = writeln!(
                    text,
                    "    {} }}o--{end} {} : {}",
                    word(&stream.summary.name),
                    word(target),
                    word(&column.name)
                );
            }
        }
    }
    text
}

/// A name that Mermaid takes as one word.
fn word(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

fn changes_name(detection: ChangeDetection) -> &'static str {
    match detection {
        ChangeDetection::Tracked => "tracked",
        ChangeDetection::Watermark => "watermark",
        ChangeDetection::None => "none",
    }
}

fn type_name(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Text => "text",
        DataType::Integer => "integer",
        DataType::BigInteger => "big-integer",
        DataType::Decimal => "decimal",
        DataType::FloatingPoint => "floating-point",
        DataType::Boolean => "boolean",
        DataType::Date => "date",
        DataType::Timestamp => "timestamp",
        DataType::Identifier => "identifier",
        DataType::Choice => "choice",
        DataType::ChoiceList => "choice-list",
        DataType::Reference => "reference",
        DataType::StreamName => "stream-name",
        DataType::File => "file",
        DataType::Other => "other",
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonStream<'a> {
    name: &'a str,
    title: &'a str,
    change_detection: &'static str,
    primary_key: &'a [String],
    name_column: Option<&'a str>,
    columns: Vec<JsonColumn<'a>>,
    alternate_keys: Vec<JsonKey<'a>>,
    row_schema: &'a RawValue,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonColumn<'a> {
    name: &'a str,
    title: &'a str,
    data_type: &'static str,
    nullable: bool,
    creatable: bool,
    updatable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<JsonChoice<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    targets: &'a [String],
}

#[derive(Serialize)]
struct JsonChoice<'a> {
    value: i32,
    label: &'a str,
}

#[derive(Serialize)]
struct JsonKey<'a> {
    name: &'a str,
    columns: &'a [String],
    usable: bool,
}

impl<'a> JsonStream<'a> {
    fn new(stream: &'a StreamDescription) -> Result<Self, Failure> {
        Ok(Self {
            name: &stream.summary.name,
            title: &stream.summary.title,
            change_detection: changes_name(stream.summary.change_detection),
            primary_key: &stream.primary_key,
            name_column: stream.name_column.as_deref(),
            columns: stream.columns.iter().map(JsonColumn::new).collect(),
            alternate_keys: stream
                .alternate_keys
                .iter()
                .map(|key| JsonKey {
                    name: &key.name,
                    columns: &key.columns,
                    usable: key.usable,
                })
                .collect(),
            row_schema: raw(&stream.row_schema)?,
        })
    }
}

impl<'a> JsonColumn<'a> {
    fn new(column: &'a Column) -> Self {
        Self {
            name: &column.name,
            title: &column.title,
            data_type: type_name(column.data_type),
            nullable: column.nullable,
            creatable: column.creatable,
            updatable: column.updatable,
            max_length: column.max_length,
            scale: column.scale,
            choices: column
                .choices
                .iter()
                .map(|choice| JsonChoice {
                    value: choice.value,
                    label: &choice.label,
                })
                .collect(),
            targets: &column.targets,
        }
    }
}
