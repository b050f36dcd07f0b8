//! Small JSON objects, read member by member.
//!
//! One routine reads every kind of object: a type for each would be compiled into a parser of its
//! own. Nested objects are scanned again when they are read, so large documents are read by
//! structures of [`Raw`] values instead.

use std::borrow::Cow;
use std::str::FromStr;

use dataverse_rows::{Raw, elements, members};

/// A JSON object. A member that is missing, null or of another type reads as `None`.
#[derive(Debug, Default)]
pub(crate) struct Object<'t>(Vec<(Cow<'t, str>, &'t str)>);

impl<'t> Object<'t> {
    /// The object that a body holds, if it holds one and nothing else.
    pub(crate) fn parse(body: &'t [u8]) -> Option<Self> {
        Self::of(std::str::from_utf8(body).ok()?)
    }

    fn of(json: &'t str) -> Option<Self> {
        members(json).map(Self)
    }

    fn member(&self, name: &str) -> Option<&'t str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    fn raw(&self, name: &str) -> Raw<'t> {
        self.member(name).map_or_else(Raw::default, Raw::of)
    }

    /// Whether there is such a member and it is not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.member(name).is_some_and(|value| value != "null")
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.raw(name).text()
    }

    /// A text that is not empty.
    pub(crate) fn non_empty_text(&self, name: &str) -> Option<String> {
        self.raw(name).non_empty_text()
    }

    /// A boolean.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.raw(name).flag()
    }

    /// An integer, if it fits.
    pub(crate) fn integer<T: FromStr>(&self, name: &str) -> Option<T> {
        self.raw(name).integer()
    }

    /// A number as it is written, digit by digit.
    pub(crate) fn number(&self, name: &str) -> Option<String> {
        self.raw(name).number()
    }

    /// An object in this one.
    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        Self::of(self.member(name)?)
    }

    /// The only member, if there is only one and it is an object: a variant under its name.
    pub(crate) fn variant(&self) -> Option<(&str, Self)> {
        match self.0.as_slice() {
            [(name, value)] => Some((name, Self::of(value)?)),
            _ => None,
        }
    }

    /// The elements of a list, of any type. Some servers write an empty list as null.
    pub(crate) fn elements(&self, name: &str) -> Option<Vec<&'t str>> {
        match self.member(name)? {
            "null" => Some(Vec::new()),
            list => elements(list),
        }
    }

    /// The objects in a list.
    pub(crate) fn list(&self, name: &str) -> Option<impl Iterator<Item = Self> + use<'t>> {
        Some(self.elements(name)?.into_iter().filter_map(Self::of))
    }

    /// The objects in a list; none if there is no list.
    pub(crate) fn objects(&self, name: &str) -> impl Iterator<Item = Self> + use<'t> {
        self.list(name).into_iter().flatten()
    }

    /// The texts in a list; none if there is no list.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let elements = self.elements(name).into_iter().flatten();
        elements.filter_map(|text| Raw::of(text).text()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_type_reads_as_none() {
        let json = br#" {"text":"a\n","flag":true,"integer":9007199254740993,"object":{"a":{}},
            "list":[{"a":1},"b",null],"exact":-1.10,"null":null,"\u0065mpty":""} "#;
        let object = Object::parse(json).unwrap();
        for name in [
            "text", "flag", "integer", "object", "list", "exact", "null", "",
        ] {
            let only = |kind: &str| name == kind;
            assert_eq!(object.text(name).is_some(), only("text"), "{name}");
            assert_eq!(object.flag(name).is_some(), only("flag"));
            assert_eq!(object.integer::<i64>(name).is_some(), only("integer"));
            assert_eq!(
                object.number(name).is_some(),
                only("integer") || only("exact")
            );
            assert_eq!(object.object(name).is_some(), only("object"));
            assert_eq!(object.list(name).is_some(), only("list") || only("null"));
            assert_eq!(object.objects(name).count(), usize::from(only("list")));
            assert_eq!(object.texts(name).len(), usize::from(only("list")));
        }
        assert_eq!(object.text("text").as_deref(), Some("a\n"));
        assert_eq!(object.integer("integer"), Some(9_007_199_254_740_993_i64));
        assert_eq!(object.integer::<u8>("integer"), None);
        assert_eq!(object.number("exact").as_deref(), Some("-1.10"));
        assert_eq!(
            (object.text("empty"), object.non_empty_text("empty")),
            (Some(String::new()), None)
        );
    }

    #[test]
    fn text_that_is_not_one_object_is_rejected() {
        for json in ["", "[]", "1", "{", "{} {}", "{\"a\":}", "null"] {
            assert!(Object::parse(json.as_bytes()).is_none(), "{json}");
        }
    }
}
