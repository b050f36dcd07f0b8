//! JSON as text: read and written with every value as it is written.

mod object;
mod writer;

pub(crate) use object::Object;
pub(crate) use writer::{Writer, array, quoted};
