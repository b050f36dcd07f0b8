//! Reading: a snapshot first, then changes, as events that a sink applies in order.
//!
//! # How a sync flows
//! [`Sync`] checks the selections, opens a few streams at a time and returns their events. A
//! `stream` is one `async` function: it resolves the *kind* of its name, reads the metadata,
//! decides where to start (its checkpoint, or the first row), and runs a *reader* until the reader
//! is complete. A reader that cannot continue ends with a *restart*: smaller pages, no ranges, no
//! change tracking, all rows again; the stream then runs another one. Readers request a page, walk
//! its rows, and hand them to the stream's `output` with the checkpoint after them.
//!
//! # Modules
//! Each module uses only those below it.
//!
//! | module | job |
//! |---|---|
//! | `sync` | one run over several streams |
//! | `stream` | one stream: opening, where it resumes, restarts, sweep |
//! | `read` | the readers: `paged` follows links, `ranged` reads large tables in ranges of versions beside a read of the `keys`, `queried` reads `FetchXML`, `sweep` finds deletions; `page` is the request, walk and repetition they share, `share` the memory and requests of all streams |
//! | `files` | the content of files in place of their references |
//! | `output` | the events of one stream, each page with its checkpoint |
//! | `kind` | tables, views, queries, histories, list members: the options of a selection and what is read; `kind::plan` is the result, which is passed on |
//! | `checkpoint` | positions as text: bound to what they were made for, with a checksum |
//! | `position` | how far a stream is, and how its changes are found: plain data |
//! | `event`, `rejection`, `time` | events and selections, the meaning of rejections, points in time |

mod checkpoint;
mod event;
mod files;
mod kind;
mod output;
mod position;
mod read;
mod rejection;
mod stream;
mod sync;
mod time;

pub use event::{
    Change, ColumnChange, Event, Failure, FileForm, Operation, Page, Reset, Schema, Selection,
    Warning,
};
pub use sync::Sync;

#[cfg(test)]
mod tests;
