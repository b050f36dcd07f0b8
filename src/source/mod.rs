//! Reading: a snapshot first, then changes, as events that a sink applies in order.
//!
//! [`Sync`] takes turns among streams. A `stream` knows its `plan`; its `reader` goes from
//! page to page of a `sequence`: it asks for the next page, turns the current one into rows
//! and says with each piece where to resume, in a `checkpoint`. How changes are found is
//! decided per table: by the service's change tracking (`tracked`), by a column that grows
//! (`watermark`), or not at all.
//!
//! A table that turns out large (`size`, `survey`) is read in several `ranges` at once by the
//! `ranged` reader, beside which a read of the `keys` brings change tracking under way. Where
//! deletions are not reported, a `sweep` over the keys finds them. What each stream may have in
//! hand is its `share`.
//!
//! Views, queries of the caller's own and members of lists come from `queries` in FetchXML, read
//! by `fetching`. The audit log becomes a `history` of what changed. `files` puts the content of
//! files in their place; `drift` tells what has become of columns, `security` which of them the
//! account may not read, and `retention` when a change token is too old.

mod ahead;
mod binding;
mod checkpoint;
mod condition;
mod drift;
mod event;
mod fetching;
mod files;
mod history;
mod keys;
mod measure;
mod opening;
mod output;
mod plan;
mod queries;
mod ranged;
mod ranges;
mod reader;
mod resume;
mod retention;
mod security;
mod sequence;
mod share;
mod size;
mod step;
mod stream;
mod survey;
mod sweep;
mod sync;
mod time;
mod tracked;
mod watermark;

pub use event::{
    Change, ColumnChange, Event, Failure, FileForm, Operation, Page, Reset, Schema, Selection,
    Warning,
};
pub use sync::Sync;

#[cfg(test)]
mod tests;
