//! The database's own tables: made for a new organization, changed when its schema is.
//!
//! Every change of the schema is kept in the file, and repeated when it is opened.
//! Tables on demand are created when the first request needs them.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
    sync::{Arc, OnceLock},
};

use rusqlite::{Connection, OptionalExtension as _};

use super::{FIRST_VERSION, Layout, Slot, Store, StoreError, Writer, layout::key_is_whole, lock};
use crate::schema::{AlternateKey, KeyIndex, Schema, SchemaChange, Table};

/// Room for the layout of every table, to be worked out when it is needed.
pub(super) fn layouts(schema: &Schema) -> HashMap<String, OnceLock<Arc<Layout>>> {
    let tables = schema.tables();
    tables
        .map(|table| (table.logical_name.clone(), OnceLock::new()))
        .collect()
}

/// Makes the tables of a new file; rejects a file that another schema began with.
pub(super) fn create_tables(
    writer: &mut Connection,
    schema: &Schema,
    path: &Path,
) -> Result<(), StoreError> {
    let mut ddl = format!(
        "CREATE TABLE \"$counter\" (value INTEGER NOT NULL);\n\
         INSERT INTO \"$counter\" VALUES ({FIRST_VERSION});\n\
         CREATE TABLE \"$tombstone\" (\n  \
           \"table\" TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,\n  \
           PRIMARY KEY (\"table\", id)\n) WITHOUT ROWID;\n\
         CREATE INDEX \"$tombstone$version\" ON \"$tombstone\"(\"table\", version);\n\
         CREATE TABLE \"$change\" (number INTEGER PRIMARY KEY, change TEXT NOT NULL);\n\
         CREATE TABLE \"$file\" (\n  \
           id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL,\n  \
           content BLOB NOT NULL\n) WITHOUT ROWID;\n"
    );
    for table in schema.tables().filter(|table| !table.on_demand) {
        ddl.push_str(&Layout::of(table).ddl(table, schema));
    }
    // Privileges are rows, but as much a part of the schema as the tables they guard.
    let privileges: Vec<String> = schema.privileges().map(|it| it.name).collect();
    let fingerprint = fingerprint(&ddl, &privileges);
    let known = writer
        .query_row(
            "SELECT name FROM sqlite_master WHERE name = '$counter'",
            [],
            |_| Ok(()),
        )
        .optional()?;
    if known.is_some() {
        let found: i32 = writer.pragma_query_value(None, "user_version", |row| row.get(0))?;
        return if found == fingerprint {
            Ok(())
        } else {
            Err(StoreError::OtherSchema {
                path: path.to_owned(),
            })
        };
    }
    let transaction = writer.transaction()?;
    transaction.execute_batch(&ddl)?;
    transaction.pragma_update(None, "user_version", fingerprint)?;
    transaction.commit()?;
    Ok(())
}

fn fingerprint(ddl: &str, privileges: &[String]) -> i32 {
    let mut hasher = DefaultHasher::new();
    (ddl, privileges).hash(&mut hasher);
    let [a, b, c, d, ..] = hasher.finish().to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

/// The schema after every change that the file remembers.
pub(super) fn replay(
    connection: &Connection,
    schema: Arc<Schema>,
) -> Result<Arc<Schema>, StoreError> {
    let mut statement = connection.prepare("SELECT change FROM \"$change\" ORDER BY number")?;
    let mut rows = statement.query([])?;
    let mut changed = None;
    while let Some(row) = rows.next()? {
        let change: SchemaChange = serde_json::from_str(&row.get::<_, String>(0)?)?;
        changed
            .get_or_insert_with(|| Schema::clone(&schema))
            .apply(&change)?;
    }
    Ok(changed.map_or(schema, Arc::new))
}

/// The changes that have been made since the schema had this version, in their order.
pub(crate) fn changes_after(
    connection: &Connection,
    version: i64,
) -> Result<Vec<SchemaChange>, StoreError> {
    let sql = "SELECT change FROM \"$change\" WHERE number > ?1 ORDER BY number";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([Schema::changes_at(version)])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        changes.push(serde_json::from_str(&row.get::<_, String>(0)?)?);
    }
    Ok(changes)
}

/// The tables on demand that are not in the file yet.
pub(super) fn unmade_tables(
    connection: &Connection,
    schema: &Schema,
) -> Result<HashSet<String>, StoreError> {
    let mut known = connection.prepare("SELECT 1 FROM sqlite_master WHERE name = ?1")?;
    let mut unmade = HashSet::new();
    for table in schema.tables().filter(|table| table.on_demand) {
        if !known.exists([&table.logical_name])? {
            unmade.insert(table.logical_name.clone());
        }
    }
    Ok(unmade)
}

impl Store {
    /// Whether the database has room for rows of the table. What has none has no rows either.
    pub(crate) fn has_made(&self, table: &str) -> bool {
        !lock(&self.database.unmade).contains(table)
    }

    /// Makes a table on demand.
    pub(crate) fn make(&self, table: &str) -> Result<(), StoreError> {
        let definition = self.table(table)?;
        let ddl = self.layout(table)?.ddl(definition, &self.schema);
        let connection = lock(&self.database.writer);
        if lock(&self.database.unmade).remove(table) {
            connection.execute_batch(&format!("BEGIN IMMEDIATE;\n{ddl}COMMIT;"))?;
        }
        Ok(())
    }

    /// The same rows by a changed schema. This store must not be used for rows meanwhile, and
    /// afterwards only if the changes did no more than add.
    ///
    /// `follow` updates the rows about tables that are gone and new.
    pub(crate) fn changed(
        &self,
        changes: &[SchemaChange],
        follow: impl Fn(&Writer<'_>, &[&Table], &[&Table]) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        let mut schema = Schema::clone(&self.schema);
        for change in changes {
            schema.apply(change)?;
        }
        let after = Self {
            layouts: layouts(&schema),
            schema: Arc::new(schema),
            clock: self.clock.clone(),
            database: Arc::clone(&self.database),
        };
        let mut ddl = String::new();
        for name in touched(changes) {
            // A new table needs no migration.
            let both = (self.schema.table(name), after.schema.table(name));
            if let (Some(_), Some(table)) = both
                && self.has_made(name)
            {
                let (from, to) = (self.layout(name)?, after.layout(name)?);
                ddl.push_str(&from.migration(to, table, &after.schema));
            }
        }
        for change in changes {
            ddl.push_str(&self.key_ddl(change)?);
        }
        let gone = self.tables_only_here(&after);
        for table in gone
            .iter()
            .filter(|table| self.has_made(&table.logical_name))
        {
            let _ = writeln!(ddl, "DROP TABLE \"{}\";", table.logical_name);
        }
        let new = after.tables_only_here(self);
        self.write(|writer| -> Result<(), StoreError> {
            writer.connection().execute_batch(&ddl)?;
            let sql = "INSERT INTO \"$change\" (change) VALUES (?1)";
            for change in changes {
                let change = serde_json::to_string(change)?;
                writer.connection().execute(sql, [change])?;
            }
            follow(writer, &gone, &new)
        })?;
        let mut unmade = lock(&self.database.unmade);
        for table in &gone {
            unmade.remove(&table.logical_name);
        }
        unmade.extend(new.iter().map(|table| table.logical_name.clone()));
        drop(unmade);
        Ok(after.reusing(self))
    }

    /// What a change does to the index of an alternate key.
    fn key_ddl(&self, change: &SchemaChange) -> Result<String, StoreError> {
        let (table, key, index) = match change {
            SchemaChange::PutKey { table, key } => (table, &key.logical_name, Some(key)),
            SchemaChange::RemoveKey { table, key } => (table, key, None),
            _ => return Ok(String::new()),
        };
        if self.schema.table(table).is_none() || !self.has_made(table) {
            return Ok(String::new());
        }
        let mut sql = format!("DROP INDEX IF EXISTS \"{table}.{key}\";\n");
        if let Some(key) = index.filter(|key| key.index == KeyIndex::Active) {
            let _ = writeln!(sql, "{}", self.layout(table)?.key_index_sql(key));
        }
        Ok(sql)
    }

    /// The outcome for alternate keys whose index is due: they are active
    /// unless rows have the same values.
    pub(crate) fn built_indexes(&self, now: i64) -> Result<Vec<SchemaChange>, StoreError> {
        let mut changes = Vec::new();
        for (table, key) in self.schema.keys_due(now) {
            let index = if self.has_twins(table, key)? {
                KeyIndex::Failed
            } else {
                KeyIndex::Active
            };
            changes.push(SchemaChange::PutKey {
                table: table.logical_name.clone(),
                key: AlternateKey {
                    index,
                    ..key.clone()
                },
            });
        }
        Ok(changes)
    }

    /// Whether rows have the same values in all columns of an alternate key.
    fn has_twins(&self, table: &Table, key: &AlternateKey) -> Result<bool, StoreError> {
        if !self.has_made(&table.logical_name) {
            return Ok(false);
        }
        let columns: Vec<String> = key.columns.iter().map(|c| format!("\"{c}\"")).collect();
        let sql = format!(
            "SELECT 1 FROM \"{}\" WHERE {} GROUP BY {} HAVING count(*) > 1",
            table.logical_name,
            key_is_whole(key),
            columns.join(", ")
        );
        self.read(|connection| Ok(connection.prepare(&sql)?.exists([])?))
    }

    /// The tables that the other schema does not have.
    fn tables_only_here(&self, other: &Self) -> Vec<&Table> {
        let lacks = |table: &&Table| other.schema.table(&table.logical_name).is_none();
        self.schema.tables().filter(lacks).collect()
    }

    /// Takes over the layouts of tables that have not changed.
    fn reusing(mut self, before: &Self) -> Self {
        let same = |a: &Table, b: &Table| std::ptr::eq(a, b);
        for (name, known) in &before.layouts {
            if let (Some(layout), Some(room), Some(old), Some(new)) = (
                known.get(),
                self.layouts.get_mut(name),
                before.schema.table(name),
                self.schema.table(name),
            ) && same(old, new)
            {
                *room = OnceLock::from(Arc::clone(layout));
            }
        }
        self
    }
}

impl Layout {
    /// The statements that make a table of this layout one of the other. Columns that are kept
    /// in another way lose their values.
    fn migration(&self, to: &Self, table: &Table, schema: &Schema) -> String {
        let name = &self.table;
        let mut sql = String::new();
        let same = |a: &Slot, b: &Slot| a.name == b.name && a.stored == b.stored;
        for slot in &self.slots {
            if to.slots.iter().any(|other| same(slot, other)) {
                continue;
            }
            let _ = writeln!(sql, "DROP INDEX IF EXISTS \"{name}${}\";", slot.name);
            for (column, _) in slot.sql_columns() {
                let _ = writeln!(sql, "ALTER TABLE \"{name}\" DROP COLUMN \"{column}\";");
            }
        }
        for slot in &to.slots {
            if self.slots.iter().any(|other| same(slot, other)) {
                continue;
            }
            for (column, kind) in slot.sql_columns() {
                let _ = writeln!(
                    sql,
                    "ALTER TABLE \"{name}\" ADD COLUMN \"{column}\" {kind};"
                );
            }
            if self.is_searched(slot, table, schema) {
                let _ = writeln!(sql, "{}", self.index_sql(slot));
            }
        }
        sql
    }
}

/// The tables whose columns change, each once.
fn touched(changes: &[SchemaChange]) -> HashSet<&str> {
    let tables = changes.iter().filter_map(|change| match change {
        SchemaChange::PutColumn { table, .. } | SchemaChange::RemoveColumn { table, .. } => {
            Some(table.as_str())
        }
        _ => None,
    });
    tables.collect()
}
