//! Retention of the log: `organization.auditretentionperiodv2` days (reference §10).

use rusqlite::{Connection, OptionalExtension as _};

use super::LOG;
use crate::store::{Store, StoreError};

/// Removes entries older than the retention period; -1 days keeps them forever.
pub(crate) fn expire(store: &Store) -> Result<(), StoreError> {
    let kept = store.layout(LOG).is_ok()
        && store
            .layout("organization")
            .is_ok_and(|layout| layout.position("auditretentionperiodv2").is_some());
    if !kept {
        return Ok(());
    }
    let now = store.clock().now();
    let oldest = store.read(|connection: &Connection| -> Result<_, StoreError> {
        let sql = "SELECT auditretentionperiodv2 FROM organization";
        let days: Option<Option<i64>> = connection
            .prepare_cached(sql)?
            .query_row([], |row| row.get(0))
            .optional()?;
        let Some(days) = days.flatten().filter(|days| *days >= 0) else {
            return Ok(None);
        };
        let oldest = now.saturating_sub(days.saturating_mul(86_400));
        let sql = "SELECT 1 FROM audit WHERE createdon < ?1";
        let any = connection.prepare_cached(sql)?.exists([oldest])?;
        Ok(any.then_some(oldest))
    })?;
    let Some(oldest) = oldest else {
        return Ok(());
    };
    store.write(|writer| -> Result<(), StoreError> {
        let sql = "DELETE FROM audit WHERE createdon < ?1";
        writer.connection().prepare_cached(sql)?.execute([oldest])?;
        Ok(())
    })
}
