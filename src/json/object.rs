//! JSON that is taken apart one level at a time, and only where it is read.
//!
//! What is not read costs no memory, and numbers stay as they were written. One routine reads
//! every kind of object; a type for each would be compiled into a parser of its own.

use std::borrow::Cow;
use std::str::FromStr;

use dataverse_rows::{elements, members, string};

/// A JSON object. A member that is missing, null or of another kind is none.
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

    /// Whether there is such a member and it is not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.member(name).is_some_and(|value| value != "null")
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        string(self.member(name)?).map(Cow::into_owned)
    }

    /// A text that is not empty.
    pub(crate) fn word(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// Whether something is so.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.member(name)?.parse().ok()
    }

    /// A whole number, if it fits.
    pub(crate) fn whole<T: FromStr>(&self, name: &str) -> Option<T> {
        self.member(name)?.parse().ok()
    }

    /// A number as it was written, letter by letter.
    pub(crate) fn number(&self, name: &str) -> Option<String> {
        let number = self.member(name)?;
        number
            .starts_with(|c: char| c == '-' || c.is_ascii_digit())
            .then(|| number.to_owned())
    }

    /// An object within this one.
    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        Self::of(self.member(name)?)
    }

    /// The only member, if it is an object: what is one of several, under the name of which it is.
    pub(crate) fn variant(&self) -> Option<(&str, Self)> {
        match self.0.as_slice() {
            [(name, value)] => Some((name, Self::of(value)?)),
            _ => None,
        }
    }

    /// The elements of a list, of whatever kind. Some servers write one without elements as null.
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
        let texts = self.elements(name).into_iter().flatten().filter_map(string);
        texts.map(Cow::into_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_another_kind_is_none() {
        let json = br#" {"text":"a\n","flag":true,"whole":9007199254740993,"object":{"a":{}},
            "list":[{"a":1},"b",null],"exact":-1.10,"null":null,"\u0065mpty":""} "#;
        let object = Object::parse(json).unwrap();
        for name in [
            "text", "flag", "whole", "object", "list", "exact", "null", "",
        ] {
            let only = |kind: &str| name == kind;
            assert_eq!(object.text(name).is_some(), only("text"), "{name}");
            assert_eq!(object.flag(name).is_some(), only("flag"));
            assert_eq!(object.whole::<i64>(name).is_some(), only("whole"));
            assert_eq!(
                object.number(name).is_some(),
                only("whole") || only("exact")
            );
            assert_eq!(object.object(name).is_some(), only("object"));
            assert_eq!(object.list(name).is_some(), only("list") || only("null"));
            assert_eq!(object.objects(name).count(), usize::from(only("list")));
            assert_eq!(object.texts(name).len(), usize::from(only("list")));
        }
        assert_eq!(object.text("text").as_deref(), Some("a\n"));
        assert_eq!(object.whole("whole"), Some(9_007_199_254_740_993_i64));
        assert_eq!(object.whole::<u8>("whole"), None);
        assert_eq!(object.number("exact").as_deref(), Some("-1.10"));
        assert_eq!(
            (object.text("empty"), object.word("empty")),
            (Some(String::new()), None)
        );
    }

    #[test]
    fn what_is_no_object_is_none() {
        for json in ["", "[]", "1", "{", "{} {}", "{\"a\":}", "null"] {
            assert!(Object::parse(json.as_bytes()).is_none(), "{json}");
        }
    }
}
