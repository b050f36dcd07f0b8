//! Small answers, taken apart member by member.

use serde_json::Value;

use super::client::{Client, unreadable};
use super::guid::Guid;
use super::link::Link;
use super::message::Prefer;
use crate::error::Error;
use crate::host::Host;

/// What is wrong with an answer that lacks something.
pub(crate) const INCOMPLETE: &str = "it lacks what was asked for";

/// A JSON object of the service. A member that is missing, null or of another kind is none.
///
/// It is for answers of a few members. Large ones are read as an
/// [`Object`](crate::json::Object), which costs less memory.
#[derive(Clone, Copy, Debug)]
pub struct Record<'v>(pub &'v Value);

impl<'v> Record<'v> {
    /// A text.
    pub fn text(self, name: &str) -> Option<&'v str> {
        self.0.get(name)?.as_str()
    }

    /// Whether something is so.
    pub fn flag(self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    /// A whole number.
    pub fn number(self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    /// The key of a row.
    pub fn key(self, name: &str) -> Option<Guid> {
        Guid::parse(self.text(name)?)
    }

    /// An object within this one.
    pub fn record(self, name: &str) -> Option<Record<'v>> {
        self.0.get(name).filter(|it| it.is_object()).map(Record)
    }

    /// The elements of a list that may have none: some servers write null then.
    pub fn elements(self, name: &str) -> Option<&'v [Value]> {
        match self.0.get(name)? {
            Value::Null => Some(&[]),
            list => list.as_array().map(Vec::as_slice),
        }
    }

    /// The elements of a list.
    pub fn list(self, name: &str) -> Option<&'v [Value]> {
        self.0.get(name)?.as_array().map(Vec::as_slice)
    }
}

impl<H: Host> Client<H> {
    /// Reads a small answer; `read` gives none if it lacks what was asked for.
    ///
    /// # Errors
    /// As for [`get_json`](Self::get_json).
    pub async fn read<T>(
        &self,
        link: &Link,
        read: impl FnOnce(Record<'_>) -> Option<T>,
    ) -> Result<T, Error> {
        let body = self.get_json(link, &Prefer::default()).await?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        read(Record(&answer)).ok_or_else(|| unreadable(link, &INCOMPLETE))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_of_another_kind_is_none() {
        let value = json!({
            "text": "a", "flag": true, "number": 9_007_199_254_740_993_i64,
            "key": "627090FF-40a3-4053-8790-584edc5be201", "record": {}, "list": [1], "null": null,
        });
        let record = Record(&value);
        for name in [
            "text", "flag", "number", "key", "record", "list", "null", "",
        ] {
            let only = |kind: &str| name == kind;
            assert_eq!(record.text(name).is_some(), only("text") || only("key"));
            assert_eq!(record.flag(name).is_some(), only("flag"));
            assert_eq!(record.number(name).is_some(), only("number"));
            assert_eq!(record.key(name).is_some(), only("key"));
            assert_eq!(record.record(name).is_some(), only("record"));
            assert_eq!(record.list(name).is_some(), only("list"));
        }
        assert_eq!(record.number("number"), Some(9_007_199_254_740_993));
        let counts = ["list", "null", "text", ""].map(|name| Some(record.elements(name)?.len()));
        assert_eq!(counts, [Some(1), Some(0), None, None]);
        assert_eq!(Record(&json!([])).text("text"), None);
    }
}
