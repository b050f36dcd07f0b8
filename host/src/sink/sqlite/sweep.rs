//! Deletions that the service does not report: the rows whose key a sweep did not find.

use rusqlite::Transaction;

use super::error::Failure;
use super::table::{Table, list, quoted};

/// The keys that a sweep has found so far, in a temporary table that ends with the connection: a
/// sweep that was stopped proves nothing.
#[derive(Debug)]
pub(super) struct Sweep {
    /// The temporary table, as SQL.
    keys: String,
}

impl Sweep {
    /// Begins a sweep of `table`, which may still be empty.
    pub(super) fn begin(
        tx: &Transaction<'_>,
        stream: &str,
        table: &Table,
    ) -> Result<Self, Failure> {
        let key = table.key();
        if key.is_empty() {
            return Err(Failure::Data(
                "a sweep of a stream without a primary key".to_owned(),
            ));
        }
        let keys = format!("temp.{}", quoted(&format!("_sync_present_{stream}")));
        let columns = key.iter().map(|column| {
            let (name, kind) = (quoted(&column.name), column.kind.sql());
            format!("{name} {kind} NOT NULL")
        });
        let names = key.iter().map(|column| quoted(&column.name));
        tx.execute_batch(&format!(
            "DROP TABLE IF EXISTS {keys};
             CREATE TABLE {keys} ({}, PRIMARY KEY ({})) STRICT, WITHOUT ROWID",
            list(columns),
            list(names)
        ))?;
        Ok(Self { keys })
    }

    /// Records the keys of rows that exist. Returns their number.
    pub(super) fn note(
        &self,
        tx: &Transaction<'_>,
        table: &Table,
        ndjson: &str,
    ) -> Result<u32, Failure> {
        let marks = list(table.key().iter().map(|_| "?".to_owned()));
        let sql = format!("INSERT OR IGNORE INTO {} VALUES ({marks})", self.keys);
        table.for_each_key(&mut *tx.prepare_cached(&sql)?, ndjson)
    }

    /// Deletes the rows whose key was not found. Returns their number.
    pub(super) fn end(self, tx: &Transaction<'_>, table: &Table) -> Result<u64, Failure> {
        let rows = quoted(table.name());
        let same = table.key().into_iter().map(|column| {
            let name = quoted(&column.name);
            format!("present.{name} = {rows}.{name}")
        });
        let gone = tx.execute(
            &format!(
                "DELETE FROM {rows} WHERE NOT EXISTS (SELECT 1 FROM {} AS present WHERE {})",
                self.keys,
                same.collect::<Vec<_>>().join(" AND ")
            ),
            [],
        )?;
        tx.execute_batch(&format!("DROP TABLE {}", self.keys))?;
        Ok(gone as u64)
    }
}
