//! A JSON value as its text.

use std::borrow::Cow;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::parts::string;

/// A JSON value as it is written, interpreted only when it is read. A value that is missing, null
/// or of another type reads as `None`.
///
/// Structures that are deserialized in one pass have fields of this type: numbers stay exact, an
/// unpaired surrogate does not make the whole document unreadable, and a value of an unexpected
/// type affects no other value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw<'t>(Option<&'t str>);

impl<'t> Raw<'t> {
    /// The value with this JSON text.
    pub fn of(json: &'t str) -> Self {
        Self(Some(json))
    }

    /// A string, without a copy if it has no escapes.
    #[inline(never)]
    pub fn as_text(self) -> Option<Cow<'t, str>> {
        string(self.0?)
    }

    /// A text.
    pub fn text(self) -> Option<String> {
        self.as_text().map(Cow::into_owned)
    }

    /// A text that is not empty.
    pub fn non_empty_text(self) -> Option<String> {
        self.text().filter(|text| !text.is_empty())
    }

    /// A boolean.
    #[inline(never)]
    pub fn flag(self) -> Option<bool> {
        self.0?.parse().ok()
    }

    /// An integer, if it fits.
    pub fn integer<T: FromStr>(self) -> Option<T> {
        self.0?.parse().ok()
    }

    /// A number as it is written, digit by digit.
    #[inline(never)]
    pub fn number(self) -> Option<String> {
        let number = self.0?;
        number
            .starts_with(|c: char| c == '-' || c.is_ascii_digit())
            .then(|| number.to_owned())
    }

    /// The JSON text.
    pub fn json(self) -> Option<&'t str> {
        self.0
    }
}

impl<'de: 't, 't> Deserialize<'de> for Raw<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::<&'t RawValue>::deserialize(deserializer)?;
        Ok(Self(value.map(RawValue::get)))
    }
}
