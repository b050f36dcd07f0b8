//! Metadata as it travels (reference §5.2, §5.3, §5.5). Only what is used is read, and
//! whatever may be missing may be missing, or null.

use std::fmt;

use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Reads null as the default, such as an empty list.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[derive(Deserialize)]
pub(super) struct List<T> {
    pub(super) value: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", bound = "A: Default + Deserialize<'de>")]
pub(super) struct Table<A> {
    pub(super) logical_name: String,
    pub(super) entity_set_name: Option<String>,
    pub(super) primary_id_attribute: Option<String>,
    pub(super) primary_name_attribute: Option<String>,
    pub(super) display_name: Option<Text>,
    pub(super) is_private: Option<bool>,
    pub(super) change_tracking_enabled: Option<bool>,
    /// `{"Value": …}` among others.
    #[serde(default)]
    pub(super) can_change_tracking_be_enabled: Value,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) attributes: A,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) keys: Vec<Key>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) many_to_one_relationships: Vec<Value>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) one_to_many_relationships: Vec<Value>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) many_to_many_relationships: Vec<Value>,
}

/// Whether a table has a column that grows with every change. Nothing else is kept of the
/// names of its columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ShowsChanges(pub(super) bool);

/// The columns whose values grow with every change.
pub(super) const GROWING: [&str; 2] = ["modifiedon", "versionnumber"];

/// Whether the values of the column of that name grow with every change.
pub(super) fn grows(name: &str) -> bool {
    GROWING.contains(&name)
}

impl<'de> Deserialize<'de> for ShowsChanges {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = ShowsChanges;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of columns")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ShowsChanges, A::Error> {
                #[derive(Deserialize)]
                #[serde(rename_all = "PascalCase")]
                struct Named {
                    logical_name: String,
                }

                let mut shows = false;
                while let Some(column) = seq.next_element::<Named>()? {
                    shows |= grows(&column.logical_name);
                }
                Ok(ShowsChanges(shows))
            }
        }

        deserializer.deserialize_seq(Names)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Column {
    pub(super) logical_name: String,
    pub(super) attribute_type: Option<String>,
    pub(super) attribute_type_name: Option<Valued<Option<String>>>,
    pub(super) attribute_of: Option<String>,
    pub(super) display_name: Option<Text>,
    pub(super) required_level: Option<Valued<Option<String>>>,
    pub(super) is_secured: Option<bool>,
    #[serde(rename = "ColumnNumber")]
    pub(super) number: Option<i32>,
    pub(super) is_valid_for_read: Option<bool>,
    pub(super) is_valid_for_create: Option<bool>,
    pub(super) is_valid_for_update: Option<bool>,
    #[serde(rename = "IsValidODataAttribute")]
    pub(super) is_valid_for_odata: Option<bool>,
}

/// What one cast tells of one column.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Detail {
    pub(super) logical_name: String,
    pub(super) targets: Option<Vec<String>>,
    pub(super) option_set: Option<OptionSet>,
    pub(super) global_option_set: Option<OptionSet>,
    pub(super) max_length: Option<i64>,
    pub(super) precision: Option<i64>,
    /// Numbers as they were written: they may have more digits than a binary one.
    pub(super) min_value: Option<Box<RawValue>>,
    pub(super) max_value: Option<Box<RawValue>>,
    pub(super) format: Option<String>,
    pub(super) format_name: Option<Valued<Option<String>>>,
    pub(super) date_time_behavior: Option<Valued<Option<String>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OptionSet {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) options: Vec<OptionItem>,
    pub(super) name: Option<String>,
    pub(super) is_global: Option<bool>,
    pub(super) true_option: Option<OptionItem>,
    pub(super) false_option: Option<OptionItem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OptionItem {
    /// Null in damaged customizations; such an option cannot be in a row.
    pub(super) value: Option<i32>,
    pub(super) label: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Key {
    pub(super) logical_name: Option<String>,
    pub(super) schema_name: Option<String>,
    #[serde(default, rename = "KeyAttributes", deserialize_with = "or_default")]
    pub(super) columns: Vec<String>,
    pub(super) entity_key_index_status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Valued<T> {
    pub(super) value: T,
}

/// A text for people, in one language: the user's own, else the first that has one.
#[derive(Deserialize)]
#[serde(from = "Label")]
pub(super) struct Text(pub(super) Option<String>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Label {
    user_localized_label: Option<LocalizedLabel>,
    #[serde(default, deserialize_with = "or_default")]
    localized_labels: Vec<LocalizedLabel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LocalizedLabel {
    label: Option<String>,
}

impl From<Label> for Text {
    fn from(label: Label) -> Self {
        Self(
            label
                .user_localized_label
                .into_iter()
                .chain(label.localized_labels)
                .filter_map(|label| label.label)
                .find(|text| !text.is_empty()),
        )
    }
}
