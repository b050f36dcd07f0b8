//! A scripted source for the tests of sinks, which resumes where a sink says it stopped.

use std::collections::BTreeMap;

use super::{Sink, SinkError};
use crate::bindings::integration::connector::types;
use crate::contract::{Commit, ErrorKind, Event, Failure, Operation, Page, Reset, Schema};

/// Rows by key, each as the connector wrote it.
pub(super) type Model = BTreeMap<String, String>;

pub(super) fn row(id: &str, value: &str) -> (String, String) {
    (id.to_owned(), format!(r#"{{"id":"{id}","v":"{value}"}}"#))
}

pub(super) fn schema(stream: &str, properties: &str) -> Event {
    Event::Schema(Schema {
        stream: stream.to_owned(),
        primary_key: vec!["id".to_owned()],
        row_schema: format!(r#"{{"type":"object","properties":{{{properties}}}}}"#),
        changes: Vec::new(),
    })
}

pub(super) const TEXT_COLUMNS: &str = r#""id":{"type":"string"},"v":{"type":["string","null"]}"#;

pub(super) fn reset(stream: &str) -> Event {
    Event::Reset(Reset {
        stream: stream.to_owned(),
        reason: "first read".to_owned(),
    })
}

pub(super) fn page(
    stream: &str,
    operation: Operation,
    rows: &[(&str, &str)],
    checkpoint: &str,
) -> Event {
    let line = |(id, value): &(&str, &str)| match operation {
        Operation::Delete | Operation::Present => format!("{{\"id\":\"{id}\"}}\n"),
        _ => format!("{}\n", row(id, value).1),
    };
    raw_page(
        stream,
        operation,
        &rows.iter().map(line).collect::<String>(),
        checkpoint,
    )
}

pub(super) fn raw_page(
    stream: &str,
    operation: Operation,
    ndjson: &str,
    checkpoint: &str,
) -> Event {
    Event::Page(Page {
        stream: stream.to_owned(),
        operation,
        count: u32::try_from(ndjson.lines().count()).unwrap(),
        ndjson: ndjson.to_owned(),
        checkpoint: checkpoint.to_owned(),
    })
}

pub(super) fn full_read(stream: &str, rows: &[(&str, &str)]) -> Vec<Event> {
    vec![
        schema(stream, TEXT_COLUMNS),
        reset(stream),
        page(stream, Operation::Snapshot, rows, "c0"),
        Event::Complete(stream.to_owned()),
    ]
}

pub(super) const SCRIPT_EVENTS: usize = 30;

/// A full read, changes, a second full read that forgets rows, changes; then sweeps: after
/// changes, over nothing but keys, of a stream that is empty but for what comes in between, and
/// within a full read.
fn script() -> Vec<Event> {
    use Operation::{Delete, Present, Snapshot, Upsert};
    let sweep = || Event::Sweep("t".to_owned());
    let done = || Event::Complete("t".to_owned());
    let script = vec![
        reset("t"),
        page("t", Snapshot, &[("1", "a"), ("2", "b")], "c1"),
        page("t", Snapshot, &[("3", "c")], "c2"),
        done(),
        page("t", Upsert, &[("2", "B"), ("4", "d")], "c3"),
        page("t", Delete, &[("1", ""), ("never", "")], "c4"),
        done(),
        reset("t"),
        page("t", Snapshot, &[("5", "e")], "c5"),
        page("t", Snapshot, &[("2", "bb")], "c6"),
        page("t", Upsert, &[("5", "E"), ("6", "f")], "c7"),
        done(),
        page("t", Delete, &[("2", "")], "c8"),
        done(),
        page("t", Upsert, &[("7", "g")], "c9"),
        sweep(),
        page("t", Present, &[("7", ""), ("unheard of", "")], "c9"),
        page("t", Upsert, &[("8", "h")], "c10"),
        page("t", Present, &[("5", "")], "c10"),
        done(),
        sweep(),
        page("t", Present, &[("8", ""), ("5", "")], "c10"),
        done(),
        reset("t"),
        page("t", Snapshot, &[("5", "E"), ("8", "h"), ("9", "i")], "c11"),
        page("t", Snapshot, &[("10", "j")], "c12"),
        sweep(),
        page("t", Present, &[("9", ""), ("10", "")], "c12"),
        page("t", Upsert, &[("5", "EE")], "c13"),
        done(),
    ];
    assert_eq!(script.len(), SCRIPT_EVENTS);
    script
}

pub(super) fn expected() -> Model {
    Model::from([row("5", "EE"), row("9", "i"), row("10", "j")])
}

/// Stops a sweep that has found one of two rows, by the death of the sink or by an event, and
/// completes the stream without another. Returns what that dropped.
pub(super) fn interrupt_sweep<S: Sink>(open: impl Fn() -> S, by: Option<&Event>) -> u64 {
    let mut sink = open();
    for event in full_read("t", &[("1", "a"), ("2", "b")]) {
        sink.apply(&event).unwrap();
    }
    sink.apply(&schema("t", TEXT_COLUMNS)).unwrap();
    sink.apply(&Event::Sweep("t".to_owned())).unwrap();
    sink.apply(&page("t", Operation::Present, &[("1", "")], "c0"))
        .unwrap();
    if let Some(event) = by {
        sink.apply(event).unwrap();
    } else {
        drop(sink);
        sink = open();
    }
    let stray = page("t", Operation::Present, &[("1", "")], "c0");
    assert!(matches!(sink.apply(&stray), Err(SinkError::Data { .. })));
    sink.apply(&Event::Complete("t".to_owned())).unwrap().swept
}

/// What ends a sweep without a word about rows.
pub(super) fn interruptions() -> Vec<Option<Event>> {
    let failed = Failure {
        stream: "t".to_owned(),
        error: types::Error {
            kind: ErrorKind::Unavailable,
            commit: Commit::NotStarted,
            message: "test".to_owned(),
            retry_after_ms: None,
            fault: None,
        },
    };
    vec![
        None,
        Some(schema("t", TEXT_COLUMNS)),
        Some(Event::Failed(failed)),
    ]
}

/// Runs the script through sinks that are dropped before the event `crash` and again one event
/// after they went on.
pub(super) fn run_with_crash<S: Sink>(crash: usize, open: impl Fn() -> S, tear: impl Fn()) {
    let script = script();
    let mut sink = open();
    sink.apply(&schema("t", TEXT_COLUMNS)).unwrap();
    for event in &script[..crash] {
        sink.apply(event).unwrap();
    }
    drop(sink);
    tear();
    let mut sink = open();
    sink.apply(&schema("t", TEXT_COLUMNS)).unwrap();
    let next = resume_at(&script, crash, &sink);
    sink.apply(&script[next]).unwrap();
    drop(sink);
    tear();
    let mut sink = open();
    sink.apply(&schema("t", TEXT_COLUMNS)).unwrap();
    for event in &script[resume_at(&script, crash.max(next + 1), &sink)..] {
        sink.apply(event).unwrap();
    }
}

/// What a connector does with a checkpoint: it goes on after the page that carried it. Without one
/// it begins the full read that was under way. A sweep that was under way begins again.
fn resume_at(script: &[Event], reached: usize, sink: &impl Sink) -> usize {
    if let Some(known) = sink.checkpoint("t").unwrap() {
        let carries =
            |event: &Event| matches!(event, Event::Page(page) if page.checkpoint == known);
        let next = script.iter().position(carries).unwrap() + 1;
        let before = &script[..next];
        let last = |of: fn(&Event) -> bool| before.iter().rposition(of);
        let sweep = last(|event| matches!(event, Event::Sweep(_)));
        let ended = last(|event| matches!(event, Event::Complete(_)));
        sweep.filter(|_| sweep > ended).unwrap_or(next)
    } else {
        let is_reset = |event: &Event| matches!(event, Event::Reset(_));
        script[..reached].iter().rposition(is_reset).unwrap_or(0)
    }
}
