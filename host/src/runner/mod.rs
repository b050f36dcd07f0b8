//! Runs a sync into a sink: events in order, checkpoints kept, broken instances replaced.

mod report;
mod writer;

use std::collections::HashSet;
use std::pin::{Pin, pin};
use std::time::Instant;

use crate::contract::{Event, FileForm, Selection};
use crate::error::CallError;
use crate::host::ConnectorHost;
use crate::profile::Profile;
use crate::session::Sync;
use crate::sink::{Applied, Sink, SinkError};
use report::Tally;
use writer::Writer;

pub use report::{End, Outcome, StreamReport, SyncReport};

/// How many instances may break one after the other without a durable page in between.
const MOST_RESTARTS: u32 = 3;

/// What to read of one stream. Where it goes on, the sink knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRequest {
    /// The stream's name.
    pub stream: String,
    /// Columns by name; empty for every readable one.
    pub columns: Vec<String>,
    /// Whether labels come beside choices and references.
    pub labels: bool,
    /// Only rows that meet this condition, in the service's own filter language.
    pub filter: Option<String>,
    /// Only rows changed at this time or later, RFC 3339.
    pub since: Option<String>,
    /// The text of the query, for a stream that is one.
    pub query: Option<String>,
    /// What comes for columns that hold files and images.
    pub files: FileForm,
    /// Whether every key is read at the end, to find deletions that the service does not report.
    pub sweep: bool,
    /// Rows per request to the service.
    pub page_size: Option<u32>,
    /// Whether to read everything again instead of going on.
    pub full: bool,
}

impl StreamRequest {
    /// Every column of a stream, from where the sink stands.
    pub fn all_of(stream: impl Into<String>) -> Self {
        Self {
            stream: stream.into(),
            columns: Vec::new(),
            labels: false,
            filter: None,
            since: None,
            query: None,
            files: FileForm::Reference,
            sweep: false,
            page_size: None,
            full: false,
        }
    }

    /// The same as a selection that goes on from a checkpoint.
    fn selection(&self, checkpoint: Option<String>) -> Selection {
        Selection {
            stream: self.stream.clone(),
            columns: self.columns.clone(),
            labels: self.labels,
            filter: self.filter.clone(),
            since: self.since.clone(),
            query: self.query.clone(),
            files: self.files,
            sweep: self.sweep,
            page_size: self.page_size,
            checkpoint,
        }
    }
}

/// Why a sync is to stop before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Somebody asked for it.
    Interrupted,
    /// Its time is over.
    DeadlineReached,
}

/// Hears what has become durable.
pub trait Progress: Send {
    /// The sink has made this event durable.
    fn stored(&mut self, event: &Event, applied: Applied);

    /// The sink cannot keep this stream; the sync goes on with the others.
    fn given_up(&mut self, stream: &str, error: &SinkError);

    /// An instance broke; the sync goes on from the last checkpoints in a new one.
    fn restarted(&mut self, cause: &CallError);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stored(&mut self, _event: &Event, _applied: Applied) {}
    fn given_up(&mut self, _stream: &str, _error: &SinkError) {}
    fn restarted(&mut self, _cause: &CallError) {}
}

/// Syncs streams into a sink until each is caught up, something fails, or `stop` is ready.
///
/// While the sink makes one event durable, the connector works on the next; never on more. A
/// stream goes on from the checkpoint that the sink holds. When an instance breaks, a new one goes
/// on from the last durable page, up to three times in a row. A stream that the sink cannot keep
/// ([`SinkError::Stream`]), or cannot go on with ([`SinkError::Foreign`]), is given up, and a new
/// instance goes on with the others. When `stop` is ready, the write under
/// way is finished and nothing else is begun. Dropping the future is as safe, but leaves that write
/// to end by itself, and the target in use until then.
///
/// Must be called within a tokio runtime of the multi-threaded kind, or one whose blocking threads
/// are available: the sink runs on those.
pub async fn run_sync(
    host: &ConnectorHost,
    profile: &Profile,
    requests: &[StreamRequest],
    sink: Box<dyn Sink>,
    progress: &mut dyn Progress,
    stop: impl Future<Output = Stop>,
) -> SyncReport {
    let start = Instant::now();
    let mut stop = pin!(stop);
    let mut run = Run::new(requests, sink, progress);
    let mut restarts = 0;
    let end = loop {
        let broken = match run.attempt(host, profile, stop.as_mut()).await {
            Ok(()) => break End::Finished,
            Err(End::Call(cause)) if cause.is_fatal_to_session() => cause,
            Err(End::Sink(error)) if error.stream().is_some_and(|it| run.give_up(it, &error)) => {
                continue;
            }
            Err(end) => break end,
        };
        if run.fruitless >= MOST_RESTARTS {
            break End::Call(broken);
        }
        run.fruitless += 1;
        restarts += 1;
        run.progress.restarted(&broken);
    };
    let (streams, warnings) = run.tally.finish();
    SyncReport {
        streams,
        warnings,
        end,
        restarts,
        elapsed: start.elapsed(),
    }
}

/// Where events come from.
trait Events: Send {
    fn next(&mut self) -> impl Future<Output = Result<Option<Event>, CallError>> + Send;
}

impl Events for Sync<'_> {
    fn next(&mut self) -> impl Future<Output = Result<Option<Event>, CallError>> + Send {
        Sync::next(self)
    }
}

/// The state of a sync across instances.
struct Run<'a> {
    requests: &'a [StreamRequest],
    writer: Writer,
    tally: Tally,
    progress: &'a mut dyn Progress,
    /// Streams to be read anew whose reading has not begun.
    from_the_start: HashSet<String>,
    /// Instances that broke since the last durable page.
    fruitless: u32,
}

impl<'a> Run<'a> {
    fn new(
        requests: &'a [StreamRequest],
        sink: Box<dyn Sink>,
        progress: &'a mut dyn Progress,
    ) -> Self {
        let anew = requests.iter().filter(|request| request.full);
        Self {
            requests,
            writer: Writer::new(sink),
            tally: Tally::new(requests),
            progress,
            from_the_start: anew.map(|request| request.stream.clone()).collect(),
            fruitless: 0,
        }
    }

    /// One instance from its beginning to its end.
    async fn attempt(
        &mut self,
        host: &ConnectorHost,
        profile: &Profile,
        mut stop: Pin<&mut impl Future<Output = Stop>>,
    ) -> Result<(), End> {
        let selections = self.selections()?;
        if selections.is_empty() {
            return Ok(());
        }
        let mut session = tokio::select! {
            biased;
            stop = stop.as_mut() => return Err(End::Stopped(stop)),
            session = host.open(profile) => session.map_err(End::Call)?,
        };
        let mut sync = session.sync(&selections).await.map_err(End::Call)?;
        self.drain(&mut sync, stop).await
    }

    /// Applies events to their end. Whatever happens, the write under way is finished and counted.
    async fn drain(
        &mut self,
        events: &mut impl Events,
        stop: Pin<&mut impl Future<Output = Stop>>,
    ) -> Result<(), End> {
        let outcome = self.pump(events, stop).await;
        while self.writer.is_busy() {
            self.settle().await?;
        }
        outcome
    }

    async fn pump(
        &mut self,
        events: &mut impl Events,
        mut stop: Pin<&mut impl Future<Output = Stop>>,
    ) -> Result<(), End> {
        loop {
            let event = {
                let mut next = pin!(events.next());
                loop {
                    tokio::select! {
                        biased;
                        stop = stop.as_mut() => return Err(End::Stopped(stop)),
                        stored = self.writer.finished(), if self.writer.is_busy() => {
                            let (event, applied) = stored.map_err(End::Sink)?;
                            self.count(&event, applied);
                        }
                        event = &mut next => break event.map_err(End::Call)?,
                    }
                }
            };
            while self.writer.is_busy() {
                self.settle().await?;
            }
            match event {
                Some(event) => self.writer.begin(event).map_err(End::Sink)?,
                None => return Ok(()),
            }
        }
    }

    async fn settle(&mut self) -> Result<(), End> {
        let (event, applied) = self.writer.finished().await.map_err(End::Sink)?;
        self.count(&event, applied);
        Ok(())
    }

    fn count(&mut self, event: &Event, applied: Applied) {
        match event {
            Event::Reset(reset) => {
                self.from_the_start.remove(&reset.stream);
            }
            Event::Page(_) => self.fruitless = 0,
            _ => {}
        }
        self.tally.count(event, applied);
        self.progress.stored(event, applied);
    }

    fn give_up(&mut self, stream: &str, error: &SinkError) -> bool {
        let was_open = self.tally.give_up(stream, error);
        if was_open {
            self.progress.given_up(stream, error);
        }
        was_open
    }

    fn selections(&mut self) -> Result<Vec<Selection>, End> {
        let mut selections = Vec::new();
        for request in self.requests {
            let stream = &request.stream;
            if !self.tally.is_open(stream) {
                continue;
            }
            let checkpoint = if self.from_the_start.contains(stream) {
                None
            } else {
                let sink = self.writer.sink().map_err(End::Sink)?;
                match sink.checkpoint(stream) {
                    Ok(checkpoint) => checkpoint,
                    Err(error @ (SinkError::Stream { .. } | SinkError::Foreign { .. })) => {
                        self.give_up(stream, &error);
                        continue;
                    }
                    Err(error) => return Err(End::Sink(error)),
                }
            };
            selections.push(request.selection(checkpoint));
        }
        Ok(selections)
    }
}

#[cfg(test)]
mod tests;
