//! Reading: a snapshot first, then changes, as events that a sink applies in order.
//!
//! [`Sync`] takes turns among streams. A `stream` knows its `plan`; its `reader` goes from
//! page to page of a `sequence`: it asks for the next page, turns the current one into `rows`
//! and says with each piece where to resume, in a `checkpoint`. How changes are found is
//! decided per table: by the service's change tracking (`tracked`), by a column that grows
//! (`watermark`), or not at all.

mod ahead;
mod checkpoint;
mod event;
mod members;
mod plan;
mod reader;
mod rows;
mod scanner;
mod sequence;
mod stream;
mod sync;
mod tracked;
mod watermark;

pub use event::{Event, Failure, Operation, Page, Reset, Schema, Selection, Warning};
pub use sync::Sync;

#[cfg(test)]
mod tests;
