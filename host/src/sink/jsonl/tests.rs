//! The files after scripted syncs, crashes included.

use super::*;
use crate::sink::model::{self, Model};

/// What a reader of the file ends up with who applies its lines in order.
fn replay(directory: &Path, stream: &str) -> Model {
    let text = std::fs::read_to_string(directory.join(format!("{}.jsonl", stored_name(stream))))
        .unwrap_or_default();
    let mut rows = Model::new();
    for line in text.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let key = row["id"].as_str().unwrap().to_owned();
        if row.get("_deleted") == Some(&true.into()) {
            rows.remove(&key);
        } else {
            rows.insert(key, line.to_owned());
        }
    }
    rows
}

#[test]
fn a_crash_at_any_event_loses_and_doubles_nothing() {
    for crash in 0..model::SCRIPT_EVENTS {
        let directory = tempfile::tempdir().unwrap();
        model::run_with_crash(
            crash,
            || JsonLines::open(directory.path()).unwrap(),
            || {
                // A write that the crash tore: bytes beyond what the state knows.
                for file in ["t.jsonl", "t.jsonl.new"] {
                    let path = directory.path().join(file);
                    if path.exists() {
                        let mut torn = OpenOptions::new().append(true).open(path).unwrap();
                        torn.write_all(b"{\"id\":\"torn").unwrap();
                    }
                }
            },
        );
        // A later start cuts what the last crash tore.
        drop(JsonLines::open(directory.path()).unwrap());
        assert_eq!(
            replay(directory.path(), "t"),
            model::expected(),
            "crash at {crash}"
        );
    }
}

#[test]
fn an_interrupted_sweep_drops_nothing() {
    for by in model::interruptions() {
        let directory = tempfile::tempdir().unwrap();
        let open = || JsonLines::open(directory.path()).unwrap();
        assert_eq!(model::interrupt_sweep(open, by.as_ref()), 0, "{by:?}");
        assert_eq!(replay(directory.path(), "t").len(), 2, "{by:?}");
    }
}

#[test]
fn an_interrupted_full_read_leaves_the_old_file() {
    let directory = tempfile::tempdir().unwrap();
    let mut sink = JsonLines::open(directory.path()).unwrap();
    for event in model::full_read("t", &[("1", "a")]) {
        sink.apply(&event).unwrap();
    }
    let before = std::fs::read(directory.path().join("t.jsonl")).unwrap();
    sink.apply(&model::reset("t")).unwrap();
    sink.apply(&model::page("t", Operation::Snapshot, &[("2", "b")], "c9"))
        .unwrap();
    drop(sink);
    let mut sink = JsonLines::open(directory.path()).unwrap();
    assert_eq!(
        std::fs::read(directory.path().join("t.jsonl")).unwrap(),
        before
    );
    assert_eq!(sink.checkpoint("t").unwrap().as_deref(), Some("c9"));
    sink.apply(&Event::Complete("t".to_owned())).unwrap();
    assert_eq!(
        replay(directory.path(), "t"),
        Model::from([model::row("2", "b")])
    );
}

#[test]
fn a_crash_while_promoting_is_finished_at_the_next_start() {
    for renamed in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let mut sink = JsonLines::open(directory.path()).unwrap();
        sink.apply(&model::reset("t")).unwrap();
        sink.apply(&model::page("t", Operation::Snapshot, &[("2", "b")], "c1"))
            .unwrap();
        sink.state.stream("t").promoting = true;
        sink.state.save(directory.path()).unwrap();
        if renamed {
            std::fs::rename(sink.fresh_file("t"), sink.current_file("t")).unwrap();
        }
        drop(sink);
        let sink = JsonLines::open(directory.path()).unwrap();
        assert_eq!(sink.checkpoint("t").unwrap().as_deref(), Some("c1"));
        assert_eq!(
            replay(directory.path(), "t"),
            Model::from([model::row("2", "b")])
        );
    }
}

#[test]
fn strange_names_two_writers_and_shortened_files() {
    let directory = tempfile::tempdir().unwrap();
    let mut sink = JsonLines::open(directory.path()).unwrap();
    assert!(matches!(
        JsonLines::open(directory.path()),
        Err(SinkError::InUse { .. })
    ));
    for event in model::full_read("../t", &[("1", "a")]) {
        sink.apply(&event).unwrap();
    }
    drop(sink);
    let file = format!("{}.jsonl", stored_name("../t"));
    std::fs::write(directory.path().join(file), "").unwrap();
    let sink = JsonLines::open(directory.path()).unwrap();
    assert!(matches!(
        sink.checkpoint("../t"),
        Err(SinkError::Foreign { .. })
    ));
}
