//! Custom tables: what the platform puts into every one, and as many as a test needs.

mod extra;
pub(super) mod skeleton;
