//! The audit log (reference §10): what a request changed becomes rows of `audits`, and these
//! become the details that functions return.
//!
//! Three switches decide: the organization's, the table's and the column's.

mod action;
mod columns;
mod data;
mod detail;
mod entry;
mod expiry;
mod links;

use std::collections::HashSet;

use rusqlite::OptionalExtension as _;
use uuid::Uuid;

pub(crate) use detail::{Reader, push_detail};
pub(crate) use expiry::expire;

use crate::store::{Author, Change, StoreError, Value, Writer, current_version};
use entry::Entry;

/// The table that holds the log.
const LOG: &str = "audit";

/// Whether changes are written to the log; decided before a request is carried out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Auditing {
    on: bool,
}

/// Begins to record what is written.
pub(crate) fn begin(writer: &Writer<'_>) -> Result<Auditing, StoreError> {
    let possible = writer.store().layout(LOG).is_ok();
    if possible {
        writer.keep_journal();
    }
    Ok(Auditing {
        on: possible && is_on(writer)?,
    })
}

/// Writes to the log what has been written since [`begin`].
pub(crate) fn record(
    writer: &Writer<'_>,
    auditing: Auditing,
    author: Author,
) -> Result<(), StoreError> {
    let journal = writer.take_journal();
    // Switching auditing on or off is itself logged.
    if journal.is_empty() || !(auditing.on || is_on(writer)?) {
        return Ok(());
    }
    for entry in entries(writer, &journal)? {
        write(writer, author, entry)?;
    }
    Ok(())
}

/// The entries for a request's writes, in their order.
fn entries(writer: &Writer<'_>, journal: &[Change]) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    for change in journal {
        let table = writer.store().table(&change.table)?;
        let layout = writer.store().layout(&change.table)?;
        if table.audit_enabled {
            entries.extend(columns::entry(table, layout, change));
        }
    }
    // What depends on a deleted row is deleted with it and gets no entry.
    let gone = |change: &&Change| change.after.is_none();
    let deleted: HashSet<Uuid> = journal
        .iter()
        .filter(gone)
        .map(|change| change.id)
        .collect();
    let linked = links::entries(writer, journal)?;
    entries.extend(
        linked
            .into_iter()
            .filter(|entry| !deleted.contains(&entry.id)),
    );
    Ok(entries)
}

fn is_on(writer: &Writer<'_>) -> Result<bool, StoreError> {
    let Ok(layout) = writer.store().layout("organization") else {
        return Ok(false);
    };
    if layout.position("isauditenabled").is_none() {
        return Ok(false);
    }
    let sql = "SELECT isauditenabled FROM organization";
    let mut statement = writer.connection().prepare_cached(sql)?;
    let on: Option<Option<bool>> = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(on.flatten().unwrap_or(false))
}

fn write(writer: &Writer<'_>, author: Author, entry: Entry) -> Result<(), StoreError> {
    writer.create(
        LOG,
        author,
        &[
            ("auditid", Value::Guid(next_id(writer)?)),
            ("createdon", Value::DateTime(author.now)),
            ("action", Value::Int(entry.action.code())),
            ("operation", Value::Int(entry.operation.code())),
            ("objecttypecode", Value::Text(entry.table.clone())),
            (
                "objectid",
                Value::Lookup {
                    table: entry.table,
                    id: entry.id,
                },
            ),
            ("userid", Value::lookup("systemuser", author.user)),
            (
                "callinguserid",
                author
                    .behind
                    .map_or(Value::Null, |id| Value::lookup("systemuser", id)),
            ),
            ("attributemask", Value::Text(entry.mask)),
            ("changedata", Value::Text(entry.data)),
            ("transactionid", Value::Guid(writer.transaction())),
        ],
    )?;
    Ok(())
}

/// A key greater than those before it: entries of one second stay in their order when they are
/// sorted by time.
fn next_id(writer: &Writer<'_>) -> Result<Uuid, StoreError> {
    const RANDOM_BITS: u32 = 80;
    let version = u128::from(current_version(writer.connection())?.unsigned_abs());
    let random = Uuid::new_v4().as_u128() & ((1 << RANDOM_BITS) - 1);
    Ok(Uuid::from_u128(version << RANDOM_BITS | random))
}
