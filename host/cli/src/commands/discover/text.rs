//! Streams, columns and views for people, as tables.

use std::fmt::Write;

use dataverse_host::contract::{
    Cardinality, Column, Relationship, Requirement, StreamDescription, StreamSummary, View,
};

use super::names;

pub(super) fn list(streams: &[StreamSummary]) -> String {
    let width = width("STREAM", streams.iter().map(|stream| &stream.name));
    let mut text = format!("{:<width$}  {:<9}  TITLE\n", "STREAM", "CHANGES");
    for stream in streams {
        let changes = names::change_detection(stream.change_detection);
        let _infallible = writeln!(
            text,
            "{:<width$}  {changes:<9}  {}",
            stream.name, stream.title
        );
    }
    text
}

pub(super) fn views(views: &[View]) -> String {
    let names = width("VIEW", views.iter().map(|view| &view.name));
    let streams = width("STREAM", views.iter().map(|view| &view.stream));
    let mut text = format!("{:<names$}  {:<streams$}  TITLE\n", "VIEW", "STREAM");
    for view in views {
        let personal = if view.personal { " (personal)" } else { "" };
        let _infallible = writeln!(
            text,
            "{:<names$}  {:<streams$}  {}{personal}",
            view.name, view.stream, view.title
        );
    }
    text
}

/// A stream with its columns, keys and relationships.
pub(super) fn stream(stream: &StreamDescription) -> String {
    let summary = &stream.summary;
    let width = width("COLUMN", stream.columns.iter().map(|column| &column.name));
    let mut text = format!(
        "{} ({}), {}, changes: {}\n",
        summary.name,
        summary.title,
        names::kind(summary.kind),
        names::change_detection(summary.change_detection),
    );
    if !stream.change_detection_reason.is_empty() {
        let _infallible = writeln!(text, "{}", stream.change_detection_reason);
    }
    let _infallible = writeln!(text, "{:<width$}  {:<14}  TITLE", "COLUMN", "TYPE");
    for column in &stream.columns {
        let mut notes = notes(column);
        if stream.primary_key.contains(&column.name) {
            notes.insert(0, "key".to_owned());
        }
        text.push_str(&line(column, &notes, width));
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
    for relationship in &stream.relationships {
        let _infallible = writeln!(text, "{}", relationship_line(relationship));
    }
    text.push('\n');
    text
}

/// One column in a line.
pub(crate) fn column(column: &Column) -> String {
    line(column, &notes(column), 0)
}

fn line(column: &Column, notes: &[String], width: usize) -> String {
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!(" ({})", notes.join("; "))
    };
    format!(
        "{:<width$}  {:<14}  {}{notes}\n",
        column.name,
        names::data_type(column.data_type),
        column.title
    )
}

/// What else is known about a column.
fn notes(column: &Column) -> Vec<String> {
    let mut notes = Vec::new();
    if !column.targets.is_empty() {
        notes.push(format!("→ {}", column.targets.join(", ")));
    }
    let count = column.choices.len();
    let choices = if count == 1 { "choice" } else { "choices" };
    match &column.choice_set {
        Some(set) => notes.push(format!("{count} {choices} of {set}")),
        None if count > 0 => notes.push(format!("{count} {choices}")),
        None => {}
    }
    notes.extend(column.format.clone());
    if let Some(length) = column.max_length {
        notes.push(format!("at most {length} characters"));
    }
    match (&column.minimum, &column.maximum) {
        (Some(least), Some(most)) => notes.push(format!("{least} to {most}")),
        (Some(least), None) => notes.push(format!("at least {least}")),
        (None, Some(most)) => notes.push(format!("at most {most}")),
        (None, None) => {}
    }
    if column.requirement != Requirement::Optional {
        notes.push(names::requirement(column.requirement).to_owned());
    }
    if column.secured {
        notes.push("secured".to_owned());
    }
    if !column.creatable && !column.updatable {
        notes.push("read-only".to_owned());
    }
    notes
}

fn relationship_line(relationship: &Relationship) -> String {
    let Relationship {
        name,
        column,
        stream,
        other_column,
        ..
    } = relationship;
    match relationship.cardinality {
        Cardinality::ManyToOne => format!("{name}: {column} → {stream}.{other_column}"),
        Cardinality::OneToMany => format!("{name}: {column} ← {stream}.{other_column}"),
        Cardinality::ManyToMany => {
            let pairs = relationship.pairs.as_ref();
            let pairs = pairs.map_or(String::new(), |pairs| {
                format!(", pairs in {pairs} ({column}, {other_column})")
            });
            format!("{name}: ↔ {stream}{pairs}")
        }
    }
}

fn width<'a>(heading: &str, cells: impl Iterator<Item = &'a String>) -> usize {
    cells
        .map(|cell| cell.chars().count())
        .max()
        .unwrap_or(0)
        .max(heading.len())
}
