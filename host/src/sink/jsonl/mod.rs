//! JSON Lines: a file per stream, to which rows and deletions are appended in the order of their
//! events.
//!
//! `<stream>.jsonl` ([`stored_name`]) holds rows as the connector wrote them. A deletion is a line
//! with the row's key and `"_deleted":true`; a row that a sweep did not find is deleted likewise.
//! `state.json` holds, per stream, the checkpoint and the length of the file that belongs to it.
//! The next start cuts off what a crash left beyond that length, so every row is there exactly
//! once. A full read is written to `<stream>.jsonl.new`, which replaces the old file when it is
//! complete.

mod state;
mod sweep;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::lock::lock;
use super::{Applied, Sink, SinkError, stored_name};
use crate::contract::{Event, Operation, Page};
use state::{Part, State};
use sweep::Sweep;

/// The member that marks a deletion.
const DELETED: &str = "_deleted";

/// A directory of JSON Lines files.
#[derive(Debug)]
pub struct JsonLines {
    directory: PathBuf,
    state: State,
    /// Files open for appending, each cut to its recorded length.
    files: HashMap<PathBuf, File>,
    /// The primary keys of streams, from their schemas in this sync.
    keys: HashMap<String, Vec<String>>,
    /// The sweeps that are running, by stream.
    sweeps: HashMap<String, Sweep>,
    _lock: File,
}

impl JsonLines {
    /// Opens or creates the directory, and repairs what a crash left behind.
    ///
    /// # Errors
    /// [`SinkError::InUse`] when another sync has the directory open, [`SinkError::Changed`] when
    /// its files were changed, [`SinkError::Io`] when the file system refuses.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, SinkError> {
        let directory = directory.into();
        std::fs::create_dir_all(&directory).map_err(SinkError::io("created", &directory))?;
        let lock = lock(&directory.join(".lock"), &directory)?;
        let state = State::load(&directory)?;
        let mut sink = Self {
            directory,
            state,
            files: HashMap::new(),
            keys: HashMap::new(),
            sweeps: HashMap::new(),
            _lock: lock,
        };
        let promoting: Vec<String> = sink.state.promoting().map(str::to_owned).collect();
        for stream in promoting {
            sink.promote(&stream)?;
        }
        for (stream, state) in sink.state.iter() {
            cut(&sink.current_file(stream), state.current.bytes)?;
        }
        Ok(sink)
    }

    fn current_file(&self, stream: &str) -> PathBuf {
        self.directory
            .join(format!("{}.jsonl", stored_name(stream)))
    }

    fn fresh_file(&self, stream: &str) -> PathBuf {
        self.directory
            .join(format!("{}.jsonl.new", stored_name(stream)))
    }

    fn reset(&mut self, stream: &str) -> Result<(), SinkError> {
        self.sweeps.remove(stream);
        let path = self.fresh_file(stream);
        self.files.remove(&path);
        // The state first: if the file were emptied and the state not written, the next start
        // would miss the bytes it expects.
        self.state.stream(stream).fresh = Some(Part::default());
        self.state.save(&self.directory)?;
        File::create(&path).map_err(SinkError::io("created", &path))?;
        Ok(())
    }

    /// The file that pages are appended to, and its durable length.
    fn part(&mut self, stream: &str) -> (PathBuf, u64) {
        let fresh = self.state.stream(stream).fresh.is_some();
        let path = if fresh {
            self.fresh_file(stream)
        } else {
            self.current_file(stream)
        };
        (path, self.state.stream(stream).part().bytes)
    }

    /// A file open for appending after its first `length` bytes.
    fn open_file(&mut self, path: &Path, length: u64) -> Result<&mut File, SinkError> {
        Ok(match self.files.entry(path.to_owned()) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(open_at(path, length)?)
            }
        })
    }

    fn append(&mut self, page: &Page) -> Result<(), SinkError> {
        let (path, length) = self.part(&page.stream);
        let file = self.open_file(&path, length)?;
        let marked;
        let text = if page.operation == Operation::Delete {
            marked = mark_deleted(page)?;
            &marked
        } else {
            &page.ndjson
        };
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_data());
        if let Err(error) = written {
            // The next write opens the file again and cuts off what was written in part.
            self.files.remove(&path);
            return Err(SinkError::io("written", path)(error));
        }
        let part = self.state.stream(&page.stream).part();
        part.bytes = length + text.len() as u64;
        part.checkpoint = Some(page.checkpoint.clone());
        self.state.save(&self.directory)
    }

    fn page(&mut self, page: &Page) -> Result<(), SinkError> {
        let sweep = self.sweeps.get_mut(&page.stream);
        let data = |reason: String| SinkError::Data {
            stream: page.stream.clone(),
            reason: format!("a row {reason}"),
        };
        match (page.operation, sweep) {
            (Operation::Delete, _) | (Operation::Snapshot | Operation::Upsert, None) => {
                self.append(page)
            }
            (Operation::Snapshot | Operation::Upsert, Some(sweep)) => {
                sweep.note(&page.ndjson).map_err(data)?;
                self.append(page)
            }
            (Operation::Present, Some(sweep)) => {
                sweep.note(&page.ndjson).map_err(data)?;
                let part = self.state.stream(&page.stream).part();
                if part.checkpoint.as_ref() == Some(&page.checkpoint) {
                    return Ok(());
                }
                part.checkpoint = Some(page.checkpoint.clone());
                self.state.save(&self.directory)
            }
            (Operation::Present, None) => Err(data("key outside of a sweep".to_owned())),
        }
    }

    fn sweep(&mut self, stream: &str) -> Result<(), SinkError> {
        let key = self.keys.get(stream).filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| SinkError::Data {
            stream: stream.to_owned(),
            reason: "a sweep of a stream without a primary key".to_owned(),
        })?;
        self.sweeps.insert(stream.to_owned(), Sweep::of(key));
        Ok(())
    }

    fn complete(&mut self, stream: &str) -> Result<Applied, SinkError> {
        let mut applied = Applied::default();
        if let Some(sweep) = self.sweeps.remove(stream) {
            applied.swept = self.delete_missing(stream, sweep)?;
        }
        if self.state.stream(stream).fresh.is_some() {
            self.state.stream(stream).promoting = true;
            self.state.save(&self.directory)?;
            self.promote(stream)?;
        }
        Ok(applied)
    }

    /// Appends deletions for the rows that a sweep did not find.
    fn delete_missing(&mut self, stream: &str, sweep: Sweep) -> Result<u64, SinkError> {
        let (path, length) = self.part(stream);
        if length == 0 {
            return Ok(0);
        }
        let file = &*self.open_file(&path, length)?;
        let written = sweep
            .write_missing(&path, length, &mut BufWriter::new(file))
            .and_then(|swept| {
                file.sync_data().map_err(SinkError::io("written", &path))?;
                Ok(swept)
            });
        let swept = written.inspect_err(|_| {
            self.files.remove(&path);
        })?;
        if swept.rows > 0 {
            self.state.stream(stream).part().bytes = length + swept.bytes;
            self.state.save(&self.directory)?;
        }
        Ok(swept.rows)
    }

    /// Replaces the current file by the fresh one. The state records the intention first, so that
    /// this can be repeated after a crash at any step.
    fn promote(&mut self, stream: &str) -> Result<(), SinkError> {
        let (fresh, current) = (self.fresh_file(stream), self.current_file(stream));
        self.files.remove(&fresh);
        self.files.remove(&current);
        let length = self.state.stream(stream).part().bytes;
        if fresh.exists() {
            drop(open_at(&fresh, length)?);
            std::fs::rename(&fresh, &current).map_err(SinkError::io("renamed", &fresh))?;
            sync_directory(&self.directory)?;
        }
        let entry = self.state.stream(stream);
        entry.promoting = false;
        if let Some(part) = entry.fresh.take() {
            entry.current = part;
        }
        self.state.save(&self.directory)
    }
}

impl Sink for JsonLines {
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError> {
        let Some(entry) = self.state.get(stream) else {
            return Ok(None);
        };
        let (part, path) = match &entry.fresh {
            Some(fresh) => (fresh, self.fresh_file(stream)),
            None => (&entry.current, self.current_file(stream)),
        };
        // Resuming after rows that are missing would lose them.
        if part.checkpoint.is_some() {
            expect_length(&path, part.bytes)?;
        }
        Ok(part.checkpoint.clone())
    }

    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError> {
        match event {
            Event::Schema(schema) => {
                self.sweeps.remove(&schema.stream);
                self.keys
                    .insert(schema.stream.clone(), schema.primary_key.clone());
            }
            Event::Reset(reset) => self.reset(&reset.stream)?,
            Event::Page(page) => self.page(page)?,
            Event::Sweep(stream) => self.sweep(stream)?,
            Event::Complete(stream) => return self.complete(stream),
            Event::Failed(failure) => {
                self.sweeps.remove(&failure.stream);
            }
            Event::Warning(_) => {}
        }
        Ok(Applied::default())
    }
}

/// Opens a file for appending after its first `length` bytes, and drops the rest.
fn open_at(path: &Path, length: u64) -> Result<File, SinkError> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .map_err(SinkError::io("opened", path))?;
    expect_length(path, length)?;
    file.set_len(length).map_err(SinkError::io("cut", path))?;
    Ok(file)
}

/// Drops what a crash left beyond the first `length` bytes, so that readers do not see it.
fn cut(path: &Path, length: u64) -> Result<(), SinkError> {
    if std::fs::metadata(path).is_ok_and(|found| found.len() > length) {
        open_at(path, length)?;
    }
    Ok(())
}

fn expect_length(path: &Path, length: u64) -> Result<(), SinkError> {
    let found = match std::fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => return Err(SinkError::io("read", path)(error)),
    };
    if found < length {
        let reason = format!(
            "has {found} bytes, but {length} were written; restore it, or read the stream in full \
             again"
        );
        return Err(SinkError::changed(path, reason));
    }
    Ok(())
}

/// The keys of deleted rows, each marked as a deletion.
fn mark_deleted(page: &Page) -> Result<String, SinkError> {
    let mut marked = String::with_capacity(page.ndjson.len() + 18 * page.count as usize);
    for line in page.ndjson.lines() {
        let members = line
            .trim_end()
            .strip_suffix('}')
            .ok_or_else(|| SinkError::Data {
                stream: page.stream.clone(),
                reason: "a deletion is not a JSON object".to_owned(),
            })?;
        marked.push_str(members);
        if !members.trim_end().ends_with('{') {
            marked.push(',');
        }
        let _infallible = writeln!(marked, "\"{DELETED}\":true}}");
    }
    Ok(marked)
}

/// Makes a rename in the directory durable.
fn sync_directory(directory: &Path) -> Result<(), SinkError> {
    if cfg!(unix) {
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(SinkError::io("synchronised", directory))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
