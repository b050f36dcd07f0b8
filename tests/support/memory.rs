//! A sink in memory that holds the connector to the contract.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use dataverse_host::contract::{Event, Operation, Page};
use dataverse_host::sink::{Applied, Sink, SinkError};
use serde_json::Value;

use crate::leaks;
use crate::rows::{Rows, members, text};

/// Rows and checkpoints in memory. Clones share what they hold.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<BTreeMap<String, Held>>>);

/// What is held of one stream.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// The rows as of the last completed sync, with the changes since.
    pub rows: Rows,
    pub checkpoint: Option<String>,
    /// A full read that is not complete: its rows and its checkpoint.
    fresh: Option<(Rows, Option<String>)>,
    /// The columns of the key.
    pub key: Vec<String>,
    /// The keys that have come since a sweep began.
    present: Option<BTreeSet<String>>,
    pub row_schema: Value,
    /// Reasons of resets, in order.
    pub resets: Vec<String>,
    /// Ids of warnings, in order, with what they say.
    pub warnings: Vec<(String, String)>,
    /// Checkpoints of pages, in order.
    pub checkpoints: Vec<String>,
}

impl Memory {
    pub fn new() -> Self {
        Self::default()
    }

    /// What is held of a stream.
    pub fn held(&self, stream: &str) -> Held {
        self.lock()
            .get(stream)
            .cloned()
            .unwrap_or_else(|| panic!("nothing came of {stream}"))
    }

    /// A copy that goes its own way.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.lock().clone())))
    }

    /// Where a stream goes on.
    pub fn checkpoint_of(&self, stream: &str) -> Option<String> {
        self.checkpoint(stream).unwrap()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.0.lock().unwrap()
    }
}

impl Held {
    fn page(&mut self, page: &Page) {
        assert!(
            page.ndjson.is_empty() || page.ndjson.ends_with('\n'),
            "the last line has no end"
        );
        assert_eq!(
            page.ndjson.lines().count(),
            page.count as usize,
            "the count is wrong"
        );
        let (rows, checkpoint) = match &mut self.fresh {
            Some((rows, checkpoint)) => (rows, checkpoint),
            None => (&mut self.rows, &mut self.checkpoint),
        };
        if page.count == 0 {
            assert_ne!(page.operation, Operation::Present, "nothing is present");
            let repeated = checkpoint.as_ref() == Some(&page.checkpoint);
            assert!(!repeated, "a checkpoint came twice without rows between");
        }
        for line in page.ndjson.lines() {
            let row = members(line);
            let part = |column: &String| {
                let value = row.get(column);
                text(value.unwrap_or_else(|| panic!("no key: {line}")))
            };
            let id = self.key.iter().map(part).collect::<Vec<_>>().join(" ");
            if matches!(page.operation, Operation::Delete | Operation::Present) {
                assert_eq!(row.len(), self.key.len(), "more than its key: {line}");
            }
            match page.operation {
                Operation::Delete => {
                    rows.remove(&id);
                }
                Operation::Present => {
                    let present = self.present.as_mut();
                    present.expect("a key came before its sweep").insert(id);
                }
                Operation::Snapshot | Operation::Upsert => {
                    if let Some(present) = &mut self.present {
                        present.insert(id.clone());
                    }
                    rows.insert(id, row);
                }
            }
        }
        *checkpoint = Some(page.checkpoint.clone());
        self.checkpoints.push(page.checkpoint.clone());
    }
}

impl Sink for Memory {
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError> {
        let streams = self.lock();
        let Some(held) = streams.get(stream) else {
            return Ok(None);
        };
        Ok(match &held.fresh {
            Some((_, checkpoint)) => checkpoint.clone(),
            None => held.checkpoint.clone(),
        })
    }

    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError> {
        leaks::assert_none("an event", format!("{event:?}").as_bytes());
        let mut applied = Applied::default();
        let mut streams = self.lock();
        match event {
            Event::Schema(schema) => {
                let held = streams.entry(schema.stream.clone()).or_default();
                assert!(
                    !schema.primary_key.is_empty(),
                    "{} has no key",
                    schema.stream
                );
                held.key.clone_from(&schema.primary_key);
                held.present = None;
                held.row_schema = serde_json::from_str(&schema.row_schema).unwrap();
            }
            Event::Reset(reset) => {
                let held = streams.entry(reset.stream.clone()).or_default();
                held.fresh = Some(Default::default());
                held.present = None;
                held.resets.push(reset.reason.clone());
            }
            Event::Page(page) => streams.entry(page.stream.clone()).or_default().page(page),
            Event::Sweep(stream) => {
                let held = streams.entry(stream.clone()).or_default();
                held.present = Some(BTreeSet::new());
            }
            Event::Complete(stream) => {
                let held = streams.entry(stream.clone()).or_default();
                if let Some(present) = held.present.take() {
                    let rows = match &mut held.fresh {
                        Some((rows, _)) => rows,
                        None => &mut held.rows,
                    };
                    let before = rows.len();
                    rows.retain(|id, _| present.contains(id));
                    applied.swept = (before - rows.len()) as u64;
                }
                if let Some((rows, checkpoint)) = held.fresh.take() {
                    held.rows = rows;
                    held.checkpoint = checkpoint;
                }
            }
            Event::Warning(warning) => {
                let stream = warning.stream.clone().unwrap_or_default();
                let warning = (warning.id.clone(), warning.message.clone());
                streams.entry(stream).or_default().warnings.push(warning);
            }
            Event::Failed(_) => {}
        }
        Ok(applied)
    }
}
