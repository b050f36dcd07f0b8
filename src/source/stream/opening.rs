//! What must be known of a stream before it is read, and the events that announce it.

use super::{retention, security};
use crate::catalog::row_schema;
use crate::dataverse::Client;
use crate::error::Error;
use crate::host::Host;
use crate::source::event::{Change, ColumnChange, Schema, Selection, WarningText};
use crate::source::kind::plan::Shape;
use crate::source::kind::{Kind, Plan};
use crate::source::output::Output;

/// What must be known before a stream is read.
pub(super) struct Opened {
    pub(super) shape: Shape,
    /// Why its change token can no longer be used.
    pub(super) stale: Option<String>,
    /// Columns that field security hides from the account.
    pub(super) unreadable: Vec<String>,
}

/// Reads the metadata of a stream. `fresh_at` is when its change token was fresh, if it has one.
///
/// # Errors
/// If there is no such stream, or this account cannot see it.
pub(super) async fn open<H: Host>(
    client: &Client<H>,
    kind: &dyn Kind<H>,
    selection: &Selection,
    fresh_at: Option<u64>,
) -> Result<Opened, Error> {
    let shape = kind.open(client, selection).await?;
    let stale = match fresh_at {
        Some(at) => retention::too_old(client, at).await,
        None => None,
    };
    // Only the columns of tables can be tested by a filter.
    let unreadable = if kind.table().is_some() {
        security::unreadable(client, &shape.table, &selection.columns).await?
    } else {
        Vec::new()
    };
    Ok(Opened {
        shape,
        stale,
        unreadable,
    })
}

/// Hands out the schema, and warnings about what is not read.
pub(super) fn announce(
    output: &Output,
    plan: &Plan,
    changes: Vec<ColumnChange>,
    unreadable: &[String],
    mut warnings: Vec<WarningText>,
) {
    let (stream, binding) = (plan.stream(), &plan.binding);
    let removed: Vec<&str> = changes
        .iter()
        .filter(|change| change.change == Change::Removed && binding.columns.is_some())
        .map(|change| change.column.as_str())
        .collect();
    if !removed.is_empty() {
        let message = format!(
            "{stream} no longer has a readable column {}; the other columns are read.",
            removed.join(", ")
        );
        warnings.push(("columns-removed", message));
    }
    if !unreadable.is_empty() {
        let message = format!(
            "Field security hides {} of {stream} from this account; the values are returned as \
             null. To read them, have an administrator add the account to a field security \
             profile that may read them.",
            unreadable.join(", ")
        );
        warnings.push(("columns-unreadable", message));
    }
    output.schema(Schema {
        stream: stream.to_owned(),
        primary_key: plan.table.key(),
        row_schema: row_schema(&plan.table, binding.columns.as_deref(), binding.labels),
        changes,
    });
    for (id, message) in warnings {
        output.warn(id, message);
    }
}

/// The warning that the content of files is not read, if the plan selects it.
pub(super) fn files_not_read(plan: &Plan) -> Option<WarningText> {
    let message = format!(
        "Files of {} are returned as references: only tables are read with the content of files.",
        plan.stream()
    );
    (!plan.file_columns().is_empty()).then_some(("files-left-out", message))
}
