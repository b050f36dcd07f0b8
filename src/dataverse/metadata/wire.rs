//! Metadata as it travels (reference §5.2, §5.3, §5.5). Only what is used is read, and
//! whatever may be missing may be missing, or null.

use super::definition::{
    Attribute, AttributeKind, OptionItem, RequiredLevel, TableDefinition, TableKey, TableSummary,
};
use super::guards::Switch;
use super::kind::kind;
use super::relationship::{Cardinality, Relationship};
use crate::json::Object;
use crate::ordered::{self, Set};

/// The columns whose values grow with every change.
pub(super) const GROWING: [&str; 2] = ["modifiedon", "versionnumber"];

impl TableSummary {
    /// A table, if it has a name. Whether it shows changes is told by its columns, as far as
    /// they come along.
    pub(super) fn read(table: &Object<'_>) -> Option<Self> {
        Some(Self {
            logical_name: table.word("LogicalName")?,
            entity_set_name: table.word("EntitySetName"),
            primary_id: table.word("PrimaryIdAttribute"),
            primary_name: table.word("PrimaryNameAttribute"),
            title: label(table, "DisplayName"),
            is_private: table.flag("IsPrivate").unwrap_or_default(),
            change_tracking: Switch {
                is_on: table.flag("ChangeTrackingEnabled").unwrap_or_default(),
                can_be_on: table
                    .object("CanChangeTrackingBeEnabled")
                    .and_then(|property| property.flag("Value"))
                    .unwrap_or_default(),
            },
            shows_changes: table
                .objects("Attributes")
                .filter_map(|column| column.text("LogicalName"))
                .any(|name| grows(&name)),
        })
    }
}

impl TableDefinition {
    /// A table with its columns in short, its keys and its relationships.
    pub(super) fn read(table: &Object<'_>) -> Option<Self> {
        let summary = TableSummary::read(table)?;
        let mut keys: Vec<TableKey> = table.objects("Keys").filter_map(|it| key(&it)).collect();
        ordered::sort_by(&mut keys, |a, b| a.name.cmp(&b.name));
        let mut relationships = Vec::new();
        for (cardinality, list) in [
            (Cardinality::ManyToOne, "ManyToOneRelationships"),
            (Cardinality::OneToMany, "OneToManyRelationships"),
            (Cardinality::ManyToMany, "ManyToManyRelationships"),
        ] {
            let name = &summary.logical_name;
            relationships.extend(
                table
                    .objects(list)
                    .filter_map(|it| Relationship::read(cardinality, name, &it)),
            );
        }
        let mut definition = Self {
            summary,
            attributes: Vec::new(),
            keys,
            relationships,
        };
        definition.note(table.objects("Attributes"));
        Some(definition)
    }

    /// Notes the columns in short.
    pub(super) fn note<'t>(&mut self, columns: impl Iterator<Item = Object<'t>>) {
        let mut attributes: Vec<Attribute> =
            columns.filter_map(|column| attribute(&column)).collect();
        part_files(&mut attributes);
        // The service lists columns in no particular order.
        ordered::sort_by(&mut attributes, |a, b| {
            (a.column_number, &a.logical_name).cmp(&(b.column_number, &b.logical_name))
        });
        self.summary.shows_changes = attributes
            .iter()
            .any(|column| grows(&column.logical_name) && column.is_selectable());
        self.attributes = attributes;
    }
}

/// A file's name is said to be part of the file; a picture, its address and its time parts of
/// the picture's key. Rows hold each of them, as they hold no part of any other column.
fn part_files(attributes: &mut [Attribute]) {
    let wholes: Set<String> = attributes
        .iter()
        .filter_map(|attribute| match attribute.kind {
            AttributeKind::File => Some(attribute.logical_name.clone()),
            AttributeKind::Image => attribute.attribute_of.clone(),
            _ => None,
        })
        .collect();
    for attribute in attributes {
        attribute
            .attribute_of
            .take_if(|whole| wholes.contains(whole));
    }
}

fn grows(name: &str) -> bool {
    GROWING.contains(&name)
}

fn attribute(column: &Object<'_>) -> Option<Attribute> {
    let attribute_type = column.text("AttributeType");
    let type_name = value(column, "AttributeTypeName");
    Some(Attribute {
        logical_name: column.word("LogicalName")?,
        title: label(column, "DisplayName"),
        column_number: column.whole("ColumnNumber").unwrap_or_default(),
        valid_for_read: column.flag("IsValidForRead").unwrap_or(true)
            && column.flag("IsValidODataAttribute").unwrap_or(true),
        valid_for_create: column.flag("IsValidForCreate").unwrap_or_default(),
        valid_for_update: column.flag("IsValidForUpdate").unwrap_or_default(),
        required: match value(column, "RequiredLevel").as_deref() {
            Some("SystemRequired") => RequiredLevel::System,
            Some("ApplicationRequired") => RequiredLevel::Application,
            Some("Recommended") => RequiredLevel::Recommended,
            _ => RequiredLevel::None,
        },
        is_secured: column.flag("IsSecured").unwrap_or_default(),
        attribute_of: column.word("AttributeOf"),
        kind: kind(attribute_type.as_deref(), type_name.as_deref()),
    })
}

fn key(key: &Object<'_>) -> Option<TableKey> {
    Some(TableKey {
        name: key.text("LogicalName").or_else(|| key.text("SchemaName"))?,
        attributes: key.texts("KeyAttributes"),
        is_active: key.text("EntityKeyIndexStatus").as_deref() == Some("Active"),
    })
}

/// A choice. In damaged customizations it may have no value; it cannot be in a row then.
pub(super) fn choice(option: &Object<'_>) -> Option<OptionItem> {
    Some(OptionItem {
        value: option.whole("Value")?,
        label: label(option, "Label"),
    })
}

/// What is wrapped as `{"Value": …}`.
pub(super) fn value(object: &Object<'_>, name: &str) -> Option<String> {
    object.object(name)?.text("Value")
}

/// A text for people, in one language: the user's own, else the first that has one.
fn label(object: &Object<'_>, name: &str) -> Option<String> {
    let label = object.object(name)?;
    label
        .object("UserLocalizedLabel")
        .into_iter()
        .chain(label.objects("LocalizedLabels"))
        .find_map(|label| label.word("Label"))
}
