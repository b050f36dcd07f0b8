//! The account that a sync gives of itself.

use std::time::{Duration, Instant};

use super::{Stop, StreamRequest};
use crate::contract::{ColumnChange, ConnectorError, Event, Operation, Warning};
use crate::error::CallError;
use crate::sink::{Applied, SinkError};

/// How far a stream came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Caught up with the service.
    Complete,
    /// Could not be read further.
    Failed(ConnectorError),
    /// Could not be kept by the sink; the text says why.
    NotStored(String),
    /// The sync ended first. The next one goes on from here.
    Unfinished,
}

/// What a sync did with one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamReport {
    /// The stream's name.
    pub stream: String,
    /// Rows that were stored.
    pub rows: u64,
    /// Keys that were reported as gone, and rows that a sweep did not find.
    pub deleted: u64,
    /// Keys that a sweep looked at.
    pub checked: u64,
    /// Pages that were stored.
    pub pages: u64,
    /// Bytes of row text.
    pub bytes: u64,
    /// Whether this was a full read, or the rest of one.
    pub full: bool,
    /// What has become of the columns since the last sync.
    pub changes: Vec<ColumnChange>,
    /// From the first event to the last.
    pub elapsed: Duration,
    /// How far it came.
    pub outcome: Outcome,
    began: Option<Instant>,
}

/// How a sync ended.
#[derive(Debug)]
pub enum End {
    /// Every stream is complete or has failed by itself.
    Finished,
    /// It was stopped. The state is that of the last durable page.
    Stopped(Stop),
    /// The connection failed, or instances kept breaking.
    Call(CallError),
    /// Rows could not be kept.
    Sink(SinkError),
}

/// What a sync did.
#[derive(Debug)]
pub struct SyncReport {
    /// In the order of the requests.
    pub streams: Vec<StreamReport>,
    /// What the connector warned of, each once.
    pub warnings: Vec<Warning>,
    /// How it ended.
    pub end: End,
    /// How many instances broke on the way.
    pub restarts: u32,
    /// From start to end.
    pub elapsed: Duration,
}

/// Counts what became durable.
pub(super) struct Tally {
    streams: Vec<StreamReport>,
    warnings: Vec<Warning>,
}

impl Tally {
    pub(super) fn new(requests: &[StreamRequest]) -> Self {
        let report = |request: &StreamRequest| StreamReport {
            stream: request.stream.clone(),
            rows: 0,
            deleted: 0,
            checked: 0,
            pages: 0,
            bytes: 0,
            full: false,
            changes: Vec::new(),
            elapsed: Duration::ZERO,
            outcome: Outcome::Unfinished,
            began: None,
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

    /// Closes a stream that the sink cannot keep. Whether there was one open of this name.
    pub(super) fn give_up(&mut self, stream: &str, error: &SinkError) -> bool {
        let mut reports = self.streams.iter_mut();
        let open =
            reports.find(|report| report.stream == stream && report.outcome == Outcome::Unfinished);
        let Some(report) = open else { return false };
        report.outcome = Outcome::NotStored(error.to_string());
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
                // An instance that takes over warns of the same again.
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
        report.elapsed = report.began.get_or_insert_with(Instant::now).elapsed();
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
                // What was read before is read again, and counted then.
                (report.rows, report.deleted, report.checked) = (0, 0, 0);
                (report.pages, report.bytes) = (0, 0);
            }
            Event::Complete(_) => report.outcome = Outcome::Complete,
            Event::Failed(failure) => {
                report.outcome = Outcome::Failed(failure.error.clone().into());
            }
            Event::Schema(schema) => {
                // An instance that takes over tells of the same changes again.
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
