//! Rows of Dataverse's pages: from the service's JSON to lines of rows.
//!
//! This is a package of its own because it alone touches every byte of every page: it is
//! compiled for speed, while the rest of the connector is compiled for size. So nothing here
//! that runs for each row is generic or inlined into callers outside.

#![forbid(unsafe_code)]

mod line;
mod members;
mod parts;
mod raw;
mod scanner;
mod surrogates;
mod walk;

pub use members::{Column, Members, column_name};
pub use parts::{elements, members, push_quoted, sanitized, string};
pub use raw::Raw;
pub use walk::{Malformed, Piece, Walked, check, walk};
