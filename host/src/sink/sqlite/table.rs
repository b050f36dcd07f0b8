//! One table: created from a layout, widened when columns appear, written and deleted by key.

use std::collections::HashMap;

use rusqlite::{Connection, Statement, Transaction, params};

use super::column::{Column, Kind, Layout};
use super::error::Failure;
use super::row::to_sql;
use crate::sink::members::for_each_member;

/// The table of a full read that is not complete.
pub(super) fn staging(table: &str) -> String {
    format!("_sync_new_{table}")
}

/// Refuses names that SQLite or this sink reserves.
pub(super) fn check_name(stream: &str) -> Result<(), &'static str> {
    if stream.is_empty() {
        Err("a table needs a name")
    } else if stream.starts_with("sqlite_") || stream.starts_with("_sync_") {
        Err("names that begin with sqlite_ or _sync_ are reserved")
    } else {
        Ok(())
    }
}

pub(super) fn exists(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE")?
        .exists(params![table])
}

pub(super) fn drop(connection: &Connection, table: &str) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(table)))
}

/// Replaces a table by another, which gets its indexes and triggers.
pub(super) fn replace(tx: &Transaction<'_>, new: &str, old: &str) -> Result<(), Failure> {
    let belongings: Vec<(String, String)> = tx
        .prepare_cached(
            "SELECT type || ' ' || name, sql FROM sqlite_schema
             WHERE tbl_name = ?1 AND type IN ('index', 'trigger') AND sql IS NOT NULL",
        )?
        .query_map(params![old], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    drop(tx, old)?;
    tx.execute_batch(&format!(
        "ALTER TABLE {} RENAME TO {}",
        quoted(new),
        quoted(old)
    ))?;
    for (name, sql) in belongings {
        // A user created it, perhaps on columns that are gone: this sink must not drop it.
        tx.execute_batch(&sql).map_err(|error| match error {
            rusqlite::Error::SqlInputError { msg, .. } => Failure::Stream(format!(
                "the {name} cannot be created again on the new table `{old}` ({msg}); drop it and \
                 run the sync again, stored rows are kept"
            )),
            error => error.into(),
        })?;
    }
    Ok(())
}

/// A table and the positions of its columns.
#[derive(Debug)]
pub(super) struct Table {
    name: String,
    columns: Vec<Column>,
    by_name: HashMap<String, usize>,
    key: Vec<String>,
}

impl Table {
    /// Opens or creates the table, adds columns that are new in the layout, and lets columns whose
    /// type changed hold any value.
    pub(super) fn open(
        tx: &Transaction<'_>,
        name: String,
        layout: &Layout,
    ) -> Result<Self, Failure> {
        let columns: Vec<Column> = tx
            .prepare_cached("SELECT name, type FROM pragma_table_info(?1) ORDER BY cid")?
            .query_map(params![name], |row| {
                let declared: String = row.get(1)?;
                Ok(Column {
                    name: row.get(0)?,
                    kind: Kind::from_sql(&declared),
                })
            })?
            .collect::<Result<_, _>>()?;
        let mut table = Self {
            name,
            columns,
            by_name: HashMap::new(),
            key: layout.key.clone(),
        };
        if table.columns.is_empty() {
            if layout.columns.is_empty() {
                return Err(Failure::Data("rows came before their schema".to_owned()));
            }
            for column in &layout.columns {
                table.require_unique_name(column)?;
                table.columns.push(column.clone());
            }
            tx.execute_batch(&table.definition(&table.name))?;
            table.index();
        } else {
            table.index();
            table.loosen(tx, layout)?;
            for column in &layout.columns {
                if let Some(&known) = table.by_name.get(&column.name) {
                    // A boolean is an integer in the table.
                    if let Some(known) = table.columns.get_mut(known)
                        && known.kind.sql() == column.kind.sql()
                    {
                        known.kind = column.kind;
                    }
                } else {
                    table.add(tx, column.clone())?;
                }
            }
        }
        Ok(table)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The columns of the primary key, as they are in the table.
    pub(super) fn key(&self) -> Vec<Column> {
        let position = |name: &String| self.by_name.get(name);
        let columns = self.key.iter().filter_map(position);
        columns
            .filter_map(|&position| self.columns.get(position).cloned())
            .collect()
    }

    /// Lets columns that have another type in the layout hold any value. Stored values stay as they
    /// are.
    fn loosen(&mut self, tx: &Transaction<'_>, layout: &Layout) -> Result<(), Failure> {
        let mut loosened = false;
        for column in &layout.columns {
            let known = self.by_name.get(&column.name).copied();
            if let Some(known) = known.and_then(|known| self.columns.get_mut(known))
                && known.kind.sql() != column.kind.sql()
                && !matches!(known.kind, Kind::Text | Kind::Any)
            {
                known.kind = Kind::Any;
                loosened = true;
            }
        }
        if !loosened {
            return Ok(());
        }
        // SQLite cannot change a column's type in place.
        let copy = format!("_sync_loose_{}", self.name);
        let names = list(self.columns.iter().map(|column| quoted(&column.name)));
        tx.execute_batch(&format!(
            "{}; INSERT INTO {} ({names}) SELECT {names} FROM {}",
            self.definition(&copy),
            quoted(&copy),
            quoted(&self.name)
        ))?;
        replace(tx, &copy, &self.name)
    }

    /// The statement that creates a table of this name with these columns.
    fn definition(&self, name: &str) -> String {
        let mut parts: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                let required = if self.key.contains(&column.name) {
                    " NOT NULL"
                } else {
                    ""
                };
                format!("{} {}{required}", quoted(&column.name), column.kind.sql())
            })
            .collect();
        if !self.key.is_empty() {
            parts.push(format!(
                "PRIMARY KEY ({})",
                list(self.key.iter().map(|name| quoted(name)))
            ));
        }
        format!("CREATE TABLE {} ({}) STRICT", quoted(name), list(parts))
    }

    fn index(&mut self) {
        let names = self.columns.iter().enumerate();
        self.by_name = names
            .map(|(position, column)| (column.name.clone(), position))
            .collect();
    }

    /// SQLite ignores the case of names.
    fn require_unique_name(&self, column: &Column) -> Result<(), Failure> {
        let same = |known: &Column| known.name.eq_ignore_ascii_case(&column.name);
        if self.columns.iter().any(same) {
            return Err(Failure::Stream(
                "two of its columns have names that differ only in case; rename one".to_owned(),
            ));
        }
        Ok(())
    }

    fn add(&mut self, tx: &Transaction<'_>, column: Column) -> Result<(), Failure> {
        self.require_unique_name(&column)?;
        tx.execute_batch(&format!(
            "ALTER TABLE {} ADD COLUMN {} {}",
            quoted(&self.name),
            quoted(&column.name),
            column.kind.sql()
        ))?;
        self.by_name.insert(column.name.clone(), self.columns.len());
        self.columns.push(column);
        Ok(())
    }

    /// Stores whole rows, replacing those with the same key. Returns their number.
    pub(super) fn upsert(&mut self, tx: &Transaction<'_>, ndjson: &str) -> Result<u32, Failure> {
        let mut rows = 0;
        let mut rest = ndjson;
        while !rest.is_empty() {
            let sql = self.insertion();
            let mut statement = tx.prepare_cached(&sql)?;
            let mut unknown = Vec::new();
            while let Some((line, after)) = next_line(rest) {
                self.bind(&mut statement, line, &mut unknown)?;
                if !unknown.is_empty() {
                    break;
                }
                statement.raw_execute()?;
                rows += 1;
                rest = after;
            }
            std::mem::drop(statement);
            if unknown.is_empty() {
                break;
            }
            for name in unknown {
                self.add(
                    tx,
                    Column {
                        name,
                        kind: Kind::Any,
                    },
                )?;
            }
        }
        Ok(rows)
    }

    fn insertion(&self) -> String {
        let names = list(self.columns.iter().map(|column| quoted(&column.name)));
        let marks = list(self.columns.iter().map(|_| "?".to_owned()));
        format!(
            "INSERT OR REPLACE INTO {} ({names}) VALUES ({marks})",
            quoted(&self.name)
        )
    }

    /// Binds a row's values; members that are not columns yet are collected in `unknown`.
    fn bind(
        &self,
        statement: &mut Statement<'_>,
        line: &str,
        unknown: &mut Vec<String>,
    ) -> Result<(), Failure> {
        statement.clear_bindings();
        let mut outcome = Ok(());
        let mut next = 0;
        let parsed = for_each_member(line, |name, raw| {
            // Rows of a page have their members in the same order.
            let guess = self
                .columns
                .get(next)
                .is_some_and(|column| column.name == name);
            let found = if guess {
                Some(next)
            } else {
                self.by_name.get(name).copied()
            };
            let Some((position, column)) = found.and_then(|p| Some((p, self.columns.get(p)?)))
            else {
                unknown.push(name.to_owned());
                return;
            };
            next = position + 1;
            if outcome.is_ok() {
                outcome = to_sql(column.kind, raw)
                    .map_err(|_| broken())
                    .and_then(|value| Ok(statement.raw_bind_parameter(position + 1, value)?));
            }
        });
        parsed.map_err(|_| broken())?;
        outcome
    }

    /// Removes the rows with these keys. Returns the number of keys.
    pub(super) fn delete(&self, tx: &Transaction<'_>, ndjson: &str) -> Result<u32, Failure> {
        if self.key.is_empty() {
            return Err(Failure::Data(
                "deletions in a stream without a primary key".to_owned(),
            ));
        }
        let condition: Vec<String> = self
            .key
            .iter()
            .map(|name| format!("{} = ?", quoted(name)))
            .collect();
        let sql = format!(
            "DELETE FROM {} WHERE {}",
            quoted(&self.name),
            condition.join(" AND ")
        );
        self.for_each_key(&mut *tx.prepare_cached(&sql)?, ndjson)
    }

    /// Runs a statement with the key of each row as its parameters. Returns the number of rows.
    pub(super) fn for_each_key(
        &self,
        statement: &mut Statement<'_>,
        ndjson: &str,
    ) -> Result<u32, Failure> {
        let mut rows = 0;
        let mut rest = ndjson;
        while let Some((line, after)) = next_line(rest) {
            let mut bound = vec![None; self.key.len()];
            for_each_member(line, |name, raw| {
                let position = self.key.iter().position(|key| key == name);
                if let Some(slot) = position.and_then(|position| bound.get_mut(position)) {
                    *slot = Some(raw);
                }
            })
            .map_err(|_| broken())?;
            for (position, (name, raw)) in self.key.iter().zip(bound).enumerate() {
                let column = self.by_name.get(name).and_then(|&at| self.columns.get(at));
                let kind = column.map_or(Kind::Any, |column| column.kind);
                let raw = raw.ok_or_else(|| {
                    Failure::Data(format!("a row has no value for the key column `{name}`"))
                })?;
                let value = to_sql(kind, raw).map_err(|_| broken())?;
                statement.raw_bind_parameter(position + 1, value)?;
            }
            statement.raw_execute()?;
            rows += 1;
            rest = after;
        }
        Ok(rows)
    }
}

fn broken() -> Failure {
    Failure::Data("a line is not a JSON object".to_owned())
}

/// The first line that is not empty, and what follows it.
fn next_line(text: &str) -> Option<(&str, &str)> {
    if text.is_empty() {
        None
    } else {
        Some(text.split_once('\n').unwrap_or((text, "")))
    }
}

pub(super) fn list(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}

/// A name as SQL text, whatever it consists of.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
