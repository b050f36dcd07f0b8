//! `sync`: reads streams into a target and accounts for it.

use std::fmt::Write;
use std::time::Duration;

use serde_json::json;

use dataverse_host::contract::{Change, ColumnChange, Warning, kind_name};
use dataverse_host::sink::{JsonLines, Sink, Sqlite, stored_name};
use dataverse_host::{
    ConnectorHost, End, Metrics, Outcome, Progress, Silent, Stop, StreamReport, StreamRequest,
    SyncReport, run_sync,
};

use super::args::{Output, SyncOptions, Target};
use super::config::ConnectionFile;
use super::exit::{Exit, Failure};
use super::interrupt::interrupt;
use super::progress::{Lines, column_changes, size, warning_line};
use super::{print, print_json, tell, tell_denied};

/// Runs the command.
pub(super) async fn run(
    host: &ConnectorHost,
    connection: &ConnectionFile,
    requests: &[StreamRequest],
    options: &SyncOptions,
    quiet: bool,
) -> Result<Exit, Failure> {
    let sink: Box<dyn Sink> = match &options.to {
        Target::JsonLines(directory) => Box::new(JsonLines::open(directory)?),
        Target::Sqlite(file) => Box::new(Sqlite::open(file)?),
    };
    let profile = connection.profile()?;
    let mut lines = Lines::new();
    let progress: &mut dyn Progress = if quiet { &mut Silent } else { &mut lines };
    let stop = stop(options.max_duration);
    let report = run_sync(host, &profile, requests, sink, progress, stop).await;
    if quiet {
        // A warning is no progress.
        for warning in &report.warnings {
            tell(warning_line(warning));
        }
    } else {
        lines.finish();
    }
    match options.output {
        Output::Text => print(&table(&report, profile.metrics()))?,
        Output::Json => print_json(&document(&report, profile.metrics()))?,
    }
    tell_denied(profile.metrics());
    conclude(&report)
}

/// Ready when the user interrupts, the system asks to end, or the time is over. A second
/// interrupt ends the program on the spot, which loses nothing either.
async fn stop(max_duration: Option<Duration>) -> Stop {
    let deadline = async {
        match max_duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = interrupt() => {
            tokio::spawn(async {
                interrupt().await;
                std::process::exit(130);
            });
            Stop::Interrupted
        }
        () = deadline => Stop::DeadlineReached,
    }
}

/// The last word: an error for people, and the code.
fn conclude(report: &SyncReport) -> Result<Exit, Failure> {
    let error = |stream: &StreamReport| match &stream.outcome {
        Outcome::Failed(error) => {
            let message = format!("{}: {error}", stream.stream);
            Some((Exit::from(error.kind), message))
        }
        Outcome::NotStored(reason) => Some((Exit::Local, reason.clone())),
        Outcome::Complete | Outcome::Unfinished => None,
    };
    let mut failed: Vec<_> = report.streams.iter().filter_map(error).collect();
    let all = failed.len() == report.streams.len();
    let last = match &report.end {
        End::Finished => failed.pop().map(|(exit, message)| {
            let first = failed.first().map_or(exit, |(exit, _)| *exit);
            Failure::new(if all { first } else { Exit::Partial }, message)
        }),
        End::Stopped(Stop::Interrupted) => Some(Failure::new(
            Exit::Interrupted,
            "interrupted; what was stored stays, the next sync goes on from there",
        )),
        End::Stopped(Stop::DeadlineReached) => Some(Failure::new(
            Exit::Partial,
            "the time is over; the next sync goes on from here",
        )),
        End::Call(error) => Some(error.into()),
        End::Sink(error) => Some(error.into()),
    };
    for (_, message) in failed {
        tell(format_args!("error: {message}"));
    }
    last.map_or(Ok(Exit::Done), Err)
}

fn state(stream: &StreamReport) -> &'static str {
    match &stream.outcome {
        Outcome::Complete => "complete",
        Outcome::Failed(error) => kind_name(error.kind),
        Outcome::NotStored(_) => "not-stored",
        Outcome::Unfinished => "unfinished",
    }
}

fn table(report: &SyncReport, metrics: &Metrics) -> String {
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
            // Words to the left, numbers to the right.
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
        "{} requests over {} connections, {} received, {:.1} s",
        metrics.requests(),
        metrics.connections(),
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
    // Of a moment no rate can be told.
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

fn document(report: &SyncReport, metrics: &Metrics) -> serde_json::Value {
    let streams: Vec<_> = report
        .streams
        .iter()
        .map(|stream| {
            let error = match &stream.outcome {
                Outcome::Failed(error) => Some(error.to_string()),
                Outcome::NotStored(reason) => Some(reason.clone()),
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
    })
}
