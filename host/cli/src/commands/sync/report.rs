//! What a sync did, as a table and as JSON.

use std::fmt::Write;
use std::time::Duration;

use serde_json::json;

use dataverse_host::contract::{Change, ColumnChange, Warning, kind_name};
use dataverse_host::sink::stored_name;
use dataverse_host::{End, Metrics, Outcome, Stop, StreamReport, SyncReport};

use crate::exit::Failure;
use crate::output::count;
use crate::progress::{column_changes, size};

fn state(stream: &StreamReport) -> &'static str {
    match &stream.outcome {
        Outcome::Complete => "complete",
        Outcome::Failed(error) => kind_name(error.kind),
        Outcome::NotStored(_) | Outcome::NotResumed(_) => "not-stored",
        Outcome::Unfinished => "unfinished",
    }
}

pub(super) fn table(report: &SyncReport, metrics: &Metrics) -> String {
    let mut rows = vec![
        [
            "STREAM", "READ", "ROWS", "DELETED", "PAGES", "BYTES", "SECONDS", "ROWS/S", "STATE",
        ]
        .map(str::to_owned),
    ];
    for stream in &report.streams {
        rows.push([
            stream.stream.clone(),
            match stream {
                StreamReport { full: true, .. } => "full",
                StreamReport { pages: 0, .. } => "-",
                _ => "changes",
            }
            .to_owned(),
            stream.rows.to_string(),
            stream.deleted.to_string(),
            stream.pages.to_string(),
            size(stream.bytes),
            format!("{:.1}", stream.elapsed.as_secs_f64()),
            rate(
                stream.rows + stream.deleted + stream.checked,
                report.elapsed.min(stream.elapsed),
            ),
            state(stream).to_owned(),
        ]);
    }
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..9).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            // Text is aligned left, numbers right.
            let cell = if matches!(column, 0 | 1 | 8) {
                format!("{cell:<width$}  ")
            } else {
                format!("{cell:>width$}  ")
            };
            line.push_str(&cell);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for stream in &report.streams {
        if let Some(changes) = column_changes(&stream.changes) {
            let _infallible = writeln!(text, "{}: {changes}", stream.stream);
        }
    }
    let _infallible = writeln!(
        text,
        "{} over {}, {} received, {:.1} s",
        count(metrics.requests(), "request"),
        count(metrics.connections(), "connection"),
        size(metrics.bytes_received()),
        report.elapsed.as_secs_f64()
    );
    text
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate for people"
)]
fn rate(rows: u64, elapsed: Duration) -> String {
    // A moment is too short for a rate.
    if elapsed < Duration::from_millis(1) {
        return "-".to_owned();
    }
    ((rows as f64 / elapsed.as_secs_f64()) as u64).to_string()
}

fn column_change(found: &ColumnChange) -> serde_json::Value {
    let change = match found.change {
        Change::Added => "added",
        Change::Removed => "removed",
        Change::Retyped => "retyped",
    };
    json!({"column": found.column, "change": change})
}

fn warning(warning: &Warning) -> serde_json::Value {
    json!({"stream": warning.stream, "id": warning.id, "message": warning.message})
}

pub(super) fn document(report: &SyncReport, metrics: &Metrics) -> serde_json::Value {
    let streams: Vec<_> = report
        .streams
        .iter()
        .map(|stream| {
            let error = match &stream.outcome {
                Outcome::Failed(error) => Some(error.to_string()),
                Outcome::NotStored(reason) | Outcome::NotResumed(reason) => Some(reason.clone()),
                Outcome::Complete | Outcome::Unfinished => None,
            };
            json!({
                "stream": stream.stream,
                "storedAs": stored_name(&stream.stream),
                "full": stream.full,
                "rows": stream.rows,
                "deleted": stream.deleted,
                "checked": stream.checked,
                "pages": stream.pages,
                "bytes": stream.bytes,
                "seconds": stream.elapsed.as_secs_f64(),
                "columnChanges": stream.changes.iter().map(column_change).collect::<Vec<_>>(),
                "state": state(stream),
                "error": error,
            })
        })
        .collect();
    let (end, error) = match &report.end {
        End::Finished => ("finished", None),
        End::Stopped(Stop::Interrupted) => ("interrupted", None),
        End::Stopped(Stop::DeadlineReached) => ("time-over", None),
        End::Call(error) => ("failed", Some(Failure::from(error).to_string())),
        End::Sink(error) => ("failed", Some(Failure::from(error).to_string())),
    };
    json!({
        "end": end,
        "error": error,
        "streams": streams,
        "warnings": report.warnings.iter().map(warning).collect::<Vec<_>>(),
        "seconds": report.elapsed.as_secs_f64(),
        "restarts": report.restarts,
        "requests": metrics.requests(),
        "connections": metrics.connections(),
        "bytesReceived": metrics.bytes_received(),
        "throttled": metrics.throttled(),
    })
}
