//! Labels in the languages a request sees.

use serde_json::{Value, json};

use crate::schema::{Label, metadata_id};

/// The organization's language, US English.
const BASE_LANGUAGE: i32 = 1033;

/// The languages of labels.
#[derive(Debug, Clone)]
pub(in crate::api) struct Labels {
    /// The language of the caller.
    pub(in crate::api) language: i32,
    /// The requested languages, if any (`LabelLanguages`).
    pub(in crate::api) only: Option<Vec<i32>>,
}

impl Labels {
    /// A label, or the JSON of an absent one.
    pub(super) fn of(&self, label: Option<&Label>) -> Value {
        let Some(label) = label else {
            return json!({"LocalizedLabels": [], "UserLocalizedLabel": null});
        };
        let base = (BASE_LANGUAGE, label.text.as_str());
        let others = label.translations.iter();
        let texts =
            std::iter::once(base).chain(others.map(|(language, text)| (*language, text.as_str())));
        let told = texts.filter(|(language, _)| {
            let only = self.only.as_ref();
            only.is_none_or(|only| only.contains(language))
        });
        let localized: Vec<(i32, Value)> = told
            .map(|(language, text)| {
                let value = json!({
                    "Label": text,
                    "LanguageCode": language,
                    "IsManaged": true,
                    "MetadataId": metadata_id(&["label", text]),
                    "HasChanged": null,
                });
                (language, value)
            })
            .collect();
        let of_user = localized
            .iter()
            .find(|(language, _)| *language == self.language)
            .or_else(|| localized.first())
            .map(|(_, value)| value.clone());
        let all: Vec<Value> = localized.into_iter().map(|(_, value)| value).collect();
        json!({"LocalizedLabels": all, "UserLocalizedLabel": of_user})
    }

    /// A label that is known in US English only.
    pub(super) fn plain(&self, text: &str) -> Value {
        self.of(Some(&text.into()))
    }
}
