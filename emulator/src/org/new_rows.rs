//! Adding rows to an organization, by whatever columns its schema has.

use crate::store::{Author, StoreError, Value, Writer};

/// Adds a row without the values of columns that the schema does not have; adds none if it does
/// not have the table.
pub(super) fn put(
    writer: &Writer<'_>,
    author: Author,
    table: &str,
    values: &[(&str, Value)],
) -> Result<(), StoreError> {
    let Ok(layout) = writer.store().layout(table) else {
        return Ok(());
    };
    let known: Vec<(&str, Value)> = values
        .iter()
        .filter(|(column, _)| layout.position(column).is_some())
        .cloned()
        .collect();
    writer.create(table, author, &known)?;
    Ok(())
}

/// An organization to which rows are added.
pub(super) struct NewOrganization<'a> {
    pub(super) writer: &'a Writer<'a>,
    pub(super) author: Author,
}

impl NewOrganization<'_> {
    pub(super) fn put(&self, table: &str, values: &[(&str, Value)]) -> Result<(), StoreError> {
        put(self.writer, self.author, table, values)
    }
}
