//! Reading a JSON document key by key, noting every fault with its place.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::text::edit_distance;

/// The faults found so far, each a clause such as `"tenant" must be text`.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<String>);

impl Faults {
    pub(super) fn note(&mut self, fault: impl Into<String>) {
        self.0.push(fault.into());
    }

    pub(super) fn into_sentence(self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join("; "))
    }
}

/// The members of one object. Each is taken by name; one that is left over is a fault.
pub(super) struct Fields<'a> {
    members: Map<String, Value>,
    /// The names above this object, such as `auth.`.
    path: String,
    known: Vec<&'static str>,
    faults: &'a mut Faults,
}

impl<'a> Fields<'a> {
    pub(super) fn root(members: Map<String, Value>, faults: &'a mut Faults) -> Self {
        Self {
            members,
            path: String::new(),
            known: Vec::new(),
            faults,
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.members.remove(key).filter(|value| !value.is_null())
    }

    /// Notes a fault of one member.
    pub(super) fn reject(&mut self, key: &str, reason: &str) {
        self.faults.note(format!("\"{}{key}\" {reason}", self.path));
    }

    fn mistyped<T>(&mut self, key: &str, expected: &str, found: &Value) -> Option<T> {
        self.reject(key, &format!("must be {expected}, not {}", type_of(found)));
        None
    }

    /// A member that is text and that `read` accepts.
    pub(super) fn text<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match self.take(key)? {
            Value::String(text) => match read(&text) {
                Ok(value) => Some(value),
                Err(reason) => {
                    self.reject(key, &reason);
                    None
                }
            },
            other => self.mistyped(key, "text", &other),
        }
    }

    /// Like [`text`](Self::text), but a missing member is a fault.
    pub(super) fn required_text<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.require(key);
        self.text(key, read)
    }

    /// A whole number; `default` if it is missing.
    pub(super) fn integer(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
        default: u32,
    ) -> u32 {
        let Some(value) = self.take(key) else {
            return default;
        };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        match number {
            Some(number) if range.contains(&number) => number,
            _ => {
                let (low, high) = range.into_inner();
                let found = match value {
                    Value::Number(number) => number.to_string(),
                    other => type_of(&other).to_owned(),
                };
                self.reject(
                    key,
                    &format!("must be a whole number from {low} to {high}, not {found}"),
                );
                default
            }
        }
    }

    /// True or false; false if it is missing.
    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        match self.take(key) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(other) => self
                .mistyped(key, "true or false", &other)
                .unwrap_or_default(),
        }
    }

    /// An array of texts that `read` accepts; empty if it is missing.
    pub(super) fn texts<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        self.items(key, |fields, place, item| match item {
            Value::String(text) => match read(&text) {
                Ok(value) => Some(value),
                Err(reason) => {
                    fields.reject(place, &reason);
                    None
                }
            },
            other => fields.mistyped(place, "text", &other),
        })
    }

    /// An array of objects; empty if it is missing.
    pub(super) fn objects<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&mut Fields<'_>) -> T,
    ) -> Vec<T> {
        self.items(key, |fields, place, item| {
            fields.read_object(place, item, &read)
        })
    }

    /// The items of an array that `read` accepts; it gets the place of each.
    fn items<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&mut Self, &str, Value) -> Option<T>,
    ) -> Vec<T> {
        let items = match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => self.mistyped(key, "an array", &other).unwrap_or_default(),
        };
        items
            .into_iter()
            .enumerate()
            .filter_map(|(index, item)| read(self, &format!("{key}[{index}]"), item))
            .collect()
    }

    /// Reads the object under `key`; an empty one if it is missing.
    pub(super) fn object<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Option<T> {
        let value = self.take(key).unwrap_or_else(|| Value::Object(Map::new()));
        self.read_object(key, value, read)
    }

    /// Like [`object`](Self::object), but a missing member is a fault.
    pub(super) fn required_object<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Option<T> {
        self.require(key);
        let value = self.take(key)?;
        self.read_object(key, value, read)
    }

    fn read_object<T>(
        &mut self,
        key: &str,
        value: Value,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Option<T> {
        let members = match value {
            Value::Object(members) => members,
            other => return self.mistyped(key, "an object", &other),
        };
        let mut fields = Fields {
            members,
            path: format!("{}{key}.", self.path),
            known: Vec::new(),
            faults: self.faults,
        };
        let value = read(&mut fields);
        fields.finish();
        Some(value)
    }

    fn require(&mut self, key: &str) {
        if self.members.get(key).is_none_or(Value::is_null) {
            self.reject(key, "is missing");
        }
    }

    /// Ignores every remaining member, because their meaning is unknown.
    pub(super) fn ignore_rest(&mut self) {
        self.members.clear();
    }

    /// Notes the members that are left over.
    pub(super) fn finish(self) {
        for key in self.members.keys() {
            let advice = match nearest(key, &self.known) {
                Some(known) => format!("did you mean \"{}{known}\"?", self.path),
                None => format!("known settings: {}", self.known.join(", ")),
            };
            let key: String = key.chars().filter(|c| !c.is_control()).take(64).collect();
            self.faults.note(format!(
                "\"{}{key}\" is not a setting ({advice})",
                self.path
            ));
        }
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The most similar known key, within a third of its length.
pub(super) fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .map(|c| c.to_ascii_lowercase())
            .collect()
    };
    let key = plain(key);
    // A key longer than any real one is not compared: its cost would grow with its length.
    if key.chars().count() > 40 {
        return None;
    }
    known
        .iter()
        .map(|candidate| (edit_distance(&key, &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_suggested() {
        let known = ["environment", "tenant", "auth", "apiVersion"];
        for (key, expected) in [
            ("enviroment", Some("environment")),
            ("Tenant", Some("tenant")),
            ("tenantt", Some("tenant")),
            ("api_version", Some("apiVersion")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(key, &known), expected, "{key}");
        }
    }
}
