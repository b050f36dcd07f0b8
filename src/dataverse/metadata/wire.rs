//! Metadata as it travels (reference §5.2, §5.3, §5.5). Only what is used is read, and
//! whatever may be missing may be missing.

use std::fmt;

use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};

#[derive(Deserialize)]
pub(super) struct List<T> {
    pub(super) value: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Table<A> {
    pub(super) logical_name: String,
    pub(super) entity_set_name: Option<String>,
    pub(super) primary_id_attribute: Option<String>,
    pub(super) primary_name_attribute: Option<String>,
    pub(super) display_name: Option<Label>,
    pub(super) is_private: Option<bool>,
    pub(super) change_tracking_enabled: Option<bool>,
    pub(super) attributes: A,
    #[serde(default)]
    pub(super) keys: Vec<Key>,
}

/// Which of the columns that grow with every change a table has. Of all the other names
/// nothing is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HasColumn {
    pub(super) modified_on: bool,
    pub(super) version_number: bool,
}

impl<'de> Deserialize<'de> for HasColumn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = HasColumn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of columns")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<HasColumn, A::Error> {
                #[derive(Deserialize)]
                #[serde(rename_all = "PascalCase")]
                struct Named {
                    logical_name: String,
                }

                let mut has = HasColumn::default();
                while let Some(column) = seq.next_element::<Named>()? {
                    has.modified_on |= column.logical_name == "modifiedon";
                    has.version_number |= column.logical_name == "versionnumber";
                }
                Ok(has)
            }
        }

        deserializer.deserialize_seq(Names)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attribute {
    pub(super) logical_name: String,
    pub(super) attribute_type: Option<String>,
    pub(super) attribute_type_name: Option<Valued<Option<String>>>,
    pub(super) attribute_of: Option<String>,
    pub(super) display_name: Option<Label>,
    pub(super) column_number: Option<i32>,
    pub(super) is_valid_for_read: Option<bool>,
    pub(super) is_valid_for_create: Option<bool>,
    pub(super) is_valid_for_update: Option<bool>,
    #[serde(rename = "IsValidODataAttribute")]
    pub(super) is_valid_odata_attribute: Option<bool>,
}

/// What one cast tells of one column.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Detail {
    pub(super) logical_name: String,
    pub(super) targets: Option<Vec<String>>,
    pub(super) option_set: Option<OptionSet>,
    pub(super) max_length: Option<i64>,
    pub(super) precision: Option<i64>,
    pub(super) date_time_behavior: Option<Valued<Option<String>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OptionSet {
    #[serde(default)]
    pub(super) options: Vec<OptionItem>,
    pub(super) true_option: Option<OptionItem>,
    pub(super) false_option: Option<OptionItem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OptionItem {
    /// Null in damaged customizations; such an option cannot be in a row.
    pub(super) value: Option<i32>,
    pub(super) label: Option<Label>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Key {
    pub(super) logical_name: Option<String>,
    pub(super) schema_name: Option<String>,
    #[serde(default)]
    pub(super) key_attributes: Vec<String>,
    pub(super) entity_key_index_status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Valued<T> {
    pub(super) value: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Label {
    user_localized_label: Option<LocalizedLabel>,
    #[serde(default)]
    localized_labels: Vec<LocalizedLabel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LocalizedLabel {
    label: Option<String>,
}

impl Label {
    /// The text in the user's language, or in the first language that has one.
    pub(super) fn into_text(self) -> Option<String> {
        self.user_localized_label
            .into_iter()
            .chain(self.localized_labels)
            .filter_map(|label| label.label)
            .find(|text| !text.is_empty())
    }
}
