//! The part of XML that queries, layouts of views and paging cookies need: tags and their
//! attributes, one after another.

use std::ops::Range;

/// Whether a tag begins an element, ends it, or is a whole element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TagKind {
    Begin,
    End,
    Whole,
}

/// A tag.
#[derive(Clone, Debug)]
pub(crate) struct Tag<'x> {
    pub(crate) name: &'x str,
    pub(crate) kind: TagKind,
    /// Its place in the text.
    pub(crate) place: Range<usize>,
    attributes: &'x str,
}

impl<'x> Tag<'x> {
    /// The attributes with their values, unescaped.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&'x str, String)> {
        let mut rest = self.attributes;
        std::iter::from_fn(move || {
            let (name, after) = rest.split_once('=')?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let (value, after) = after.get(1..)?.split_once(quote)?;
            rest = after;
            Some((name.trim(), unescaped(value)))
        })
    }

    /// The value of an attribute.
    pub(crate) fn get(&self, wanted: &str) -> Option<String> {
        self.attributes()
            .find_map(|(name, value)| (name == wanted).then_some(value))
    }
}

/// The tags of a text, in order; the text between them is skipped.
pub(crate) struct Tags<'x> {
    text: &'x str,
    at: usize,
}

impl<'x> Tags<'x> {
    /// The tags of this text.
    pub(crate) fn of(text: &'x str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'x str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next tag; none at the end, and where the text is not XML.
    fn tag(&mut self) -> Option<Tag<'x>> {
        loop {
            self.at += self.rest().find('<')?;
            let rest = self.rest();
            let skipped = [("<!--", "-->"), ("<?", "?>"), ("<![CDATA[", "]]>")];
            let Some((begin, end)) = skipped.iter().find(|(begin, _)| rest.starts_with(begin))
            else {
                break;
            };
            let inside = rest.get(begin.len()..)?;
            self.at += begin.len() + inside.find(end)? + end.len();
        }
        let rest = self.rest();
        let length = end_of_tag(rest)?;
        let place = self.at..self.at + length;
        self.at = place.end;
        let inside = rest.get(1..length - 1)?;
        let (inside, kind) = if let Some(inside) = inside.strip_prefix('/') {
            (inside, TagKind::End)
        } else if let Some(inside) = inside.strip_suffix('/') {
            (inside, TagKind::Whole)
        } else {
            (inside, TagKind::Begin)
        };
        let (name, attributes) = inside
            .split_once(|c: char| c.is_ascii_whitespace())
            .unwrap_or((inside, ""));
        Some(Tag {
            name,
            kind,
            place,
            attributes,
        })
    }
}

impl<'x> Iterator for Tags<'x> {
    type Item = Tag<'x>;

    fn next(&mut self) -> Option<Tag<'x>> {
        self.tag()
    }
}

/// The length of the tag that the text begins with.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (index, character) in text.char_indices() {
        match (quote, character) {
            (None, '>') => return Some(index + 1),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    None
}

/// The text, escaped for an attribute in double quotation marks.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let character = after
            .split_once(';')
            .and_then(|(entity, after)| Some((character(entity)?, after)));
        if let Some((character, after)) = character {
            plain.push(character);
            rest = after;
        } else {
            plain.push('&');
            rest = after;
        }
    }
    plain.push_str(rest);
    plain
}

fn character(entity: &str) -> Option<char> {
    let code = match entity {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => entity.strip_prefix('#')?,
    };
    let code = match code.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => code.parse(),
    };
    char::from_u32(code.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_their_attributes() {
        let text = "<?xml version='1.0'?><!-- <a> --><fetch top = '5' a=\"x &gt; &#233;&#x41;\">\
                    text<entity name='a>b'/></fetch>";
        let tags: Vec<_> = Tags::of(text)
            .map(|tag| (tag.name, tag.kind, tag.attributes().collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            tags,
            [
                (
                    "fetch",
                    TagKind::Begin,
                    vec![("top", "5".to_owned()), ("a", "x > éA".to_owned())]
                ),
                ("entity", TagKind::Whole, vec![("name", "a>b".to_owned())]),
                ("fetch", TagKind::End, vec![]),
            ]
        );
    }

    #[test]
    fn escaped_text_is_restored() {
        let text = "a & b < c > \"d\" 'e' &amp; é";
        let tag = format!("<x y=\"{}\">", escaped(text));
        let found = Tags::of(&tag).next().unwrap().get("y");
        assert_eq!(found.as_deref(), Some(text));
        assert_eq!(unescaped("a&b;c&"), "a&b;c&");
        for broken in ["<", "<a", "<a b='", "<!--", "text", ""] {
            assert!(Tags::of(broken).next().is_none(), "{broken}");
        }
    }
}
