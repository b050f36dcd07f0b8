//! A row of the log before it is written.

use uuid::Uuid;

use super::{
    action::{Action, Operation},
    data::Data,
};

/// One row of the log.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) action: Action,
    pub(super) operation: Operation,
    pub(super) table: String,
    pub(super) id: Uuid,
    /// Numbers of the changed columns.
    pub(super) mask: String,
    pub(super) data: String,
}

impl Entry {
    /// An entry that is not about columns.
    pub(super) fn about(
        action: Action,
        operation: Operation,
        (table, id): (&str, Uuid),
        data: &Data,
    ) -> Self {
        Self {
            action,
            operation,
            table: table.to_owned(),
            id,
            mask: String::new(),
            data: data.to_text(),
        }
    }
}
