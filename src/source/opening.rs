//! What must be known of a stream before it is read, and what is told of it then.

use std::collections::VecDeque;

use super::event::{Change, ColumnChange, Event, Schema, Selection, Warning};
use super::plan::Plan;
use super::queries::{self, Asked};
use super::{retention, security};
use crate::catalog::{self, StreamName, Table, row_schema};
use crate::dataverse::Client;
use crate::error::Error;
use crate::host::Host;

/// The id of a warning, and its message.
pub(super) type Told = (&'static str, String);

/// What must be known before a stream is read.
pub(super) struct Opened {
    pub(super) table: Table,
    /// The queries that its rows come from, if they are not a table's.
    pub(super) queries: Vec<Asked>,
    /// Why its change token is of no use any more.
    pub(super) stale: Option<String>,
    /// Columns that field security keeps from the account.
    pub(super) unreadable: Vec<String>,
    /// Why some of the queries are left out.
    pub(super) left_out: Vec<Told>,
}

/// Finds out what must be known. `fresh_at` is when the stream's change token was fresh, if it
/// has one.
///
/// # Errors
/// When there is no such stream, or not for this account.
pub(super) async fn open<H: Host>(
    client: Client<H>,
    selection: Selection,
    fresh_at: Option<u64>,
) -> Result<Opened, Error> {
    let Selection { stream: name, .. } = &selection;
    let of_table = |table| (table, Vec::new(), Vec::new());
    let (table, queries, left_out) = match StreamName::of(name) {
        StreamName::Table(name) => of_table(catalog::read(&client, name).await?),
        StreamName::History(audited) => of_table(catalog::history_table(&client, audited).await?),
        _ => queries::open(&client, name, selection.query.as_deref()).await?,
    };
    let stale = match fresh_at {
        Some(at) => retention::too_old(&client, at).await,
        None => None,
    };
    let unreadable = security::unreadable(&client, &table, &selection.columns).await?;
    Ok(Opened {
        table,
        queries,
        stale,
        unreadable,
        left_out,
    })
}

/// Tells what rows look like, what has become of their columns, and what does not come.
pub(super) fn announce(
    plan: &Plan,
    changes: Vec<ColumnChange>,
    unreadable: &[String],
    left_out: Vec<Told>,
    events: &mut VecDeque<Event>,
) {
    let (stream, binding) = (&plan.table.name, &plan.binding);
    let gone: Vec<&str> = changes
        .iter()
        .filter(|change| change.change == Change::Removed && binding.columns.is_some())
        .map(|change| change.column.as_str())
        .collect();
    let mut warnings = left_out;
    if !gone.is_empty() {
        let message = format!(
            "{stream} has no readable column {} any more; the others are read.",
            gone.join(", ")
        );
        warnings.push(("columns-removed", message));
    }
    if !unreadable.is_empty() {
        let message = format!(
            "Field security keeps {} of {stream} from this account: they come as null. An \
             administrator can add it to a field security profile that may read them.",
            unreadable.join(", ")
        );
        warnings.push(("columns-unreadable", message));
    }
    if !plan.queries.is_empty() && !plan.files().is_empty() {
        let message = format!(
            "Files of {stream} come as references: only tables are read with their content."
        );
        warnings.push(("files-left-out", message));
    }
    events.push_back(Event::Schema(Schema {
        stream: stream.clone(),
        primary_key: plan.table.key(),
        row_schema: row_schema(&plan.table, binding.columns.as_deref(), binding.labels),
        changes,
    }));
    for (id, message) in warnings {
        events.push_back(Event::Warning(Warning {
            stream: Some(stream.clone()),
            id: id.to_owned(),
            message,
        }));
    }
}
