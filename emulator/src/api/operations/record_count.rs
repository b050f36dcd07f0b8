//! `RetrieveTotalRecordCount`: how many rows tables have (reference §3).

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use rusqlite::Connection;
use serde_json::json;

use crate::{
    api::{Call, Response},
    odata::{Literal, filter::Operand},
    schema::Table,
    wire::ODataError,
};

/// Cached counts of rows.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Seconds for which a count is cached; with 0 none is.
    age: AtomicI64,
    /// Table → when it was counted, and the count.
    taken: Mutex<HashMap<String, (i64, i64)>>,
}

impl Counts {
    /// From now on, counts are cached for this many seconds.
    pub(crate) fn set_age(&self, seconds: i64) {
        self.age.store(seconds, Ordering::SeqCst);
    }

    /// How many rows the table has, or the cached count.
    fn of(&self, connection: &Connection, table: &Table, now: i64) -> Result<i64, ODataError> {
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

impl Call<'_> {
    /// `GET RetrieveTotalRecordCount(EntityNames=…)`.
    pub(super) fn total_record_count(
        &self,
        connection: &Connection,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        let Operand::Literal(Literal::List(names)) = self.argument(arguments, "EntityNames")?
        else {
            return Err(ODataError::syntax(
                "The parameter 'EntityNames' must be a list of names.",
            ));
        };
        let mut counts = Vec::with_capacity(names.len());
        for name in &names {
            let table = self.model().table(name)?;
            counts.push(self.api.counts.of(connection, table, self.now())?);
        }
        Ok(self.complex(
            "RetrieveTotalRecordCountResponse",
            json!({"EntityRecordCountCollection": {
                "Count": names.len(),
                "IsReadOnly": false,
                "Keys": names,
                "Values": counts,
            }}),
        ))
    }
}
