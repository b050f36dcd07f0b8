//! The organization's database: rows, versions, deletions.
//!
//! Rows live in SQLite, one real table for each table of the schema (see [`layout`]). One counter
//! numbers every write of the organization; a row carries the number of its last write, and a
//! deleted row leaves a tombstone with the number of its deletion. Change tracking needs no more.

mod activities;
mod complete;
mod compose;
mod definitions;
mod files;
pub(crate) mod layout;
mod load;
mod rows;
mod stored;
mod text;
mod value;

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tempfile::TempDir;
use thiserror::Error;
use uuid::Uuid;

pub(crate) use complete::Author;
pub(crate) use definitions::changes_after;
pub(crate) use files::{StoredFile, read_file};
pub(crate) use layout::{Layout, Slot};
pub(crate) use rows::{Change, Row, Writer, read_row};
pub(crate) use stored::{MONEY_SCALE, Stored};
pub(crate) use text::COLLATE;
pub use value::{Decimal, NotADecimal, Value};

use crate::{
    clock::Clock,
    schema::{Schema, Table, UnusableChange},
};

/// The version of the first row: real organizations do not begin at zero either.
const FIRST_VERSION: i64 = 1_000_000;

/// Tables whose rows decide who may do what.
const SECURITY_TABLES: [&str; 15] = [
    "usersettings",
    "fieldpermission",
    "fieldsecurityprofile",
    "systemuserprofiles",
    "teamprofiles",
    "systemuser",
    "team",
    "businessunit",
    "role",
    "roleprivileges",
    "privilege",
    "systemuserroles",
    "teamroles",
    "teammembership",
    "principalobjectaccess",
];

/// Something the database cannot do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// SQLite reported an error.
    #[error("the organization's database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The directory of a temporary organization could not be made.
    #[error("cannot create a temporary file for the organization's database: {0}")]
    Temporary(#[source] std::io::Error),
    /// The file was written with another schema.
    #[error(
        "{path} was written with another schema; delete the file, or use the emulator version that wrote it"
    )]
    OtherSchema {
        /// The database file.
        path: PathBuf,
    },
    /// The table is not part of the organization's schema.
    #[error("the organization has no table '{0}'")]
    UnknownTable(String),
    /// The column is not part of the table, or holds no value of its own.
    #[error("table '{table}' has no stored column '{column}'")]
    UnknownColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A change does not fit the schema.
    #[error(transparent)]
    Change(#[from] UnusableChange),
    /// A change of the schema cannot be kept in the file, or read from it.
    #[error("a change of the schema cannot be read or written: {0}")]
    Log(#[from] serde_json::Error),
    /// A row has more or fewer values than columns were named.
    #[error("a row for table '{table}' has {found} values instead of {expected}")]
    RowLength {
        /// The table.
        table: String,
        /// How many values there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A value is not of its column's type, or out of its range.
    #[error("column '{column}' of table '{table}' cannot hold {value}")]
    WrongValue {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The value, as a developer would write it.
        value: String,
    },
}

impl StoreError {
    /// The table that a statement needs and the database does not have yet.
    pub(crate) fn missing_table(&self) -> Option<String> {
        let Self::Sqlite(error) = self else {
            return None;
        };
        let text = error.to_string();
        let (_, rest) = text.split_once("no such table: ")?;
        let name = rest.split([' ', '\n']).next()?;
        Some(name.trim_start_matches("main.").to_owned())
    }
}

/// The rows of one organization, by the schema it has at one time.
#[derive(Debug)]
pub struct Store {
    schema: Arc<Schema>,
    layouts: HashMap<String, OnceLock<Arc<Layout>>>,
    clock: Clock,
    database: Arc<Database>,
}

/// The database file and the connections to it.
#[derive(Debug)]
struct Database {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    security_generation: AtomicU64,
    /// Tables on demand that are not created yet.
    unmade: Mutex<HashSet<String>>,
    /// Deletes the file when the store goes away.
    _temporary: Option<TempDir>,
}

impl Store {
    /// An empty organization in a temporary file that goes away with the store.
    ///
    /// # Errors
    ///
    /// When the file cannot be created.
    pub fn temporary(schema: Arc<Schema>, clock: Clock) -> Result<Self, StoreError> {
        let directory = tempfile::Builder::new()
            .prefix("dataverse-emulator-")
            .tempdir()
            .map_err(StoreError::Temporary)?;
        let path = directory.path().join("organization.db");
        Self::open_file(path, schema, clock, Some(directory))
    }

    /// The organization in this file, which is created if it does not exist. If it exists, the
    /// changes made to its schema are carried out on the one given.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, or holds no organization of this version.
    pub fn open(path: &Path, schema: Arc<Schema>, clock: Clock) -> Result<Self, StoreError> {
        Self::open_file(path.to_owned(), schema, clock, None)
    }

    fn open_file(
        path: PathBuf,
        schema: Arc<Schema>,
        clock: Clock,
        temporary: Option<TempDir>,
    ) -> Result<Self, StoreError> {
        let mut writer = Connection::open(&path)?;
        configure(&writer)?;
        writer.pragma_update(None, "journal_mode", "wal")?;
        let durable = if temporary.is_some() { "off" } else { "normal" };
        writer.pragma_update(None, "synchronous", durable)?;
        definitions::create_tables(&mut writer, &schema, &path)?;
        let schema = definitions::replay(&writer, schema)?;
        let unmade = definitions::unmade_tables(&writer, &schema)?;
        let database = Database {
            path,
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            security_generation: AtomicU64::new(0),
            unmade: Mutex::new(unmade),
            _temporary: temporary,
        };
        Ok(Self {
            layouts: definitions::layouts(&schema),
            schema,
            clock,
            database: Arc::new(database),
        })
    }

    /// The tables of the organization.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The organization's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether the table has no rows.
    ///
    /// # Errors
    ///
    /// When the table does not exist or the database fails.
    pub fn is_empty(&self, table: &str) -> Result<bool, StoreError> {
        Ok(self.count(table)? == 0)
    }

    /// How many rows the table has.
    ///
    /// # Errors
    ///
    /// When the table does not exist or the database fails.
    pub fn count(&self, table: &str) -> Result<u64, StoreError> {
        if !self.has_made(table) {
            return Ok(0);
        }
        let layout = self.layout(table)?;
        self.read(|connection| {
            let sql = format!("SELECT count(*) FROM \"{}\"", layout.table);
            let count: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
            Ok(u64::try_from(count).unwrap_or(0))
        })
    }

    /// The keys of up to `limit` rows of the table, in the order of the keys.
    ///
    /// # Errors
    ///
    /// When the table does not exist or the database fails.
    pub fn ids(&self, table: &str, limit: usize) -> Result<Vec<Uuid>, StoreError> {
        let layout = self.layout(table)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| {
            let key = &layout.primary_id;
            let sql = format!(
                "SELECT \"{key}\" FROM \"{}\" ORDER BY 1 LIMIT ?1",
                layout.table
            );
            let mut statement = connection.prepare(&sql)?;
            let ids = statement.query_map([limit], |row| {
                Ok(layout::parse_guid(row.get_ref(0)?.as_str()?))
            })?;
            Ok(ids.collect::<Result<_, _>>()?)
        })
    }

    pub(crate) fn layout(&self, table: &str) -> Result<&Layout, StoreError> {
        let unknown = || StoreError::UnknownTable(table.to_owned());
        let layout = self.layouts.get(table).ok_or_else(unknown)?;
        let table = self.table(table)?;
        Ok(layout.get_or_init(|| Arc::new(Layout::of(table))))
    }

    /// The table's schema, by logical name.
    pub(crate) fn table(&self, table: &str) -> Result<&Table, StoreError> {
        self.schema
            .table(table)
            .ok_or_else(|| StoreError::UnknownTable(table.to_owned()))
    }

    /// Runs a read on a connection of its own, all of it on one state of the database.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let pooled = lock(&self.database.readers).pop();
        let mut connection = match pooled {
            Some(connection) => connection,
            None => self.open_reader().map_err(|error| E::from(error.into()))?,
        };
        let result = {
            let transaction = connection
                .transaction()
                .map_err(|error| E::from(StoreError::Sqlite(error)))?;
            read(&transaction)
        };
        lock(&self.database.readers).push(connection);
        result
    }

    /// Runs a write; if it fails, nothing of it remains.
    pub(crate) fn write<T, E: From<StoreError>>(
        &self,
        write: impl FnOnce(&Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let failed = |error: rusqlite::Error| E::from(StoreError::Sqlite(error));
        let mut connection = lock(&self.database.writer);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let writer = Writer::new(self, &transaction);
        let result = write(&writer)?;
        let security_changed = writer.security_changed();
        transaction.commit().map_err(failed)?;
        if security_changed {
            let generation = &self.database.security_generation;
            generation.fetch_add(1, Ordering::SeqCst);
        }
        Ok(result)
    }

    /// A number that changes whenever roles, memberships or users do.
    pub(crate) fn security_generation(&self) -> u64 {
        self.database.security_generation.load(Ordering::SeqCst)
    }

    fn open_reader(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.database.path, flags)?;
        configure(&connection)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    }
}

/// The version of the organization's last write.
pub(crate) fn current_version(connection: &Connection) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM \"$counter\"")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Takes the next `count` versions; returns the last of them.
fn take_versions(connection: &Connection, count: i64) -> Result<i64, StoreError> {
    let mut statement =
        connection.prepare_cached("UPDATE \"$counter\" SET value = value + ?1 RETURNING value")?;
    Ok(statement.query_row([count], |row| row.get(0))?)
}

/// Removes the tombstone of a row, if it was deleted before.
fn remove_deletion(connection: &Connection, table: &str, id: Uuid) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM \"$tombstone\" WHERE \"table\" = ?1 AND id = ?2")?
        .execute((table, id.to_string()))?;
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    text::register(connection)?;
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "mmap_size", 1_i64 << 32)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(())
}
