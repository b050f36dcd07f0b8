//! The files after scripted syncs, crashes included.

use super::*;
use crate::sink::conformance::events::{full_read, page, reset, row};
use crate::sink::conformance::{self, Rows, Target};

/// The rows that a reader of the file ends up with who applies its lines in order.
fn replay(directory: &Path, stream: &str) -> Rows {
    let text = std::fs::read_to_string(directory.join(format!("{}.jsonl", stored_name(stream))))
        .unwrap_or_default();
    let mut rows = Rows::new();
    for line in text.lines() {
        let parsed: serde_json::Value = serde_json::from_str(line).unwrap();
        let member = |name: &str| parsed[name].as_str().map(str::to_owned);
        let id = member("id").unwrap();
        if parsed.get("_deleted") == Some(&true.into()) {
            rows.remove(&id);
        } else {
            let value = member("v").unwrap();
            assert_eq!(line, row(&id, &value), "rows are stored as written");
            rows.insert(id, value);
        }
    }
    rows
}

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Target for Files {
    type Sink = JsonLines;

    fn open(&self) -> JsonLines {
        JsonLines::open(self.0.path()).unwrap()
    }

    fn rows(&self, stream: &str) -> Rows {
        replay(self.0.path(), stream)
    }

    /// Bytes beyond those that the state records.
    fn tear(&self) {
        for file in ["t.jsonl", "t.jsonl.new"] {
            let path = self.0.path().join(file);
            if path.exists() {
                let mut torn = OpenOptions::new().append(true).open(path).unwrap();
                torn.write_all(b"{\"id\":\"torn").unwrap();
            }
        }
    }
}

#[test]
fn conforms() {
    conformance::check(Files::new);
}

#[test]
fn an_interrupted_full_read_does_not_touch_the_old_file() {
    let target = Files::new();
    let file = target.0.path().join("t.jsonl");
    let mut sink = target.open();
    for event in full_read("t", &[("1", "a")]) {
        sink.apply(&event).unwrap();
    }
    let before = std::fs::read(&file).unwrap();
    sink.apply(&reset("t")).unwrap();
    sink.apply(&page("t", Operation::Snapshot, &[("2", "b")], "c9"))
        .unwrap();
    drop(sink);
    drop(target.open());
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_crash_while_promoting_is_finished_at_the_next_start() {
    for renamed in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let mut sink = JsonLines::open(directory.path()).unwrap();
        sink.apply(&reset("t")).unwrap();
        sink.apply(&page("t", Operation::Snapshot, &[("2", "b")], "c1"))
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
            Rows::from([("2".to_owned(), "b".to_owned())])
        );
    }
}

#[test]
fn a_second_writer_and_a_shortened_file_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut sink = JsonLines::open(directory.path()).unwrap();
    assert!(matches!(
        JsonLines::open(directory.path()),
        Err(SinkError::InUse { .. })
    ));
    for event in full_read("../t", &[("1", "a")]) {
        sink.apply(&event).unwrap();
    }
    drop(sink);
    let file = format!("{}.jsonl", stored_name("../t"));
    std::fs::write(directory.path().join(file), "").unwrap();
    let sink = JsonLines::open(directory.path()).unwrap();
    assert!(matches!(
        sink.checkpoint("../t"),
        Err(SinkError::Changed { .. })
    ));
}
