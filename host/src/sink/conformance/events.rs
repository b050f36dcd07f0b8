//! The events of scripted syncs.

use crate::bindings::integration::connector::types;
use crate::contract::{Commit, ErrorKind, Event, Failure, Operation, Page, Reset, Schema};

/// The properties of a row schema with the text columns `id` and `v`.
const TEXT_COLUMNS: &str = r#""id":{"type":"string"},"v":{"type":["string","null"]}"#;

pub(crate) fn row(id: &str, value: &str) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    format!(r#"{{"id":{},"v":{}}}"#, text(id), text(value))
}

pub(crate) fn schema(stream: &str, properties: &str) -> Event {
    Event::Schema(Schema {
        stream: stream.to_owned(),
        primary_key: vec!["id".to_owned()],
        row_schema: format!(r#"{{"type":"object","properties":{{{properties}}}}}"#),
        changes: Vec::new(),
    })
}

pub(crate) fn text_schema(stream: &str) -> Event {
    schema(stream, TEXT_COLUMNS)
}

pub(crate) fn reset(stream: &str) -> Event {
    Event::Reset(Reset {
        stream: stream.to_owned(),
        reason: "first read".to_owned(),
    })
}

pub(crate) fn complete(stream: &str) -> Event {
    Event::Complete(stream.to_owned())
}

/// A page of rows; of a deletion or of keys, only their keys.
pub(crate) fn page(
    stream: &str,
    operation: Operation,
    rows: &[(&str, &str)],
    checkpoint: &str,
) -> Event {
    let line = |(id, value): &(&str, &str)| match operation {
        Operation::Delete | Operation::Present => format!("{{\"id\":\"{id}\"}}\n"),
        Operation::Snapshot | Operation::Upsert => format!("{}\n", row(id, value)),
    };
    let ndjson: String = rows.iter().map(line).collect();
    raw_page(stream, operation, &ndjson, checkpoint)
}

pub(crate) fn raw_page(
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

pub(crate) fn full_read(stream: &str, rows: &[(&str, &str)]) -> Vec<Event> {
    vec![
        text_schema(stream),
        reset(stream),
        page(stream, Operation::Snapshot, rows, "c0"),
        complete(stream),
    ]
}

/// A full read, changes, a second full read that no longer has some rows, changes; then sweeps:
/// after changes, over nothing but keys, of a stream that is empty but for what comes in between,
/// and within a full read.
pub(super) fn script() -> Vec<Event> {
    use Operation::{Delete, Present, Snapshot, Upsert};
    let sweep = || Event::Sweep("t".to_owned());
    let done = || complete("t");
    vec![
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
        page("t", Upsert, &[("5", "EE"), ("11", "k")], "c13"),
        done(),
        page("t", Delete, &[("11", "")], "c14"),
        done(),
    ]
}

/// What ends a sweep before its `complete`: the end of the process (none), or an event.
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
    vec![None, Some(text_schema("t")), Some(Event::Failed(failed))]
}
