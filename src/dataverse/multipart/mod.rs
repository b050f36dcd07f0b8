//! Bodies of several parts, as batches have them (reference 8.1, 8.2).

mod read;
mod write;

pub(super) use read::{Part, PartResponse, boundary, read};
pub(super) use write::write;

#[cfg(test)]
mod tests;
