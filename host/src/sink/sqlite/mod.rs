//! An SQLite database: a table per stream ([`stored_name`]), always equal to the service as of the
//! checkpoint.
//!
//! Rows and checkpoint change in one transaction. A full read fills a table of its own,
//! `_sync_new_<table>`, which replaces the old one when it is complete; indexes and triggers of the
//! old table are created again on the new one. `_sync_state` holds the checkpoint of each stream.
//!
//! Tables are `STRICT`, so that SQLite converts no value:
//!
//! | in the row schema | column | holds |
//! | --- | --- | --- |
//! | `integer` | `INTEGER` | 64-bit integers |
//! | `boolean` | `INTEGER` | 0 and 1 |
//! | `number` marked as `floating-point`, `double` or `float` | `REAL` | binary numbers |
//! | any other `number` | `TEXT` | the number as written, exact |
//! | `string` | `TEXT` | |
//! | `object`, `array` | `TEXT` | JSON |
//! | anything else, or not in the schema | `ANY` | 64-bit integers as such, the rest as text |
//!
//! Columns that the schema gains are added, those it loses are kept. A column whose type changes
//! keeps its values and accepts any from then on (`ANY`; `TEXT` stores all as text); the next full
//! read gives it its new type.

mod column;
mod error;
mod row;
mod sweep;
mod table;

use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::lock::lock;
use super::{Applied, Sink, SinkError, stored_name};
use crate::contract::{Event, Operation, Page, Schema};
use column::Layout;
use error::{Failure, failed};
use sweep::Sweep;
use table::Table;

/// A database file.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    connection: Connection,
    streams: HashMap<String, Stream>,
    _lock: File,
}

/// What is known of a stream in this run.
#[derive(Debug, Default)]
struct Stream {
    layout: Layout,
    /// The table that pages are written to; none before the first page.
    table: Option<Table>,
    /// The sweep that is running.
    sweep: Option<Sweep>,
}

impl Sqlite {
    /// Opens or creates the database. A lock file beside it, `<file>.lock`, keeps a second sync
    /// out.
    ///
    /// # Errors
    /// [`SinkError::InUse`] when another sync has the database open, [`SinkError::Io`] and
    /// [`SinkError::Target`] when it cannot be opened.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, SinkError> {
        let path = path.into();
        if path.is_dir() {
            let source = ErrorKind::IsADirectory.into();
            return Err(SinkError::io("opened as a database", path)(source));
        }
        let mut lock_path = path.clone().into_os_string();
        lock_path.push(".lock");
        let lock = lock(Path::new(&lock_path), &path)?;
        let connection = connect(&path).map_err(failed("opening it", &path))?;
        Ok(Self {
            path,
            connection,
            streams: HashMap::new(),
            _lock: lock,
        })
    }

    /// The checkpoint to resume from, and whether the table that belongs to it exists.
    fn stored_with_table(&self, stream: &str) -> rusqlite::Result<Option<(String, bool)>> {
        let Some(Stored {
            full_read,
            checkpoint: Some(checkpoint),
        }) = Stored::of(&self.connection, stream)?
        else {
            return Ok(None);
        };
        let mut name = stored_name(stream);
        if full_read {
            name = table::staging(&name);
        }
        Ok(Some((checkpoint, table::exists(&self.connection, &name)?)))
    }

    fn schema(&mut self, schema: &Schema) -> Result<(), SinkError> {
        let layout = Layout::parse(schema).map_err(|reason| SinkError::Data {
            stream: schema.stream.clone(),
            reason,
        })?;
        self.streams.insert(
            schema.stream.clone(),
            Stream {
                layout,
                ..Stream::default()
            },
        );
        Ok(())
    }

    fn reset(&mut self, stream: &str) -> Result<(), SinkError> {
        self.in_transaction(stream, "beginning a full read", |tx, known| {
            known.table = None;
            known.sweep = None;
            let stored = Stored::of(tx, stream)?;
            let name = stored_name(stream);
            if stored.is_none() && table::exists(tx, &name)? {
                return Err(Failure::Stream(
                    "the database has a table of this name that no sync created; rename or drop it"
                        .to_owned(),
                ));
            }
            table::drop(tx, &table::staging(&name))?;
            tx.execute(
                "INSERT INTO _sync_state (stream, full_read) VALUES (?1, 1)
                 ON CONFLICT (stream) DO UPDATE SET full_read = 1, full_read_checkpoint = NULL",
                params![stream],
            )?;
            Ok(())
        })
    }

    fn page(&mut self, page: &Page) -> Result<(), SinkError> {
        let what = format!("storing rows of `{}`", page.stream);
        self.in_transaction(&page.stream, &what, |tx, known| {
            let full_read = Stored::of(tx, &page.stream)?.is_some_and(|stored| stored.full_read);
            let sweep = known.sweep.take();
            let table = known.table(tx, &page.stream, full_read)?;
            let count = match (page.operation, &sweep) {
                (Operation::Delete, _) => table.delete(tx, &page.ndjson)?,
                (Operation::Snapshot | Operation::Upsert, sweep) => {
                    if let Some(sweep) = sweep {
                        sweep.note(tx, table, &page.ndjson)?;
                    }
                    table.upsert(tx, &page.ndjson)?
                }
                (Operation::Present, Some(sweep)) => sweep.note(tx, table, &page.ndjson)?,
                (Operation::Present, None) => {
                    return Err(Failure::Data("keys outside of a sweep".to_owned()));
                }
            };
            known.sweep = sweep;
            if count != page.count {
                return Err(Failure::Data(format!(
                    "a page of {} rows holds {count}",
                    page.count
                )));
            }
            let set = if full_read {
                "full_read_checkpoint"
            } else {
                "checkpoint"
            };
            tx.prepare_cached(&format!(
                "INSERT INTO _sync_state (stream, {set}) VALUES (?1, ?2)
                 ON CONFLICT (stream) DO UPDATE SET {set} = excluded.{set}"
            ))?
            .execute(params![page.stream, page.checkpoint])?;
            Ok(())
        })
    }

    fn sweep(&mut self, stream: &str) -> Result<(), SinkError> {
        self.in_transaction(stream, "beginning a sweep", |tx, known| {
            let full_read = Stored::of(tx, stream)?.is_some_and(|stored| stored.full_read);
            let table = known.table(tx, stream, full_read)?;
            known.sweep = Some(Sweep::begin(tx, stream, table)?);
            Ok(())
        })
    }

    fn complete(&mut self, stream: &str) -> Result<Applied, SinkError> {
        self.in_transaction(stream, "completing a read", |tx, known| {
            let full_read = Stored::of(tx, stream)?.is_some_and(|stored| stored.full_read);
            let mut applied = Applied::default();
            if let Some(sweep) = known.sweep.take() {
                applied.swept = sweep.end(tx, known.table(tx, stream, full_read)?)?;
            }
            if full_read {
                // A stream without rows has a table as well.
                known.table(tx, stream, true)?;
                known.table = None;
                let name = stored_name(stream);
                table::replace(tx, &table::staging(&name), &name)?;
                tx.execute(
                    "UPDATE _sync_state SET checkpoint = full_read_checkpoint,
                         full_read_checkpoint = NULL, full_read = 0 WHERE stream = ?1",
                    params![stream],
                )?;
            }
            Ok(applied)
        })
    }

    fn failed(&mut self, stream: &str) {
        if let Some(known) = self.streams.get_mut(stream) {
            known.sweep = None;
        }
    }

    /// Runs `work` in a transaction that is committed when this returns, or rolled back.
    fn in_transaction<T>(
        &mut self,
        stream: &str,
        what: &str,
        work: impl FnOnce(&Transaction<'_>, &mut Stream) -> Result<T, Failure>,
    ) -> Result<T, SinkError> {
        if let Err(reason) = table::check_name(stream) {
            return Err(SinkError::Stream {
                stream: stream.to_owned(),
                reason: reason.to_owned(),
            });
        }
        let known = self.streams.entry(stream.to_owned()).or_default();
        let outcome = self
            .connection
            .transaction()
            .map_err(Failure::from)
            .and_then(|tx| {
                let done = work(&tx, known)?;
                tx.commit()?;
                Ok(done)
            });
        outcome.map_err(|failure| {
            // The state in memory may be ahead of what was rolled back.
            known.table = None;
            known.sweep = None;
            match failure {
                Failure::Database(source) => failed(what, &self.path)(source),
                Failure::Data(reason) => SinkError::Data {
                    stream: stream.to_owned(),
                    reason,
                },
                Failure::Stream(reason) => SinkError::Stream {
                    stream: stream.to_owned(),
                    reason,
                },
            }
        })
    }
}

impl Stream {
    /// The table that rows are written to now, created or widened to the schema on first use.
    fn table(
        &mut self,
        tx: &Transaction<'_>,
        stream: &str,
        full_read: bool,
    ) -> Result<&mut Table, Failure> {
        let table = if let Some(table) = self.table.take() {
            table
        } else {
            let mut name = stored_name(stream);
            if full_read {
                name = table::staging(&name);
            }
            Table::open(tx, name, &self.layout)?
        };
        Ok(self.table.insert(table))
    }
}

impl Sink for Sqlite {
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError> {
        let stored = self.stored_with_table(stream);
        let stored = stored.map_err(failed("reading the checkpoints", &self.path))?;
        match stored {
            None => Ok(None),
            Some((checkpoint, true)) => Ok(Some(checkpoint)),
            // Resuming without the rows read so far would lose them.
            Some((_, false)) => Err(SinkError::changed(
                &self.path,
                format!(
                    "no longer has the table of the stream `{stream}`; restore it, or read the \
                     stream in full again"
                ),
            )),
        }
    }

    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError> {
        match event {
            Event::Schema(schema) => self.schema(schema)?,
            Event::Reset(reset) => self.reset(&reset.stream)?,
            Event::Page(page) => self.page(page)?,
            Event::Sweep(stream) => self.sweep(stream)?,
            Event::Complete(stream) => return self.complete(stream),
            Event::Failed(failure) => self.failed(&failure.stream),
            Event::Warning(_) => {}
        }
        Ok(Applied::default())
    }
}

/// A row of `_sync_state`.
struct Stored {
    full_read: bool,
    /// The one to resume from: that of the full read while one is running.
    checkpoint: Option<String>,
}

impl Stored {
    fn of(connection: &Connection, stream: &str) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached(
                "SELECT full_read, iif(full_read, full_read_checkpoint, checkpoint)
                 FROM _sync_state WHERE stream = ?1",
            )?
            .query_row(params![stream], |row| {
                Ok(Self {
                    full_read: row.get(0)?,
                    checkpoint: row.get(1)?,
                })
            })
            .optional()
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    // Rows and checkpoint share a transaction, so a power cut that takes the last of them leaves
    // a consistent, slightly older database: NORMAL is enough with WAL.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = NORMAL;
         PRAGMA cache_size = -16384;
         PRAGMA legacy_alter_table = ON;
         CREATE TABLE IF NOT EXISTS _sync_state (
             stream TEXT NOT NULL PRIMARY KEY,
             checkpoint TEXT,
             full_read INTEGER NOT NULL DEFAULT 0,
             full_read_checkpoint TEXT
         ) STRICT;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

#[cfg(test)]
mod tests;
