//! Deletions that the service does not report: the rows of a file whose key a sweep did not find.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use super::DELETED;
use crate::sink::SinkError;
use crate::sink::members::for_each_member;

/// A hash of a key, long enough that no two keys share one.
type Digest = [u8; 16];

/// The keys that a sweep has found so far. They are not stored: a sweep that was stopped proves
/// nothing.
#[derive(Debug)]
pub(super) struct Sweep {
    key: Vec<String>,
    present: HashSet<Digest>,
}

/// What a sweep added to a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Swept {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

impl Sweep {
    pub(super) fn of(key: &[String]) -> Self {
        Self {
            key: key.to_vec(),
            present: HashSet::new(),
        }
    }

    /// Records the keys of rows that exist. An error is the end of a sentence about the row.
    pub(super) fn note(&mut self, ndjson: &str) -> Result<(), String> {
        for line in ndjson.lines() {
            let key = Key::of(line, &self.key)?;
            self.present.insert(key.digest());
        }
        Ok(())
    }

    /// Writes a deletion for each row in the first `length` bytes of a file whose key was not
    /// found. The file is read twice, so that only the keys of the sweep are held in memory.
    pub(super) fn write_missing(
        self,
        file: &Path,
        length: u64,
        out: &mut impl Write,
    ) -> Result<Swept, SinkError> {
        let mut missing = HashSet::new();
        self.for_each_line(file, length, |key| {
            let digest = key.digest();
            if key.is_deleted {
                missing.remove(&digest);
            } else if !self.present.contains(&digest) {
                missing.insert(digest);
            }
            Ok(())
        })?;
        let mut swept = Swept::default();
        if missing.is_empty() {
            return Ok(swept);
        }
        self.for_each_line(file, length, |key| {
            if missing.remove(&key.digest()) {
                let line = key.deletion();
                out.write_all(line.as_bytes())
                    .map_err(SinkError::io("written", file))?;
                swept.rows += 1;
                swept.bytes += line.len() as u64;
            }
            Ok(())
        })?;
        out.flush().map_err(SinkError::io("written", file))?;
        Ok(swept)
    }

    fn for_each_line(
        &self,
        file: &Path,
        length: u64,
        mut visit: impl FnMut(&Key<'_>) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let opened = File::open(file).map_err(SinkError::io("read", file))?;
        let mut lines = BufReader::new(opened.take(length));
        let mut line = String::new();
        loop {
            line.clear();
            let read = lines.read_line(&mut line);
            if read.map_err(SinkError::io("read", file))? == 0 {
                return Ok(());
            }
            let key = Key::of(&line, &self.key).map_err(|reason| {
                SinkError::changed(
                    file,
                    format!("has a line that {reason}; read the stream in full again"),
                )
            })?;
            visit(&key)?;
        }
    }
}

/// The key of the row in a line.
struct Key<'a> {
    columns: &'a [String],
    /// Raw values, in the order of the columns.
    values: Vec<&'a str>,
    is_deleted: bool,
}

impl<'a> Key<'a> {
    fn of(line: &'a str, columns: &'a [String]) -> Result<Self, String> {
        let mut values = vec![None; columns.len()];
        let mut is_deleted = false;
        for_each_member(line, |name, raw| {
            let position = columns.iter().position(|column| column == name);
            if let Some(value) = position.and_then(|position| values.get_mut(position)) {
                *value = Some(raw);
            }
            is_deleted |= name == DELETED;
        })
        .map_err(|_| "is not a JSON object".to_owned())?;
        let values: Option<Vec<_>> = values.into_iter().collect();
        let values = values.ok_or_else(|| {
            format!(
                "has no value for a column of the key ({})",
                columns.join(", ")
            )
        })?;
        Ok(Self {
            columns,
            values,
            is_deleted,
        })
    }

    fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        for raw in &self.values {
            // JSON can write the same text in several ways.
            let text: Option<String> = serde_json::from_str(raw).ok();
            let value = text.as_deref().unwrap_or(raw);
            hasher.update(&(value.len() as u64).to_le_bytes());
            hasher.update(&[u8::from(text.is_some())]);
            hasher.update(value.as_bytes());
        }
        let mut digest = Digest::default();
        hasher.finalize_xof().fill(&mut digest);
        digest
    }

    /// The line that tells readers that the row was deleted.
    fn deletion(&self) -> String {
        let mut line = "{".to_owned();
        for (column, value) in self.columns.iter().zip(&self.values) {
            line.push_str(&serde_json::Value::from(column.as_str()).to_string());
            line.push(':');
            line.push_str(value);
            line.push(',');
        }
        let _infallible = writeln!(line, "\"{DELETED}\":true}}");
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_not_found_are_deleted_once_by_all_columns_of_their_key() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("t.jsonl");
        let lines = [
            r#"{"a":"1","b":"x","v":1}"#,
            r#"{"a":"1","b":"y","v":1}"#,
            r#"{"a":"1","b":"y","v":2}"#,
            r#"{"a":"2","b":"x","v":1}"#,
            r#"{"a":"2","b":"x","_deleted":true}"#,
            r#"{"a":"3","b":"é","v":1}"#,
            r#"{"a":3,"b":"é","v":1}"#,
        ];
        let mut text = lines.join("\n") + "\n";
        let length = text.len() as u64;
        text.push_str("{\"a\":\"torn");
        std::fs::write(&file, text).unwrap();

        let mut sweep = Sweep::of(&["a".to_owned(), "b".to_owned()]);
        let present = "{\"b\":\"x\",\"a\":\"1\"}\n{\"a\":\"3\",\"b\":\"\\u00e9\"}\n";
        sweep.note(present).unwrap();
        assert!(sweep.note("{\"a\":\"1\"}\n").is_err(), "half a key");
        let mut out = Vec::new();
        let swept = sweep.write_missing(&file, length, &mut out).unwrap();
        let expected = "{\"a\":\"1\",\"b\":\"y\",\"_deleted\":true}\n\
                        {\"a\":3,\"b\":\"é\",\"_deleted\":true}\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let bytes = expected.len() as u64;
        assert_eq!(swept, Swept { rows: 2, bytes });
    }
}
