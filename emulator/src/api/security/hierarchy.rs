//! Hierarchies without loops.

use uuid::Uuid;

use crate::{
    api::Call,
    schema::Table,
    store::{Row, Value, Writer},
    wire::ODataError,
};

/// A table whose rows form a hierarchy by a lookup, and the error for a loop.
struct Hierarchy {
    table: &'static str,
    parent: &'static str,
    code: &'static str,
    message: &'static str,
}

const HIERARCHIES: [Hierarchy; 4] = [
    Hierarchy {
        table: "account",
        parent: "parentaccountid",
        code: "0x80040507",
        message: "Creating this parental association would create a loop in Accounts hierarchy.",
    },
    Hierarchy {
        table: "contact",
        parent: "parentcustomerid",
        code: "0x80040387",
        message: "Creating this parental association would create a loop in this entity hierarchy.",
    },
    Hierarchy {
        table: "businessunit",
        parent: "parentbusinessunitid",
        code: "0x80041D21",
        message: "Creating this parental association would create a loop in business hierarchy.",
    },
    Hierarchy {
        table: "systemuser",
        parent: "parentsystemuserid",
        code: "0x80041D25",
        message: "You cannot set the selected user as the manager for this user because the \
                  selected user is either already the manager or is in the user's immediate \
                  management hierarchy.  Either select another user to be the manager or do not \
                  update the record.",
    },
];

impl Call<'_> {
    /// Rejects a change that would create a loop.
    pub(super) fn require_no_loop(
        writer: &Writer<'_>,
        table: &Table,
        before: &Row,
        after: &[Value],
    ) -> Result<(), ODataError> {
        let name = &table.logical_name;
        let Some(hierarchy) = HIERARCHIES.iter().find(|known| known.table == name) else {
            return Ok(());
        };
        let layout = writer.store().layout(name)?;
        let parent = |row: &[Value]| layout.get(row, hierarchy.parent).id();
        let Some(above) = parent(after).filter(|&above| parent(&before.values) != Some(above))
        else {
            return Ok(());
        };
        if is_below(writer, table, hierarchy.parent, above, before.id)? {
            return Err(ODataError::bad_request(hierarchy.code, hierarchy.message));
        }
        Ok(())
    }
}

/// Whether a row is another one, or is below it.
pub(super) fn is_below(
    writer: &Writer<'_>,
    table: &Table,
    parent: &str,
    row: Uuid,
    other: Uuid,
) -> Result<bool, ODataError> {
    let sql = format!(
        "WITH RECURSIVE above(id) AS (SELECT ?1 UNION SELECT t.\"{parent}\" FROM \"{}\" t \
         JOIN above ON t.\"{}\" = above.id WHERE t.\"{parent}\" IS NOT NULL) \
         SELECT 1 FROM above WHERE id = ?2",
        table.logical_name, table.primary_id
    );
    let mut statement = writer.connection().prepare_cached(&sql)?;
    Ok(statement.exists([row.to_string(), other.to_string()])?)
}
