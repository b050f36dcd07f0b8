//! Runs a sync into a sink: applies events in order, keeps checkpoints, replaces crashed instances.

mod progress;
mod report;
mod request;
mod writer;

use std::collections::HashSet;
use std::pin::{Pin, pin};
use std::time::Instant;

use crate::contract::{Event, Selection};
use crate::error::CallError;
use crate::host::ConnectorHost;
use crate::network::Throttling;
use crate::profile::Profile;
use crate::session::Sync;
use crate::sink::{Applied, Sink, SinkError};
use report::Tally;
use writer::Writer;

pub use progress::{Progress, Silent};
pub use report::{End, Outcome, Stop, StreamReport, SyncReport};
pub use request::StreamRequest;

/// How many instances in a row may crash without a durable page in between.
const MOST_RESTARTS: u32 = 3;

/// Syncs streams into a sink until each is complete, something fails, or `stop` is ready. What
/// fails is in the report.
///
/// While the sink makes one event durable, the connector works on the next, never on more. A
/// stream resumes from the checkpoint that the sink holds. When an instance crashes, a new one
/// resumes from the last durable page, up to three times in a row. A stream that the sink cannot
/// store ([`SinkError::Stream`]) or resume ([`SinkError::Changed`]) is skipped, and a new instance
/// goes on with the others. When `stop` is ready, the current write is finished and nothing else
/// is started. Dropping the future is as safe, but that write then ends by itself, and the target
/// stays in use until it has.
///
/// Must be called within a tokio runtime; the sink runs on its blocking threads.
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
    let mut run = Run::new(requests, sink, profile.metrics().throttling(), progress);
    let mut restarts = 0;
    let end = loop {
        let crash = match run.attempt(host, profile, stop.as_mut()).await {
            Ok(()) => break End::Finished,
            Err(End::Call(cause)) if cause.is_fatal_to_session() => cause,
            Err(End::Sink(error)) if error.stream().is_some_and(|it| run.skip(it, &error)) => {
                continue;
            }
            Err(end) => break end,
        };
        if run.crashes >= MOST_RESTARTS {
            break End::Call(crash);
        }
        run.crashes += 1;
        restarts += 1;
        run.progress.restarted(&crash);
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
    throttling: Throttling,
    progress: &'a mut dyn Progress,
    /// Streams to be read in full whose reset is not durable yet.
    restarting: HashSet<String>,
    /// Instances that crashed since the last durable page.
    crashes: u32,
}

impl<'a> Run<'a> {
    fn new(
        requests: &'a [StreamRequest],
        sink: Box<dyn Sink>,
        throttling: Throttling,
        progress: &'a mut dyn Progress,
    ) -> Self {
        let in_full = requests.iter().filter(|request| request.full);
        Self {
            requests,
            writer: Writer::new(sink),
            tally: Tally::new(requests),
            throttling,
            progress,
            restarting: in_full.map(|it| it.stream().to_owned()).collect(),
            crashes: 0,
        }
    }

    /// Syncs in one instance until it ends.
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

    /// Applies events until they end. The current write is always finished and counted.
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
                        throttled = self.throttling.next() => {
                            self.progress.throttled(&throttled);
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
                self.restarting.remove(&reset.stream);
            }
            Event::Page(_) => self.crashes = 0,
            Event::Schema(_)
            | Event::Sweep(_)
            | Event::Complete(_)
            | Event::Failed(_)
            | Event::Warning(_) => {}
        }
        self.tally.count(event, applied);
        self.progress.stored(event, applied);
    }

    /// Goes on without this stream. Returns whether it was still being read.
    fn skip(&mut self, stream: &str, error: &SinkError) -> bool {
        let was_open = self.tally.skip(stream, error);
        if was_open {
            self.progress.skipped(stream, error);
        }
        was_open
    }

    fn selections(&mut self) -> Result<Vec<Selection>, End> {
        let mut selections = Vec::new();
        for request in self.requests {
            let stream = request.stream();
            if !self.tally.is_open(stream) {
                continue;
            }
            let checkpoint = if self.restarting.contains(stream) {
                None
            } else {
                let sink = self.writer.sink().map_err(End::Sink)?;
                match sink.checkpoint(stream) {
                    Ok(checkpoint) => checkpoint,
                    Err(error @ (SinkError::Stream { .. } | SinkError::Changed { .. })) => {
                        self.skip(stream, &error);
                        continue;
                    }
                    Err(error) => return Err(End::Sink(error)),
                }
            };
            selections.push(request.resume(checkpoint));
        }
        Ok(selections)
    }
}

#[cfg(test)]
mod tests;
