//! Reading and writing single rows.

use std::cell::{Cell, OnceCell, RefCell};

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use super::{
    Author, SECURITY_TABLES, Slot, Store, StoreError, Value, activities,
    complete::Completer,
    layout::{Layout, parse_guid},
    remove_deletion, take_versions,
};
use crate::schema::{AlternateKey, Table};

/// One row with its version.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) version: i64,
    /// One value for each slot of the table's layout.
    pub(crate) values: Vec<Value>,
}

/// A row before and after a write.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) table: String,
    pub(crate) id: Uuid,
    /// The cells of the row as it was, unless it is new.
    pub(crate) before: Option<Vec<Value>>,
    /// The cells of the row as it is, unless it is gone.
    pub(crate) after: Option<Vec<Value>>,
}

/// A write transaction of the organization.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    store: &'a Store,
    connection: &'a Connection,
    security_changed: Cell<bool>,
    /// What has been written since the journal was started.
    journal: RefCell<Option<Vec<Change>>>,
    transaction: OnceCell<Uuid>,
}

/// The row of this key.
pub(crate) fn read_row(
    connection: &Connection,
    layout: &Layout,
    id: Uuid,
) -> Result<Option<Row>, StoreError> {
    let all: Vec<usize> = (0..layout.slots.len()).collect();
    let sql = format!(
        "SELECT \"$version\", {} FROM \"{}\" WHERE \"{}\" = ?1",
        layout.column_list(&all).join(", "),
        layout.table,
        layout.primary_id,
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let row = statement
        .query_row([id.to_string()], |row| {
            Ok(Row {
                id,
                version: row.get(0)?,
                values: layout.read_row(row, 1)?,
            })
        })
        .optional()?;
    Ok(row)
}

impl<'a> Writer<'a> {
    pub(super) fn new(store: &'a Store, connection: &'a Connection) -> Self {
        Self {
            store,
            connection,
            security_changed: Cell::new(false),
            journal: RefCell::default(),
            transaction: OnceCell::new(),
        }
    }

    /// From now on every written row is remembered.
    pub(crate) fn keep_journal(&self) {
        self.journal.borrow_mut().get_or_insert_default();
    }

    /// What has been written, in its order; nothing is remembered any more.
    pub(crate) fn take_journal(&self) -> Vec<Change> {
        self.journal.take().unwrap_or_default()
    }

    /// The transaction's own identifier.
    pub(crate) fn transaction(&self) -> Uuid {
        *self.transaction.get_or_init(Uuid::new_v4)
    }

    /// Carries out a part of the transaction; if it fails, nothing of that part remains.
    pub(crate) fn attempt<T, E: From<StoreError>>(
        &self,
        part: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let run = |sql: &str| {
            let done = self.connection.execute_batch(sql);
            done.map_err(|error| E::from(StoreError::Sqlite(error)))
        };
        let remembered = self.journal.borrow().as_ref().map(Vec::len);
        run("SAVEPOINT part")?;
        let outcome = part();
        if outcome.is_err() {
            run("ROLLBACK TO part")?;
            if let (Some(journal), Some(length)) = (self.journal.borrow_mut().as_mut(), remembered)
            {
                journal.truncate(length);
            }
        }
        run("RELEASE part")?;
        outcome
    }

    fn remember(&self, change: impl FnOnce() -> Change) {
        if let Some(journal) = self.journal.borrow_mut().as_mut() {
            journal.push(change());
        }
    }

    pub(crate) fn store(&self) -> &'a Store {
        self.store
    }

    pub(crate) fn connection(&self) -> &'a Connection {
        self.connection
    }

    pub(super) fn security_changed(&self) -> bool {
        self.security_changed.get()
    }

    pub(super) fn note_security_change(&self, table: &str) {
        if SECURITY_TABLES.contains(&table) {
            self.security_changed.set(true);
        }
    }

    pub(crate) fn completer(
        &self,
        table: &Table,
        author: Author,
    ) -> Result<Completer<'a>, StoreError> {
        let layout = self.store.layout(&table.logical_name)?;
        Ok(Completer::new(self.connection, layout, table, author))
    }

    /// The row of this key.
    pub(crate) fn row(&self, table: &str, id: Uuid) -> Result<Option<Row>, StoreError> {
        read_row(self.connection, self.store.layout(table)?, id)
    }

    /// Adds a row that is complete already; returns its version.
    pub(crate) fn insert(&self, table: &str, values: &[Value]) -> Result<i64, StoreError> {
        let layout = self.store.layout(table)?;
        let all: Vec<usize> = (0..layout.slots.len()).collect();
        let sql = layout.insert_sql(&all);
        let version = take_versions(self.connection, 1)?;
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.raw_bind_parameter(1, version)?;
        let mut parameter = 2;
        for (slot, value) in layout.slots.iter().zip(values) {
            parameter = layout.bind(&mut statement, slot, value, parameter)?;
        }
        statement.raw_execute()?;
        if let Some(id) = layout.get(values, &layout.primary_id).id() {
            remove_deletion(self.connection, table, id)?;
            activities::list(self.store, self.connection, layout, id)?;
            self.remember(|| Change {
                table: table.to_owned(),
                id,
                before: None,
                after: Some(values.to_vec()),
            });
        }
        self.note_security_change(table);
        Ok(version)
    }

    /// Adds a row from named values, filling what the platform fills; returns its key.
    pub(crate) fn create(
        &self,
        table: &str,
        author: Author,
        values: &[(&str, Value)],
    ) -> Result<Uuid, StoreError> {
        let layout = self.store.layout(table)?;
        let definition = self.store.table(table)?;
        let mut row = layout.empty_row();
        for (column, value) in values {
            if layout.position(column).is_none() {
                return Err(StoreError::UnknownColumn {
                    table: table.to_owned(),
                    column: (*column).to_owned(),
                });
            }
            layout.set(&mut row, column, value.clone());
        }
        let id = if let Some(id) = layout.get(&row, &layout.primary_id).id() {
            id
        } else {
            let id = Uuid::new_v4();
            layout.set(&mut row, &layout.primary_id, Value::Guid(id));
            id
        };
        self.completer(definition, author)?.complete(&mut row)?;
        self.insert(table, &row)?;
        Ok(id)
    }

    /// Writes the changed cells of a row; returns its new version.
    pub(crate) fn update(
        &self,
        table: &str,
        before: &Row,
        after: &[Value],
    ) -> Result<i64, StoreError> {
        let layout = self.store.layout(table)?;
        let changed: Vec<usize> = before
            .values
            .iter()
            .zip(after)
            .enumerate()
            .filter_map(|(at, (old, new))| (old != new).then_some(at))
            .collect();
        let mut assignments = vec!["\"$version\" = ?".to_owned()];
        assignments.extend(
            layout
                .column_list(&changed)
                .iter()
                .map(|name| format!("{name} = ?")),
        );
        let assignments = assignments.join(", ");
        let sql = format!(
            "UPDATE \"{}\" SET {assignments} WHERE \"{}\" = ?",
            layout.table, layout.primary_id,
        );
        let version = take_versions(self.connection, 1)?;
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.raw_bind_parameter(1, version)?;
        let mut parameter = 2;
        for at in changed {
            if let (Some(slot), Some(value)) = (layout.slots.get(at), after.get(at)) {
                parameter = layout.bind(&mut statement, slot, value, parameter)?;
            }
        }
        statement.raw_bind_parameter(parameter, before.id.to_string())?;
        statement.raw_execute()?;
        activities::list(self.store, self.connection, layout, before.id)?;
        self.remember(|| Change {
            table: table.to_owned(),
            id: before.id,
            before: Some(before.values.clone()),
            after: Some(after.to_vec()),
        });
        self.note_security_change(table);
        Ok(version)
    }

    /// Removes a row and leaves its tombstone; returns whether there was one.
    pub(crate) fn delete(&self, table: &str, id: Uuid) -> Result<bool, StoreError> {
        let layout = self.store.layout(table)?;
        let watched = self.journal.borrow().is_some();
        let before = if watched { self.row(table, id)? } else { None };
        let sql = format!(
            "DELETE FROM \"{}\" WHERE \"{}\" = ?1",
            layout.table, layout.primary_id
        );
        let deleted = self
            .connection
            .prepare_cached(&sql)?
            .execute([id.to_string()])?
            > 0;
        if deleted {
            let version = take_versions(self.connection, 1)?;
            self.connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO \"$tombstone\" (\"table\", id, version) \
                     VALUES (?1, ?2, ?3)",
                )?
                .execute((table, id.to_string(), version))?;
            if activities::are_listed(self.store, layout)? {
                self.delete(activities::TABLE, id)?;
            }
            self.remember(|| Change {
                table: table.to_owned(),
                id,
                before: before.map(|row| row.values),
                after: None,
            });
            self.note_security_change(table);
        }
        Ok(deleted)
    }

    /// Keys of the rows whose lookup refers to this row.
    pub(crate) fn referring(
        &self,
        table: &str,
        column: &str,
        id: Uuid,
    ) -> Result<Vec<Uuid>, StoreError> {
        let layout = self.store.layout(table)?;
        if layout.position(column).is_none() || !self.store.has_made(table) {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT \"{}\" FROM \"{table}\" WHERE \"{column}\" = ?1",
            layout.primary_id
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([id.to_string()], |row| {
            Ok(parse_guid(row.get_ref(0)?.as_str()?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The alternate key that a row would share with another row.
    pub(crate) fn violated_key<'t>(
        &self,
        table: &'t Table,
        values: &[Value],
        id: Uuid,
    ) -> Result<Option<&'t AlternateKey>, StoreError> {
        for key in table.active_keys() {
            let columns: Vec<&str> = key.columns.iter().map(String::as_str).collect();
            if self.is_shared(&table.logical_name, &columns, values, id)? {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// Whether a row but this one has the same values in these columns; null is never the same.
    pub(crate) fn is_shared(
        &self,
        table: &str,
        columns: &[&str],
        values: &[Value],
        id: Uuid,
    ) -> Result<bool, StoreError> {
        let layout = self.store.layout(table)?;
        let positions: Vec<usize> = columns
            .iter()
            .filter_map(|column| layout.position(column))
            .collect();
        let slots = positions.iter().filter_map(|&at| layout.slots.get(at));
        let slots: Vec<&Slot> = slots.collect();
        if slots
            .iter()
            .any(|slot| *layout.get(values, &slot.name) == Value::Null)
        {
            return Ok(false);
        }
        // A lookup's companion is compared too, so that each value binds as it is stored.
        let conditions: Vec<String> = layout
            .column_list(&positions)
            .iter()
            .map(|name| format!("{name} = ?"))
            .collect();
        let sql = format!(
            "SELECT 1 FROM \"{}\" WHERE \"{}\" <> ? AND {}",
            layout.table,
            layout.primary_id,
            conditions.join(" AND ")
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.raw_bind_parameter(1, id.to_string())?;
        let mut parameter = 2;
        for slot in slots {
            let value = layout.get(values, &slot.name);
            parameter = layout.bind(&mut statement, slot, value, parameter)?;
        }
        Ok(statement.raw_query().next()?.is_some())
    }
}
