//! A sink that follows the contract: it applies events in order, stores pages with their
//! checkpoints, and may be killed at any time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::random::Random;
use crate::source::{Event, Operation, Page};

/// What a sink holds of one stream.
#[derive(Default)]
pub(super) struct Held {
    pub(super) rows: BTreeMap<String, Value>,
    pub(super) checkpoint: Option<String>,
    /// The rows that have come since the last reset, for a sink that drops the others at the
    /// end.
    since_reset: Option<BTreeSet<String>>,
    /// The rows that have come, as such or as keys, since a sweep began.
    since_sweep: Option<BTreeSet<String>>,
    pub(super) warnings: Vec<String>,
    pub(super) resets: usize,
    pub(super) completed: usize,
    pub(super) failures: Vec<crate::error::Error>,
    /// The schema of this run, to check the order of events.
    schema: Option<Value>,
    is_over: bool,
    /// The checkpoint before the current page.
    last: Option<String>,
}

pub(super) struct Sink {
    pub(super) streams: BTreeMap<String, Held>,
    /// Whether a reset drops all rows at once, instead of the rows that have not come again at the
    /// end.
    drops_at_once: bool,
    /// Whether rows and checkpoint are stored together.
    is_atomic: bool,
}

impl Sink {
    pub(super) fn new(random: &mut Random) -> Self {
        Self {
            streams: BTreeMap::new(),
            drops_at_once: random.one_in(2),
            is_atomic: random.one_in(2),
        }
    }

    /// A new run begins.
    pub(super) fn begin(&mut self) {
        for held in self.streams.values_mut() {
            held.schema = None;
            held.since_sweep = None;
            held.is_over = false;
            held.last = held.checkpoint.clone();
        }
    }

    /// Applies an event. Returns false if the sink was killed in the middle of it.
    pub(super) fn apply(&mut self, event: Event, killed: bool) -> bool {
        let name = match &event {
            Event::Schema(schema) => schema.stream.clone(),
            Event::Reset(reset) => reset.stream.clone(),
            Event::Page(page) => page.stream.clone(),
            Event::Sweep(stream) | Event::Complete(stream) => stream.clone(),
            Event::Failed(failure) => failure.stream.clone(),
            Event::Warning(warning) => warning.stream.clone().unwrap(),
        };
        let held = self.streams.entry(name).or_default();
        assert!(!held.is_over, "an event after the end: {event:?}");
        assert!(held.schema.is_some() || matches!(event, Event::Schema(_) | Event::Failed(_)));
        match event {
            Event::Schema(schema) => {
                assert!(held.schema.is_none(), "two schemas");
                assert_eq!(schema.primary_key, [format!("{}id", schema.stream)]);
                held.schema = Some(serde_json::from_str(&schema.row_schema).unwrap());
            }
            Event::Reset(reset) => {
                assert!(!reset.reason.is_empty());
                held.resets += 1;
                // The checkpoint of the old rows is void too: a sink that is killed now must not
                // resume from it.
                held.checkpoint = None;
                if self.drops_at_once {
                    held.rows.clear();
                } else {
                    held.since_reset = Some(BTreeSet::new());
                }
            }
            Event::Page(page) => {
                if killed && self.is_atomic {
                    return false;
                }
                held.page(&page);
                if killed {
                    return false;
                }
                held.checkpoint = Some(page.checkpoint.clone());
                held.last = Some(page.checkpoint);
            }
            Event::Sweep(_) => held.since_sweep = Some(BTreeSet::new()),
            Event::Complete(_) => {
                held.is_over = true;
                held.completed += 1;
                for seen in [held.since_reset.take(), held.since_sweep.take()]
                    .into_iter()
                    .flatten()
                {
                    held.rows.retain(|key, _| seen.contains(key));
                }
            }
            Event::Failed(failure) => {
                held.is_over = true;
                held.failures.push(failure.error);
            }
            Event::Warning(warning) => held.warnings.push(warning.id),
        }
        true
    }
}

impl Held {
    fn page(&mut self, page: &Page) {
        let lines: Vec<&str> = page.ndjson.lines().collect();
        assert_eq!(lines.len(), page.count as usize);
        assert!(page.ndjson.is_empty() || page.ndjson.ends_with('\n'));
        assert!(
            page.count > 0 || self.last.as_deref() != Some(page.checkpoint.as_str()),
            "the same checkpoint twice without rows between: {}",
            page.checkpoint
        );
        let key_name = format!("{}id", page.stream);
        for line in lines {
            let row: Value = serde_json::from_str(line).unwrap();
            let key = row[&key_name].as_str().unwrap().to_owned();
            if let Some(seen) = &mut self.since_sweep {
                seen.insert(key.clone());
            }
            if page.operation == Operation::Present {
                assert_eq!(row.as_object().unwrap().len(), 1);
                continue;
            }
            if page.operation == Operation::Delete {
                assert_eq!(
                    row.as_object().unwrap().len(),
                    1,
                    "a deletion carries its key only"
                );
                self.rows.remove(&key);
                continue;
            }
            assert_conforms(&row, self.schema.as_ref().unwrap());
            if let Some(seen) = &mut self.since_reset {
                seen.insert(key.clone());
            }
            self.rows.insert(key, row);
        }
    }
}

/// Checks the types of a row against its schema.
fn assert_conforms(row: &Value, schema: &Value) {
    for (name, value) in row.as_object().unwrap() {
        let property = &schema["properties"][name];
        let types = match &property["type"] {
            Value::String(one) => vec![one.as_str()],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            other => panic!("{name} has the type {other}"),
        };
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_i64() => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) | Value::Object(_) => "other",
        };
        assert!(types.contains(&found), "{name} is {found}, not {types:?}");
    }
    for name in schema["required"].as_array().unwrap() {
        assert!(row.get(name.as_str().unwrap()).is_some());
    }
}
