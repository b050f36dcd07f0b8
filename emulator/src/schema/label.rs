//! Texts for people.

use serde::{Deserialize, Serialize};

/// A text shown to people, in US English and other languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The text in US English, the organization's language.
    pub text: String,
    /// The text in other languages, by language code such as 1031.
    pub translations: Vec<(i32, String)>,
}

impl Label {
    /// The text in this language, or in the organization's if there is none.
    pub fn in_language(&self, language: i32) -> &str {
        self.translations
            .iter()
            .find(|(code, _)| *code == language)
            .map_or(&self.text, |(_, text)| text)
    }
}

impl<T: Into<String>> From<T> for Label {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            translations: Vec::new(),
        }
    }
}
