//! The contents of files and images, kept apart from the rows that refer to them.

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::{StoreError, Writer};

/// A file as it was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredFile {
    pub(crate) name: String,
    /// Its media type.
    pub(crate) kind: String,
    pub(crate) content: Vec<u8>,
}

/// The file of this key.
pub(crate) fn read_file(
    connection: &Connection,
    id: Uuid,
) -> Result<Option<StoredFile>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT name, type, content FROM \"$file\" WHERE id = ?1")?;
    let file = statement
        .query_row([id.to_string()], |row| {
            Ok(StoredFile {
                name: row.get(0)?,
                kind: row.get(1)?,
                content: row.get(2)?,
            })
        })
        .optional()?;
    Ok(file)
}

impl Writer<'_> {
    /// Keeps a file and returns its key.
    pub(crate) fn keep_file(&self, file: &StoredFile) -> Result<Uuid, StoreError> {
        let id = Uuid::new_v4();
        let sql = "INSERT INTO \"$file\" (id, name, type, content) VALUES (?1, ?2, ?3, ?4)";
        let values = params![id.to_string(), file.name, file.kind, file.content];
        self.connection().prepare_cached(sql)?.execute(values)?;
        Ok(id)
    }

    /// Deletes a file.
    pub(crate) fn forget_file(&self, id: Uuid) -> Result<(), StoreError> {
        let sql = "DELETE FROM \"$file\" WHERE id = ?1";
        self.connection()
            .prepare_cached(sql)?
            .execute([id.to_string()])?;
        Ok(())
    }
}
