//! A sink in memory that fails when an event violates the contract.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use dataverse_host::contract::{Event, Operation, Page};
use dataverse_host::sink::{Applied, Sink, SinkError};
use serde_json::Value;

use crate::rows::{Rows, members, text};
use crate::secret_scan;

/// Rows and checkpoints in memory. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemorySink(Arc<Mutex<BTreeMap<String, StoredStream>>>);

/// What is stored of one stream.
#[derive(Clone, Debug, Default)]
pub struct StoredStream {
    /// The rows as of the last completed sync, with the changes since.
    pub rows: Rows,
    pub checkpoint: Option<String>,
    /// A full read that is not complete: its rows and its checkpoint.
    fresh: Option<(Rows, Option<String>)>,
    /// The columns of the key.
    pub key: Vec<String>,
    /// The keys found since the sweep began.
    present: Option<BTreeSet<String>>,
    pub row_schema: Value,
    /// Reasons of resets, in order.
    pub resets: Vec<String>,
    /// Identifiers and messages of warnings, in order.
    pub warnings: Vec<(String, String)>,
    /// Checkpoints of pages, in order.
    pub checkpoints: Vec<String>,
}

impl MemorySink {
    pub fn new() -> Self {
        Self::default()
    }

    /// What is stored of a stream.
    pub fn stream(&self, stream: &str) -> StoredStream {
        self.lock()
            .get(stream)
            .cloned()
            .unwrap_or_else(|| panic!("no events of {stream}"))
    }

    /// An independent copy.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.lock().clone())))
    }

    /// Where a stream resumes.
    pub fn checkpoint_of(&self, stream: &str) -> Option<String> {
        self.checkpoint(stream).unwrap()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, StoredStream>> {
        self.0.lock().unwrap()
    }
}

impl StoredStream {
    fn page(&mut self, page: &Page) {
        assert!(
            page.ndjson.is_empty() || page.ndjson.ends_with('\n'),
            "the last line has no line feed"
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
            assert_ne!(
                page.operation,
                Operation::Present,
                "an empty page of present keys"
            );
            let repeated = checkpoint.as_ref() == Some(&page.checkpoint);
            assert!(
                !repeated,
                "the same checkpoint twice without rows in between"
            );
        }
        for line in page.ndjson.lines() {
            let row = members(line);
            let part = |column: &String| {
                let value = row.get(column);
                text(value.unwrap_or_else(|| panic!("the key is missing: {line}")))
            };
            let id = self.key.iter().map(part).collect::<Vec<_>>().join(" ");
            if matches!(page.operation, Operation::Delete | Operation::Present) {
                assert_eq!(row.len(), self.key.len(), "columns besides the key: {line}");
            }
            match page.operation {
                Operation::Delete => {
                    rows.remove(&id);
                }
                Operation::Present => {
                    let present = self.present.as_mut();
                    present
                        .expect("a present key outside of a sweep")
                        .insert(id);
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

impl Sink for MemorySink {
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError> {
        let streams = self.lock();
        let Some(stored) = streams.get(stream) else {
            return Ok(None);
        };
        Ok(match &stored.fresh {
            Some((_, checkpoint)) => checkpoint.clone(),
            None => stored.checkpoint.clone(),
        })
    }

    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError> {
        secret_scan::assert_no_secret("an event", format!("{event:?}").as_bytes());
        let mut applied = Applied::default();
        let mut streams = self.lock();
        match event {
            Event::Schema(schema) => {
                let stored = streams.entry(schema.stream.clone()).or_default();
                assert!(
                    !schema.primary_key.is_empty(),
                    "{} has no primary key",
                    schema.stream
                );
                stored.key.clone_from(&schema.primary_key);
                stored.present = None;
                stored.row_schema = serde_json::from_str(&schema.row_schema).unwrap();
            }
            Event::Reset(reset) => {
                let stored = streams.entry(reset.stream.clone()).or_default();
                stored.fresh = Some(Default::default());
                stored.present = None;
                stored.resets.push(reset.reason.clone());
            }
            Event::Page(page) => streams.entry(page.stream.clone()).or_default().page(page),
            Event::Sweep(stream) => {
                let stored = streams.entry(stream.clone()).or_default();
                stored.present = Some(BTreeSet::new());
            }
            Event::Complete(stream) => {
                let stored = streams.entry(stream.clone()).or_default();
                if let Some(present) = stored.present.take() {
                    let rows = match &mut stored.fresh {
                        Some((rows, _)) => rows,
                        None => &mut stored.rows,
                    };
                    let before = rows.len();
                    rows.retain(|id, _| present.contains(id));
                    applied.swept = (before - rows.len()) as u64;
                }
                if let Some((rows, checkpoint)) = stored.fresh.take() {
                    stored.rows = rows;
                    stored.checkpoint = checkpoint;
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
