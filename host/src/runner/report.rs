//! What a sync did.

use std::time::{Duration, Instant};

use super::request::StreamRequest;
use crate::contract::{ColumnChange, ConnectorError, Event, Operation, Warning};
use crate::error::CallError;
use crate::sink::{Applied, SinkError};

/// Why a sync stops before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The user or the system interrupted it.
    Interrupted,
    /// Its time limit is reached.
    DeadlineReached,
}

/// How the sync of a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Complete: equal to the service.
    Complete,
    /// Could not be read further.
    Failed(ConnectorError),
    /// The sink could not store it; the text says why.
    NotStored(String),
    /// The sink could not resume it, because what it wrote earlier is missing or was changed; the
    /// text says how. A full read replaces it.
    NotResumed(String),
    /// The sync ended first. The next one resumes from here.
    Unfinished,
}

/// What a sync did with one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamReport {
    /// The stream's name.
    pub stream: String,
    /// Rows that were stored.
    pub rows: u64,
    /// Keys that were reported as deleted, and rows that a sweep did not find.
    pub deleted: u64,
    /// Keys that a sweep checked.
    pub checked: u64,
    /// Pages that were stored.
    pub pages: u64,
    /// Bytes of row text.
    pub bytes: u64,
    /// Whether this was a full read, or the rest of one.
    pub full: bool,
    /// How the columns have changed since the last sync.
    pub changes: Vec<ColumnChange>,
    /// From the first event to the last.
    pub elapsed: Duration,
    /// How it ended.
    pub outcome: Outcome,
    started: Option<Instant>,
}

/// How a sync ended.
#[derive(Debug)]
pub enum End {
    /// Every stream is complete, has failed, or could not be stored.
    Finished,
    /// It was stopped after the last durable page.
    Stopped(Stop),
    /// The connection failed, or instances kept crashing.
    Call(CallError),
    /// The sink failed.
    Sink(SinkError),
}

/// What a sync did.
#[derive(Debug)]
pub struct SyncReport {
    /// In the order of the requests.
    pub streams: Vec<StreamReport>,
    /// The connector's warnings, each once.
    pub warnings: Vec<Warning>,
    /// How it ended.
    pub end: End,
    /// How many instances crashed.
    pub restarts: u32,
    /// From start to end.
    pub elapsed: Duration,
}

/// Counts durable events.
pub(super) struct Tally {
    streams: Vec<StreamReport>,
    warnings: Vec<Warning>,
}

impl Tally {
    pub(super) fn new(requests: &[StreamRequest]) -> Self {
        let report = |request: &StreamRequest| StreamReport {
            stream: request.stream().to_owned(),
            rows: 0,
            deleted: 0,
            checked: 0,
            pages: 0,
            bytes: 0,
            full: false,
            changes: Vec::new(),
            elapsed: Duration::ZERO,
            outcome: Outcome::Unfinished,
            started: None,
        };
        Self {
            streams: requests.iter().map(report).collect(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn is_open(&self, stream: &str) -> bool {
        let found = self.streams.iter().find(|report| report.stream == stream);
        found.is_some_and(|report| report.outcome == Outcome::Unfinished)
    }

    /// Closes a stream that the sink cannot store. Returns whether it was open.
    pub(super) fn skip(&mut self, stream: &str, error: &SinkError) -> bool {
        let mut reports = self.streams.iter_mut();
        let open =
            reports.find(|report| report.stream == stream && report.outcome == Outcome::Unfinished);
        let Some(report) = open else { return false };
        report.outcome = match error {
            SinkError::Changed { .. } => Outcome::NotResumed(error.to_string()),
            _ => Outcome::NotStored(error.to_string()),
        };
        true
    }

    pub(super) fn count(&mut self, event: &Event, applied: Applied) {
        let stream = match event {
            Event::Schema(schema) => &schema.stream,
            Event::Reset(reset) => &reset.stream,
            Event::Page(page) => &page.stream,
            Event::Sweep(stream) | Event::Complete(stream) => stream,
            Event::Failed(failure) => &failure.stream,
            Event::Warning(warning) => {
                // A new instance repeats the warnings of the one it replaces.
                if !self.warnings.contains(warning) {
                    self.warnings.push(warning.clone());
                }
                return;
            }
        };
        let Some(report) = self
            .streams
            .iter_mut()
            .find(|report| report.stream == *stream)
        else {
            return;
        };
        report.elapsed = report.started.get_or_insert_with(Instant::now).elapsed();
        report.deleted += applied.swept;
        match event {
            Event::Page(page) => {
                let count = match page.operation {
                    Operation::Snapshot | Operation::Upsert => &mut report.rows,
                    Operation::Delete => &mut report.deleted,
                    Operation::Present => &mut report.checked,
                };
                *count += u64::from(page.count);
                report.full |= page.operation == Operation::Snapshot;
                report.pages += 1;
                report.bytes += page.ndjson.len() as u64;
            }
            Event::Reset(_) => {
                report.full = true;
                // What was read before is read, and counted, again.
                (report.rows, report.deleted, report.checked) = (0, 0, 0);
                (report.pages, report.bytes) = (0, 0);
            }
            Event::Complete(_) => report.outcome = Outcome::Complete,
            Event::Failed(failure) => {
                report.outcome = Outcome::Failed(failure.error.clone().into());
            }
            Event::Schema(schema) => {
                // A new instance repeats the changes.
                for change in &schema.changes {
                    if !report.changes.contains(change) {
                        report.changes.push(change.clone());
                    }
                }
            }
            Event::Sweep(_) | Event::Warning(_) => {}
        }
    }

    pub(super) fn finish(self) -> (Vec<StreamReport>, Vec<Warning>) {
        (self.streams, self.warnings)
    }
}
