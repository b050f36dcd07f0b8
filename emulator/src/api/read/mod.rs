//! Reads of rows (reference §4, §6).

mod apply;
mod delta;
mod expand;
mod fetch;
mod list;
mod order;
mod single;
mod view;

pub(super) use self::{delta::DeltaToken, list::Source};
