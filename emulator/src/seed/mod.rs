//! Fills the organization with rows: by [import](import) from CSV files, or made up.

pub mod command;
pub mod day;
pub mod extra;
pub mod generate;
pub mod import;
pub mod marketing;
mod names;
pub mod processes;
mod random;
