//! Writing JSON as text.

use dataverse_rows::push_quoted;

/// A JSON object that is being written, with the objects and arrays in it.
///
/// It is written as text, because no binary number holds all digits of a decimal one, and into one
/// buffer, because schemas of wide tables are large.
#[derive(Debug)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// An object without members.
    pub(crate) fn new() -> Self {
        Self(b"{".to_vec())
    }

    /// Adds a member whose value is JSON already.
    pub(crate) fn member(&mut self, name: &str, json: &str) {
        self.name(name);
        self.0.extend_from_slice(json.as_bytes());
    }

    /// Adds a member with a text.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        push_quoted(&mut self.0, text);
    }

    /// Adds a member with an object.
    pub(crate) fn object(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.name(name);
        self.0.push(b'{');
        write(self);
        self.0.push(b'}');
    }

    /// Adds a member with an array; `write` writes its elements.
    pub(crate) fn array(&mut self, name: &str, write: impl FnOnce(&mut Elements<'_>)) {
        self.name(name);
        self.0.push(b'[');
        write(&mut Elements(self));
        self.0.push(b']');
    }

    fn name(&mut self, name: &str) {
        self.separate();
        push_quoted(&mut self.0, name);
        self.0.push(b':');
    }

    fn separate(&mut self) {
        // No value ends with an opening bracket, so the last byte shows whether this is the first
        // member or element.
        if !matches!(self.0.last(), Some(b'{' | b'[')) {
            self.0.push(b',');
        }
    }

    /// The whole object.
    pub(crate) fn end(mut self) -> String {
        self.0.push(b'}');
        text_of(self.0)
    }
}

/// The elements of an array that is being written.
#[derive(Debug)]
pub(crate) struct Elements<'w>(&'w mut Writer);

impl Elements<'_> {
    /// Adds an element that is JSON already.
    pub(crate) fn json(&mut self, json: &str) {
        self.0.separate();
        self.0.0.extend_from_slice(json.as_bytes());
    }

    /// Adds a text.
    pub(crate) fn text(&mut self, text: &str) {
        self.0.separate();
        push_quoted(&mut self.0.0, text);
    }

    /// Adds an object.
    pub(crate) fn object(&mut self, write: impl FnOnce(&mut Writer)) {
        self.0.separate();
        self.0.0.push(b'{');
        write(self.0);
        self.0.0.push(b'}');
    }
}

/// A JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = Vec::with_capacity(text.len() + 2);
    push_quoted(&mut quoted, text);
    text_of(quoted)
}

/// A JSON array of what is JSON already.
pub(crate) fn array(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    format!("[{}]", items.join(","))
}

fn text_of(json: Vec<u8>) -> String {
    // Only texts were written.
    String::from_utf8(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_objects_and_arrays_are_separated_by_commas() {
        let mut writer = Writer::new();
        writer.text("a\"", "é\n");
        writer.object("b", |inner| {
            inner.member("c", "1.10");
            inner.object("d", |_| {});
        });
        writer.array("e", |_| {});
        writer.array("f", |elements| {
            elements.json("1");
            elements.text("{");
            elements.object(|object| object.text("g", "["));
        });
        assert_eq!(
            writer.end(),
            r#"{"a\"":"é\n","b":{"c":1.10,"d":{}},"e":[],"f":[1,"{",{"g":"["}]}"#
        );
        assert_eq!(Writer::new().end(), "{}");
    }
}
