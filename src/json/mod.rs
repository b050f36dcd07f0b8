//! JSON as text: read and written with every value as it is written.

mod object;
mod raw;
mod writer;

pub(crate) use object::Object;
pub(crate) use raw::Raw;
pub(crate) use writer::{Writer, array, quoted};
