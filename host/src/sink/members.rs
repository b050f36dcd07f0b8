//! The members of a row's JSON object, as raw text: no number is parsed, nothing is copied.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Hands each member of a JSON object, name and raw value, to a function.
pub(super) fn for_each_member<'de>(
    line: &'de str,
    visit: impl FnMut(&str, &'de str),
) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(line);
    Members(visit).deserialize(&mut json)?;
    json.end()
}

struct Members<F>(F);

#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, F: FnMut(&str, &'de str)> DeserializeSeed<'de> for Members<F> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str, &'de str)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = members.next_key()? {
            let value: &'de RawValue = members.next_value()?;
            self.0(&name, value.get());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_order_with_their_raw_text() {
        let mut seen = Vec::new();
        for_each_member(r#"{"a":1.0,"b\n":{"x":[]} }"#, |name, value| {
            seen.push((name.to_owned(), value));
        })
        .unwrap();
        assert_eq!(
            seen,
            [("a".to_owned(), "1.0"), ("b\n".to_owned(), r#"{"x":[]}"#)]
        );
        assert!(for_each_member("[1]", |_, _| ()).is_err());
        assert!(for_each_member("{} {}", |_, _| ()).is_err());
    }
}
