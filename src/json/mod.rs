//! JSON as text: objects taken apart and put together, with every value as it is written.

mod object;
mod writer;

use serde_json::Value;

pub(crate) use object::Object;
pub(crate) use writer::Writer;

/// A JSON string.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A JSON array of what is JSON already.
pub(crate) fn array(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    format!("[{}]", items.join(","))
}
