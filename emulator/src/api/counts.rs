//! `RetrieveTotalRecordCount`: how many rows tables had a while ago (reference §3).

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use rusqlite::Connection;

use crate::{odata::ODataError, schema::Table};

/// Counts of rows as they were when they were last taken.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Seconds for which a count is told again; with 0 every count is new.
    age: AtomicI64,
    /// Table → when it was counted, and the count.
    taken: Mutex<HashMap<String, (i64, i64)>>,
}

impl Counts {
    /// From now on, counts are told again for so many seconds.
    pub(crate) fn set_age(&self, seconds: i64) {
        self.age.store(seconds, Ordering::SeqCst);
    }

    /// How many rows the table has, or had not too long ago.
    pub(super) fn of(
        &self,
        connection: &Connection,
        table: &Table,
        now: i64,
    ) -> Result<i64, ODataError> {
        let name = &table.logical_name;
        let oldest = now.saturating_sub(self.age.load(Ordering::SeqCst));
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, count)) = taken.get(name)
            && *at > oldest
        {
            return Ok(*count);
        }
        let sql = format!("SELECT count(*) FROM \"{name}\"");
        let count = connection.query_row(&sql, [], |row| row.get(0))?;
        taken.insert(name.clone(), (now, count));
        Ok(count)
    }
}
