//! The suite against a sink in memory, once correct and once with a defect.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use super::*;
use crate::sink::Applied;

#[derive(Debug, Clone, Default)]
struct Stream {
    rows: Rows,
    checkpoint: Option<String>,
    full_read: Option<(Rows, Option<String>)>,
}

type Store = Arc<Mutex<HashMap<String, Stream>>>;

struct InMemory {
    store: Store,
    present: Option<BTreeSet<String>>,
    forgets_deletions: bool,
}

struct Memory {
    store: RefCell<Store>,
    forgets_deletions: bool,
}

impl Target for Memory {
    type Sink = InMemory;

    fn open(&self) -> InMemory {
        InMemory {
            store: Arc::clone(&self.store.borrow()),
            present: None,
            forgets_deletions: self.forgets_deletions,
        }
    }

    fn rows(&self, stream: &str) -> Rows {
        let store = self.store.borrow();
        let store = store.lock().unwrap();
        store.get(stream).cloned().unwrap_or_default().rows
    }
}

fn pairs(ndjson: &str) -> impl Iterator<Item = (String, String)> {
    ndjson.lines().map(|line| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        (text("id"), text("v"))
    })
}

impl Sink for InMemory {
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError> {
        let store = self.store.lock().unwrap();
        let stream = store.get(stream).cloned().unwrap_or_default();
        Ok(stream.full_read.map_or(stream.checkpoint, |(_, own)| own))
    }

    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError> {
        let mut store = self.store.lock().unwrap();
        let mut applied = Applied::default();
        match event {
            Event::Schema(_) | Event::Failed(_) => self.present = None,
            Event::Warning(_) => {}
            Event::Reset(reset) => {
                self.present = None;
                let stream = store.entry(reset.stream.clone()).or_default();
                stream.full_read = Some((Rows::new(), None));
            }
            Event::Sweep(_) => self.present = Some(BTreeSet::new()),
            Event::Page(page) => {
                let stream = store.entry(page.stream.clone()).or_default();
                let (rows, checkpoint) = match &mut stream.full_read {
                    Some((rows, checkpoint)) => (rows, checkpoint),
                    None => (&mut stream.rows, &mut stream.checkpoint),
                };
                for (id, value) in pairs(&page.ndjson) {
                    match (page.operation, &mut self.present) {
                        (Operation::Delete, _) if self.forgets_deletions => {}
                        (Operation::Delete, _) => drop(rows.remove(&id)),
                        (Operation::Present, Some(present)) => drop(present.insert(id)),
                        (Operation::Present, None) => {
                            return Err(SinkError::Data {
                                stream: page.stream.clone(),
                                reason: "a key outside of a sweep".to_owned(),
                            });
                        }
                        (Operation::Snapshot | Operation::Upsert, present) => {
                            if let Some(present) = present {
                                present.insert(id.clone());
                            }
                            rows.insert(id, value);
                        }
                    }
                }
                *checkpoint = Some(page.checkpoint.clone());
            }
            Event::Complete(name) => {
                let stream = store.entry(name.clone()).or_default();
                if let Some(present) = self.present.take() {
                    let rows = match &mut stream.full_read {
                        Some((rows, _)) => rows,
                        None => &mut stream.rows,
                    };
                    let before = rows.len();
                    rows.retain(|id, _| present.contains(id));
                    applied.swept = (before - rows.len()) as u64;
                }
                if let Some((rows, checkpoint)) = stream.full_read.take() {
                    (stream.rows, stream.checkpoint) = (rows, checkpoint);
                }
            }
        }
        Ok(applied)
    }
}

fn memory(forgets_deletions: bool) -> Memory {
    Memory {
        store: RefCell::default(),
        forgets_deletions,
    }
}

#[test]
fn a_correct_sink_passes() {
    check(|| memory(false));
}

#[test]
#[should_panic(expected = "crash before event 0")]
fn a_sink_that_ignores_deletions_fails() {
    // The second full read hides most of them; this one is after it.
    let events = [
        full_read("t", &[("1", "a")]),
        vec![page("t", Operation::Delete, &[("1", "")], "c1")],
    ];
    let target = memory(true);
    let mut sink = target.open();
    for event in events.iter().flatten() {
        sink.apply(event).unwrap();
    }
    assert_eq!(target.rows("t").len(), 1);
    check(|| memory(true));
}
