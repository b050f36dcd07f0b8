//! Progress on standard error: on a terminal a line per running stream that is redrawn, elsewhere
//! a plain line every few seconds.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use dataverse_host::contract::{Change, ColumnChange, Event, Operation, Warning};
use dataverse_host::sink::{Applied, SinkError};
use dataverse_host::{CallError, Progress, Throttled};

use crate::output::{count, log};

/// How often a terminal is redrawn.
const REDRAW: Duration = Duration::from_millis(100);
/// How often a stream is reported elsewhere.
const REPORT: Duration = Duration::from_secs(5);
/// How many running streams a terminal shows.
const SHOWN: usize = 12;
/// The maximum width of a line: a wrapped line could not be redrawn.
const WIDTH: usize = 78;

/// Prints how a sync proceeds.
pub(crate) struct Lines {
    terminal: bool,
    running: Vec<Running>,
    /// Lines on the terminal that the next drawing replaces.
    drawn: usize,
    last_drawing: Option<Instant>,
    waits: Waits,
}

struct Running {
    stream: String,
    started: Instant,
    reported: Instant,
    rows: u64,
    deleted: u64,
    checked: u64,
    bytes: u64,
}

impl Running {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate for people"
    )]
    fn line(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        let rate = ((self.rows + self.deleted + self.checked) as f64 / seconds) as u64;
        let Self {
            stream,
            rows,
            deleted,
            checked,
            bytes,
            ..
        } = self;
        let mut line = format!("{stream}: {}", count(*rows, "row"));
        if *deleted > 0 {
            let _infallible = write!(line, ", {deleted} deleted");
        }
        if *checked > 0 {
            let _infallible = write!(line, ", {} checked", count(*checked, "key"));
        }
        let _infallible = write!(line, ", {rate} rows/s, {}", size(*bytes));
        line
    }
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            running: Vec::new(),
            drawn: 0,
            last_drawing: None,
            waits: Waits::default(),
        }
    }

    /// Redraws the terminal for the last time.
    pub(crate) fn finish(&mut self) {
        if self.terminal {
            self.draw("");
        }
    }

    fn running(&mut self, stream: &str) -> &mut Running {
        let found = self
            .running
            .iter()
            .position(|running| running.stream == stream);
        let position = found.unwrap_or_else(|| {
            let now = Instant::now();
            self.running.push(Running {
                stream: stream.to_owned(),
                started: now,
                reported: now,
                rows: 0,
                deleted: 0,
                checked: 0,
                bytes: 0,
            });
            self.running.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "found, or pushed just before")]
        &mut self.running[position]
    }

    /// Prints a line that stays.
    fn print(&mut self, line: &str) {
        if self.terminal {
            self.draw(&format!("{line}\n"));
        } else {
            log(line);
        }
    }

    /// Writes `above`, then the running streams, over the last drawing, in one piece.
    fn draw(&mut self, above: &str) {
        let mut text = String::new();
        if self.drawn > 0 {
            let _infallible = write!(text, "\x1b[{}A\x1b[J", self.drawn);
        }
        text.push_str(above);
        self.drawn = self.running.len().min(SHOWN);
        for running in self.running.iter().take(SHOWN) {
            text.extend(running.line().chars().take(WIDTH));
            text.push('\n');
        }
        // A failure to print progress must not stop the sync.
        let _unprinted = std::io::stderr().write_all(text.as_bytes());
        self.last_drawing = Some(Instant::now());
    }

    fn tick(&mut self, stream: &str) {
        if self.terminal {
            if self
                .last_drawing
                .is_none_or(|last| last.elapsed() >= REDRAW)
            {
                self.draw("");
            }
        } else {
            let running = self.running(stream);
            if running.reported.elapsed() >= REPORT {
                running.reported = Instant::now();
                log(running.line());
            }
        }
    }
}

impl Progress for Lines {
    fn stored(&mut self, event: &Event, applied: Applied) {
        match event {
            Event::Schema(schema) => {
                self.running(&schema.stream);
                if let Some(changes) = column_changes(&schema.changes) {
                    self.print(&format!("{}: {changes}", schema.stream));
                }
                self.tick(&schema.stream);
            }
            Event::Reset(reset) => {
                let running = self.running(&reset.stream);
                (running.rows, running.deleted, running.checked) = (0, 0, 0);
                running.bytes = 0;
                self.print(&format!(
                    "{}: reading everything: {}",
                    reset.stream, reset.reason
                ));
            }
            Event::Page(page) => {
                let running = self.running(&page.stream);
                let count = match page.operation {
                    Operation::Snapshot | Operation::Upsert => &mut running.rows,
                    Operation::Delete => &mut running.deleted,
                    Operation::Present => &mut running.checked,
                };
                *count += u64::from(page.count);
                running.bytes += page.ndjson.len() as u64;
                self.tick(&page.stream);
            }
            Event::Sweep(stream) => self.tick(stream),
            Event::Complete(stream) => {
                self.running(stream).deleted += applied.swept;
                let line = format!("{} - complete", self.running(stream).line());
                self.running.retain(|running| running.stream != *stream);
                self.print(&line);
            }
            Event::Failed(failure) => {
                let stream = &failure.stream;
                self.running.retain(|running| running.stream != *stream);
                // The error itself follows at the end, once.
                self.print(&format!("{stream}: failed"));
            }
            Event::Warning(warning) => {
                self.print(&warning_line(warning));
            }
        }
    }

    fn skipped(&mut self, stream: &str, _error: &SinkError) {
        self.running.retain(|running| running.stream != stream);
        // The error itself follows at the end, once.
        self.print(&format!("{stream}: skipped"));
    }

    fn restarted(&mut self, cause: &CallError) {
        self.print(&format!(
            "{cause}; resuming from the last stored page in a new instance"
        ));
    }

    fn throttled(&mut self, throttled: &Throttled) {
        if let Some(line) = self.waits.line(throttled) {
            self.print(&line);
        }
    }
}

/// Decides which waits are worth a line: long ones, and of several concurrent ones the first.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    /// The end of the last wait that was printed.
    until: Option<Instant>,
}

impl Waits {
    /// The shortest wait that is printed.
    const MIN: Duration = Duration::from_secs(5);

    pub(crate) fn line(&mut self, throttled: &Throttled) -> Option<String> {
        let until = throttled.at + throttled.wait.min(Self::MAX);
        let known = self.until.is_some_and(|known| until < known + Self::MIN);
        if throttled.wait < Self::MIN || known {
            return None;
        }
        self.until = Some(until);
        Some(format!(
            "waiting: the service asked for {} s (HTTP {})",
            throttled.wait.as_secs(),
            throttled.status
        ))
    }

    /// More than the clock can count would overflow.
    const MAX: Duration = Duration::from_hours(24 * 365);
}

/// A warning, in one line.
pub(crate) fn warning_line(warning: &Warning) -> String {
    let Warning {
        stream,
        id,
        message,
    } = warning;
    let stream = stream.as_deref().unwrap_or("connection");
    format!("warning: {stream}: {message} ({id})")
}

/// The changes of a stream's columns, in one line.
pub(crate) fn column_changes(changes: &[ColumnChange]) -> Option<String> {
    let named = |change: Change, what: &str| {
        let columns = changes.iter().filter(|found| found.change == change);
        let columns: Vec<&str> = columns.map(|found| found.column.as_str()).collect();
        (!columns.is_empty()).then(|| format!("{what}: {}", columns.join(", ")))
    };
    let parts = [
        named(Change::Added, "new columns"),
        named(Change::Removed, "removed columns"),
        named(Change::Retyped, "columns with a new type"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A number of bytes for people.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS.get(unit).unwrap_or(&"TiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_changes_are_one_line() {
        let change = |column: &str, change| ColumnChange {
            column: column.to_owned(),
            change,
        };
        let changes = [
            change("a", Change::Added),
            change("b", Change::Retyped),
            change("c", Change::Added),
        ];
        assert_eq!(
            column_changes(&changes).as_deref(),
            Some("new columns: a, c; columns with a new type: b")
        );
        assert_eq!(column_changes(&[]), None);
    }

    #[test]
    fn long_waits_are_printed_once() {
        let at = Instant::now();
        let throttled = |wait, after: u64| Throttled {
            status: 429,
            wait: Duration::from_secs(wait),
            at: at + Duration::from_secs(after),
        };
        let mut waits = Waits::default();
        assert_eq!(waits.line(&throttled(1, 0)), None);
        let line = waits.line(&throttled(290, 0)).unwrap();
        assert_eq!(line, "waiting: the service asked for 290 s (HTTP 429)");
        assert_eq!(waits.line(&throttled(290, 1)), None, "a concurrent request");
        assert!(waits.line(&throttled(290, 291)).is_some());
    }

    #[test]
    fn sizes_are_readable() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (5 << 20, "5.0 MiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(size(u64::MAX), "16777216.0 TiB");
    }
}
