//! Reading the rows of a stream: one reader for each way.
//!
//! A reader is one `async` function, `run`, that requests pages and hands their rows to the
//! stream's [`Output`](super::output::Output). It requests the next page before it hands out this
//! one, so that the request is in flight while the host works, and waits until the host has taken
//! the rows before it reads the next page. It ends when its stream is [complete, or must be read
//! again in another way](End).

mod keys;
mod page;
pub(super) mod paged;
pub(super) mod queried;
pub(super) mod ranged;
mod restart;
pub(super) mod share;
mod start;
pub(super) mod sweep;
pub(super) mod warnings;

pub(super) use restart::{End, Restart};
pub(super) use start::{FullRead, ListingResume, PagedResume, Start};
