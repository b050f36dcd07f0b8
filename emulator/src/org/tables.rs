//! Rows of the organization about tables that are created and deleted.

use super::{
    bulk_actions::{end_bulk_actions, support_bulk_actions},
    roles::{add_privileges, remove_privileges},
};
use crate::{
    ids::SYSTEM,
    schema::{Privilege, Table},
    store::{Author, StoreError, Writer},
};

/// Removes the privileges and bulk actions of tables that are gone, and adds those of new ones.
pub(crate) fn follow_tables(
    writer: &Writer<'_>,
    gone: &[&Table],
    new: &[&Table],
) -> Result<(), StoreError> {
    for table in gone {
        end_bulk_actions(writer, table)?;
    }
    remove_privileges(writer, &privileges(gone))?;
    let author = Author::in_person(SYSTEM, writer.store().clock().now());
    add_privileges(writer, author, &privileges(new))?;
    for table in new {
        support_bulk_actions(writer, author, table)?;
    }
    Ok(())
}

fn privileges(tables: &[&Table]) -> Vec<Privilege> {
    let of = tables.iter().flat_map(|table| table.privileges.iter());
    of.cloned().collect()
}
