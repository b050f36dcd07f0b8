//! The operations on the tables for sales (reference §12).

mod closing;
mod initialize;
mod lists;
mod merge;
mod process;
mod queue;

pub(in crate::api) use merge::is_mergeable;
