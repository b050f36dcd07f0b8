//! The conformance suite of sinks: tests that every [`Sink`] must pass. Needs the feature
//! `conformance`.
//!
//! The suite plays a connector that resumes where the sink says it stopped. It drops the sink at
//! every point of a scripted sync, opens it again over the same target, and compares the rows at
//! the end. Implement [`Target`] for your sink and call [`check`] in a test:
//!
//! ```no_run
//! use dataverse_host::sink::conformance::{self, Rows, Target};
//! use dataverse_host::sink::JsonLines;
//!
//! struct Files(tempfile::TempDir);
//!
//! impl Target for Files {
//!     type Sink = JsonLines;
//!
//!     fn open(&self) -> JsonLines {
//!         JsonLines::open(self.0.path()).unwrap()
//!     }
//!
//!     fn rows(&self, stream: &str) -> Rows {
//!         // Read the target as its users do: the column `v` by the column `id`.
//! #       let _ = stream;
//! #       Rows::new()
//!     }
//! }
//!
//! conformance::check(|| Files(tempfile::tempdir().unwrap()));
//! ```

#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a suite of tests: it fails by panicking"
)]

pub(crate) mod events;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{Sink, SinkError};
use crate::contract::{Event, Operation};
use events::{complete, full_read, interruptions, page, reset, script, text_schema};

/// The rows of a stream in a target: the column `v` by the key column `id`.
pub type Rows = BTreeMap<String, String>;

/// A fresh target, such as a temporary directory, and how to look at it.
///
/// The streams of the suite have the text columns `id`, their primary key, and `v`, nullable.
pub trait Target {
    /// The sink under test.
    type Sink: Sink;

    /// Opens the sink over this target. It is dropped before it is opened again.
    fn open(&self) -> Self::Sink;

    /// The rows of a stream as the target's users see them; empty before the first full read is
    /// complete. No sink is open.
    fn rows(&self, stream: &str) -> Rows;

    /// Does what a crash in the middle of a write can do, such as appending half a row. Called
    /// after each simulated crash; does nothing by default.
    fn tear(&self) {}
}

/// Runs the whole suite, each test over a target of its own.
///
/// # Panics
/// When the sink does not conform.
pub fn check<T: Target>(create: impl Fn() -> T) {
    resumes_after_a_crash_at_any_event(&create);
    an_interrupted_sweep_deletes_nothing(&create);
    an_interrupted_full_read_keeps_the_old_rows(&create);
    streams_are_independent(&create);
}

/// Drops the sink before each event of a sync, and once more one event after it resumed: no row
/// is lost, none is doubled, none is left over.
pub fn resumes_after_a_crash_at_any_event<T: Target>(create: impl Fn() -> T) {
    let script = script();
    let expected = Rows::from([("5", "EE"), ("9", "i"), ("10", "j")].map(text_pair));
    for crash in 0..script.len() {
        let target = create();
        run_with_crash(&target, &script, crash);
        // A sink may repair at its next start what the last crash left behind.
        drop(target.open());
        assert_eq!(target.rows("t"), expected, "crash before event {crash}");
    }
}

/// Stops a sweep that has found one of two rows, by the death of the sink or by an event, and
/// completes the stream: both rows stay. A `present` page outside of a sweep is refused as
/// [`SinkError::Data`].
pub fn an_interrupted_sweep_deletes_nothing<T: Target>(create: impl Fn() -> T) {
    for interruption in interruptions() {
        let target = create();
        let mut sink = target.open();
        apply_all(&mut sink, &full_read("t", &[("1", "a"), ("2", "b")]));
        apply_all(&mut sink, &[text_schema("t"), Event::Sweep("t".to_owned())]);
        let found = page("t", Operation::Present, &[("1", "")], "c0");
        apply_all(&mut sink, std::slice::from_ref(&found));
        if let Some(event) = &interruption {
            sink.apply(event).unwrap();
        } else {
            drop(sink);
            sink = target.open();
        }
        let stray = sink.apply(&found);
        assert!(
            matches!(stray, Err(SinkError::Data { .. })),
            "a key outside of a sweep, after {interruption:?}: {stray:?}"
        );
        let swept = sink.apply(&complete("t")).unwrap().swept;
        drop(sink);
        assert_eq!(swept, 0, "{interruption:?}");
        assert_eq!(target.rows("t").len(), 2, "{interruption:?}");
    }
}

/// While a stream is read in full again, its old rows stay visible, and its old checkpoint is
/// void.
pub fn an_interrupted_full_read_keeps_the_old_rows<T: Target>(create: impl Fn() -> T) {
    let target = create();
    let mut sink = target.open();
    apply_all(&mut sink, &full_read("t", &[("1", "a")]));
    apply_all(&mut sink, &[text_schema("t"), reset("t")]);
    assert_eq!(sink.checkpoint("t").unwrap(), None);
    let new = page("t", Operation::Snapshot, &[("2", "b")], "c9");
    apply_all(&mut sink, &[new]);
    drop(sink);
    assert_eq!(target.rows("t"), Rows::from([text_pair(("1", "a"))]));

    let mut sink = target.open();
    assert_eq!(sink.checkpoint("t").unwrap().as_deref(), Some("c9"));
    apply_all(&mut sink, &[text_schema("t"), complete("t")]);
    drop(sink);
    assert_eq!(target.rows("t"), Rows::from([text_pair(("2", "b"))]));
}

/// Streams whose names look alike, and names that are unusual in files and databases, keep rows
/// and checkpoints of their own.
pub fn streams_are_independent<T: Target>(create: impl Fn() -> T) {
    const STREAMS: [&str; 5] = [
        "view:Active Accounts",
        "view:active accounts",
        "audit-history:t",
        "../t",
        "t",
    ];
    let target = create();
    let mut sink = target.open();
    for stream in STREAMS {
        assert_eq!(sink.checkpoint(stream).unwrap(), None, "{stream}");
        apply_all(&mut sink, &full_read(stream, &[("1", stream)]));
    }
    drop(sink);
    let sink = target.open();
    for stream in STREAMS {
        let checkpoint = sink.checkpoint(stream).unwrap();
        assert_eq!(checkpoint.as_deref(), Some("c0"), "{stream}");
    }
    drop(sink);
    for stream in STREAMS {
        let expected = Rows::from([text_pair(("1", stream))]);
        assert_eq!(target.rows(stream), expected, "{stream}");
    }
}

fn apply_all(sink: &mut impl Sink, events: &[Event]) {
    for event in events {
        sink.apply(event).unwrap();
    }
}

fn text_pair((id, value): (&str, &str)) -> (String, String) {
    (id.to_owned(), value.to_owned())
}

/// Runs the script through sinks that are dropped before the event `crash` and again one event
/// after they resumed.
fn run_with_crash<T: Target>(target: &T, script: &[Event], crash: usize) {
    let crashed = |sink: T::Sink| {
        drop(sink);
        target.tear();
        let mut sink = target.open();
        sink.apply(&text_schema("t")).unwrap();
        sink
    };
    let mut sink = target.open();
    sink.apply(&text_schema("t")).unwrap();
    apply_all(&mut sink, script.get(..crash).unwrap());
    let mut sink = crashed(sink);
    let next = resume_at(script, crash, &sink);
    sink.apply(script.get(next).unwrap()).unwrap();
    let mut sink = crashed(sink);
    let next = resume_at(script, crash.max(next + 1), &sink);
    apply_all(&mut sink, script.get(next..).unwrap());
    drop(sink);
}

/// What a connector does with a checkpoint: it resumes after the page that carried it. Without one
/// it begins the full read that was under way. A sweep that was under way begins again.
fn resume_at(script: &[Event], reached: usize, sink: &impl Sink) -> usize {
    if let Some(known) = sink.checkpoint("t").unwrap() {
        let carries =
            |event: &Event| matches!(event, Event::Page(page) if page.checkpoint == known);
        let next = script.iter().position(carries).unwrap() + 1;
        let before = script.get(..next).unwrap();
        let last = |of: fn(&Event) -> bool| before.iter().rposition(of);
        let sweep = last(|event| matches!(event, Event::Sweep(_)));
        let ended = last(|event| matches!(event, Event::Complete(_)));
        sweep.filter(|_| sweep > ended).unwrap_or(next)
    } else {
        let is_reset = |event: &Event| matches!(event, Event::Reset(_));
        let before = script.get(..reached).unwrap();
        before.iter().rposition(is_reset).unwrap_or(0)
    }
}
