//! Metadata as the service sends it (reference §5.2 to §5.5), read in one pass over the text.
//!
//! Only properties that are used are named here; the rest is skipped. Each of them may be missing
//! or null.

use dataverse_rows::Raw;
use serde::{Deserialize, Deserializer};

/// A response that is a list.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct List<'t, T> {
    /// The elements. Some servers write an empty list as null.
    #[serde(default, deserialize_with = "list")]
    pub(super) value: Option<Vec<T>>,
    /// The address of the next page.
    #[serde(borrow, default, rename = "@odata.nextLink")]
    pub(super) next_link: Raw<'t>,
}

/// `EntityMetadata`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Table<'t> {
    #[serde(borrow)]
    pub(super) logical_name: Raw<'t>,
    pub(super) entity_set_name: Raw<'t>,
    pub(super) primary_id_attribute: Raw<'t>,
    pub(super) primary_name_attribute: Raw<'t>,
    pub(super) display_name: Option<Label<'t>>,
    pub(super) is_private: Raw<'t>,
    pub(super) change_tracking_enabled: Raw<'t>,
    pub(super) can_change_tracking_be_enabled: Option<Property<'t>>,
    pub(super) attributes: Option<Vec<Column<'t>>>,
    pub(super) keys: Option<Vec<Key<'t>>>,
    pub(super) many_to_one_relationships: Option<Vec<OneToMany<'t>>>,
    pub(super) one_to_many_relationships: Option<Vec<OneToMany<'t>>>,
    pub(super) many_to_many_relationships: Option<Vec<ManyToMany<'t>>>,
}

/// `AttributeMetadata`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Column<'t> {
    #[serde(borrow)]
    pub(super) logical_name: Raw<'t>,
    pub(super) attribute_type: Raw<'t>,
    pub(super) attribute_type_name: Option<Property<'t>>,
    pub(super) attribute_of: Raw<'t>,
    pub(super) display_name: Option<Label<'t>>,
    #[serde(rename = "ColumnNumber")]
    pub(super) number: Raw<'t>,
    pub(super) is_valid_for_read: Raw<'t>,
    pub(super) is_valid_for_create: Raw<'t>,
    pub(super) is_valid_for_update: Raw<'t>,
    #[serde(rename = "IsValidODataAttribute")]
    pub(super) is_valid_odata_attribute: Raw<'t>,
    pub(super) required_level: Option<Property<'t>>,
    pub(super) is_secured: Raw<'t>,
}

/// The properties of the types derived from `AttributeMetadata`, all in one.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Details<'t> {
    #[serde(borrow)]
    pub(super) logical_name: Raw<'t>,
    pub(super) targets: Option<Vec<Raw<'t>>>,
    pub(super) option_set: Option<OptionSet<'t>>,
    pub(super) global_option_set: Option<OptionSet<'t>>,
    pub(super) max_length: Raw<'t>,
    pub(super) format_name: Option<Property<'t>>,
    pub(super) format: Raw<'t>,
    pub(super) precision: Raw<'t>,
    pub(super) min_value: Raw<'t>,
    pub(super) max_value: Raw<'t>,
    pub(super) date_time_behavior: Option<Property<'t>>,
}

/// `OptionSetMetadata` and `BooleanOptionSetMetadata`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct OptionSet<'t> {
    #[serde(borrow)]
    pub(super) name: Raw<'t>,
    pub(super) is_global: Raw<'t>,
    pub(super) options: Option<Vec<Choice<'t>>>,
    pub(super) false_option: Option<Choice<'t>>,
    pub(super) true_option: Option<Choice<'t>>,
}

/// `OptionMetadata`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Choice<'t> {
    #[serde(borrow)]
    pub(super) value: Raw<'t>,
    pub(super) label: Option<Label<'t>>,
}

/// `EntityKeyMetadata`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Key<'t> {
    #[serde(borrow)]
    pub(super) logical_name: Raw<'t>,
    pub(super) schema_name: Raw<'t>,
    #[serde(rename = "KeyAttributes")]
    pub(super) columns: Option<Vec<Raw<'t>>>,
    pub(super) entity_key_index_status: Raw<'t>,
}

/// `OneToManyRelationshipMetadata`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct OneToMany<'t> {
    #[serde(borrow)]
    pub(super) schema_name: Raw<'t>,
    pub(super) referenced_entity: Raw<'t>,
    pub(super) referenced_attribute: Raw<'t>,
    pub(super) referencing_entity: Raw<'t>,
    pub(super) referencing_attribute: Raw<'t>,
}

/// `ManyToManyRelationshipMetadata`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct ManyToMany<'t> {
    #[serde(borrow)]
    pub(super) schema_name: Raw<'t>,
    #[serde(rename = "Entity1LogicalName")]
    pub(super) first_entity: Raw<'t>,
    #[serde(rename = "Entity1IntersectAttribute")]
    pub(super) first_attribute: Raw<'t>,
    #[serde(rename = "Entity2LogicalName")]
    pub(super) second_entity: Raw<'t>,
    #[serde(rename = "Entity2IntersectAttribute")]
    pub(super) second_attribute: Raw<'t>,
    pub(super) intersect_entity_name: Raw<'t>,
}

/// A value in an object of its own: a managed property, a type's name, a format.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Property<'t> {
    #[serde(borrow)]
    pub(super) value: Raw<'t>,
}

/// A label in several languages.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Label<'t> {
    #[serde(borrow)]
    user_localized_label: Option<LocalizedLabel<'t>>,
    /// A list of [`LocalizedLabel`]. It is rarely needed, and long if many languages are installed.
    localized_labels: Raw<'t>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct LocalizedLabel<'t> {
    #[serde(borrow)]
    label: Raw<'t>,
}

impl Label<'_> {
    /// The text in the user's language, or in the first language that has one.
    fn text(&self) -> Option<String> {
        let own = self.user_localized_label.as_ref();
        own.and_then(|label| label.label.non_empty_text())
            .or_else(|| {
                let labels = self.localized_labels.json()?;
                let labels: Vec<LocalizedLabel<'_>> = serde_json::from_str(labels).ok()?;
                labels.iter().find_map(|label| label.label.non_empty_text())
            })
    }
}

/// The text of a label, if there is one.
pub(super) fn title(label: Option<&Label<'_>>) -> Option<String> {
    label.and_then(Label::text)
}

/// The value in an object of its own, if there is one.
pub(super) fn value<'t>(property: Option<&Property<'t>>) -> Raw<'t> {
    property.map_or_else(Raw::default, |property| property.value)
}

/// Reads a response; `None` if it is not JSON of this form.
pub(super) fn read<'t, T: Deserialize<'t>>(body: &'t [u8]) -> Option<T> {
    serde_json::from_str(std::str::from_utf8(body).ok()?).ok()
}

/// A list; null is read as an empty one.
fn list<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Option::<Vec<T>>::deserialize(deserializer)?;
    Ok(Some(list.unwrap_or_default()))
}
