//! Definitions from what the service sends.

use super::definition::{
    Attribute, AttributeKind, RequiredLevel, Switch, TableDefinition, TableKey, TableSummary,
};
use super::details::kind;
use super::relationship::{Cardinality, Relationship};
use super::wire::{self, title, value};

/// The columns whose values grow with every change.
pub const WATERMARKS: [&str; 2] = ["modifiedon", "versionnumber"];

impl TableSummary {
    /// A table, unless it has no name. Whether it has a watermark is read from the columns that
    /// come with it.
    fn read(table: &wire::Table<'_>) -> Option<Self> {
        let can_be_tracked = value(table.can_change_tracking_be_enabled.as_ref());
        let columns = table.attributes.iter().flatten();
        Some(Self {
            logical_name: table.logical_name.non_empty_text()?,
            entity_set_name: table.entity_set_name.non_empty_text(),
            primary_id: table.primary_id_attribute.non_empty_text(),
            primary_name: table.primary_name_attribute.non_empty_text(),
            title: title(table.display_name.as_ref()),
            is_private: table.is_private.flag().unwrap_or_default(),
            change_tracking: Switch {
                is_on: table.change_tracking_enabled.flag().unwrap_or_default(),
                can_be_on: can_be_tracked.flag().unwrap_or_default(),
            },
            has_watermark: columns
                .filter_map(|column| column.logical_name.as_text())
                .any(|name| is_watermark(&name)),
        })
    }
}

impl TableDefinition {
    /// A table with its columns, keys and relationships, unless it has no name. The columns do
    /// not have the properties of their types yet.
    fn read(table: &wire::Table<'_>) -> Option<Self> {
        let summary = TableSummary::read(table)?;
        let name = &summary.logical_name;
        let many_to_one = table.many_to_one_relationships.iter().flatten();
        let one_to_many = table.one_to_many_relationships.iter().flatten();
        let many_to_many = table.many_to_many_relationships.iter().flatten();
        let relationships = many_to_one
            .filter_map(|it| one_sided(Cardinality::ManyToOne, it))
            .chain(one_to_many.filter_map(|it| one_sided(Cardinality::OneToMany, it)))
            .chain(many_to_many.filter_map(|it| pairs(name, it)))
            .collect();
        let mut definition = Self {
            summary,
            attributes: Vec::new(),
            keys: table.keys.iter().flatten().filter_map(key).collect(),
            relationships,
        };
        definition.set_columns(attributes(table.attributes.iter().flatten()));
        Some(definition)
    }

    /// Sets the columns.
    pub fn set_columns(&mut self, columns: Vec<Attribute>) {
        self.summary.has_watermark = columns
            .iter()
            .any(|column| is_watermark(&column.logical_name) && column.is_selectable());
        self.attributes = columns;
    }
}

/// A page of a list of tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summaries {
    /// The tables. Those without a name are left out.
    pub tables: Vec<TableSummary>,
    /// The address of the next page.
    pub next_link: Option<String>,
}

/// Reads a list of tables; `None` if the body is not one.
#[inline(never)]
pub fn summaries(body: &[u8]) -> Option<Summaries> {
    let page: wire::List<'_, wire::Table<'_>> = wire::read(body)?;
    Some(Summaries {
        tables: page.value?.iter().filter_map(TableSummary::read).collect(),
        next_link: page.next_link.text(),
    })
}

/// Reads a table with its columns, without the properties of their types; `None` if the body is
/// not one.
#[inline(never)]
pub fn definition(body: &[u8]) -> Option<TableDefinition> {
    let table: wire::Table<'_> = wire::read(body)?;
    TableDefinition::read(&table)
}

/// Reads a list of columns, without the properties of their types; `None` if the body is not one.
#[inline(never)]
pub fn columns(body: &[u8]) -> Option<Vec<Attribute>> {
    let columns: wire::List<'_, wire::Column<'_>> = wire::read(body)?;
    Some(attributes(columns.value?.iter()))
}

fn attributes<'t, 'w: 't>(columns: impl Iterator<Item = &'t wire::Column<'w>>) -> Vec<Attribute> {
    let mut attributes: Vec<Attribute> = columns.filter_map(attribute).collect();
    detach_file_parts(&mut attributes);
    attributes
}

/// Makes the name of a file, and the URL and time of an image, columns of their own: unlike other
/// columns that describe a column, they are in rows.
fn detach_file_parts(attributes: &mut [Attribute]) {
    let described: Vec<String> = attributes
        .iter()
        .filter_map(|attribute| match attribute.kind {
            AttributeKind::File => Some(attribute.logical_name.clone()),
            // All columns of an image describe its key.
            AttributeKind::Image => attribute.attribute_of.clone(),
            _ => None,
        })
        .collect();
    for attribute in attributes {
        attribute
            .attribute_of
            .take_if(|column| described.contains(column));
    }
}

fn is_watermark(name: &str) -> bool {
    WATERMARKS.contains(&name)
}

fn attribute(column: &wire::Column<'_>) -> Option<Attribute> {
    let required = value(column.required_level.as_ref()).as_text();
    Some(Attribute {
        logical_name: column.logical_name.non_empty_text()?,
        title: title(column.display_name.as_ref()),
        column_number: column.number.integer().unwrap_or_default(),
        valid_for_read: column.is_valid_for_read.flag().unwrap_or(true)
            && column.is_valid_odata_attribute.flag().unwrap_or(true),
        valid_for_create: column.is_valid_for_create.flag().unwrap_or_default(),
        valid_for_update: column.is_valid_for_update.flag().unwrap_or_default(),
        required: match required.as_deref() {
            Some("SystemRequired") => RequiredLevel::System,
            Some("ApplicationRequired") => RequiredLevel::Application,
            Some("Recommended") => RequiredLevel::Recommended,
            _ => RequiredLevel::None,
        },
        is_secured: column.is_secured.flag().unwrap_or_default(),
        attribute_of: column.attribute_of.non_empty_text(),
        kind: kind(
            column.attribute_type.as_text().as_deref(),
            value(column.attribute_type_name.as_ref())
                .as_text()
                .as_deref(),
        ),
    })
}

fn key(key: &wire::Key<'_>) -> Option<TableKey> {
    let columns = key.columns.iter().flatten();
    Some(TableKey {
        name: key.logical_name.text().or_else(|| key.schema_name.text())?,
        attributes: columns.filter_map(|name| name.text()).collect(),
        is_active: key.entity_key_index_status.as_text().as_deref() == Some("Active"),
    })
}

/// A relationship in which one side has a lookup; none if a property is missing.
fn one_sided(cardinality: Cardinality, relationship: &wire::OneToMany<'_>) -> Option<Relationship> {
    let referencing = (
        relationship.referencing_entity,
        relationship.referencing_attribute,
    );
    let referenced = (
        relationship.referenced_entity,
        relationship.referenced_attribute,
    );
    let (this, other) = match cardinality {
        Cardinality::ManyToOne => (referencing, referenced),
        Cardinality::OneToMany | Cardinality::ManyToMany => (referenced, referencing),
    };
    Some(Relationship {
        name: relationship.schema_name.text()?,
        cardinality,
        column: this.1.text()?,
        table: other.0.text()?,
        other_column: other.1.text()?,
        pairs: None,
    })
}

/// A relationship of many to many of that table; none if a property is missing.
fn pairs(table: &str, relationship: &wire::ManyToMany<'_>) -> Option<Relationship> {
    let first = (relationship.first_entity, relationship.first_attribute);
    let second = (relationship.second_entity, relationship.second_attribute);
    let (this, other) = match first.0.as_text() {
        Some(name) if name == table => (first, second),
        _ => (second, first),
    };
    Some(Relationship {
        name: relationship.schema_name.text()?,
        cardinality: Cardinality::ManyToMany,
        column: this.1.text()?,
        table: other.0.text()?,
        other_column: other.1.text()?,
        pairs: relationship.intersect_entity_name.text(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_unexpected_types_affect_no_others() {
        let body = br#"{"@odata.context": 1, "LogicalName": "a", "EntitySetName": 7,
            "IsPrivate": "true", "Keys": null, "Attributes": [
                {"LogicalName": "b", "ColumnNumber": "x", "AttributeType": {}, "Unknown": [{}]},
                {"LogicalName": ""},
                {"LogicalName": "c", "ColumnNumber": 2, "AttributeOf": null, "AttributeType": null,
                    "AttributeTypeName": {"Value": null}, "IsValidForRead": false}
            ]}"#;
        let table = definition(body).unwrap();
        assert_eq!(table.summary.entity_set_name, None);
        assert!(!table.summary.is_private);
        let columns: Vec<(&str, i32, bool)> = table
            .attributes
            .iter()
            .map(|it| (&*it.logical_name, it.column_number, it.valid_for_read))
            .collect();
        assert_eq!(columns, [("b", 0, true), ("c", 2, false)]);
    }

    #[test]
    fn labels_prefer_the_language_of_the_user() {
        for (label, expected) in [
            (
                r#"{"UserLocalizedLabel":{"Label":"a"},"LocalizedLabels":[{"Label":"b"}]}"#,
                Some("a"),
            ),
            (
                r#"{"UserLocalizedLabel":null,"LocalizedLabels":[{"Label":""},{"Label":"b"}]}"#,
                Some("b"),
            ),
            (
                r#"{"UserLocalizedLabel":{"Label":null},"LocalizedLabels":null}"#,
                None,
            ),
            // Half a surrogate pair, as a cut-off emoji leaves it.
            (
                r#"{"UserLocalizedLabel":{"Label":"x\ud83d"}}"#,
                Some("x\u{FFFD}"),
            ),
            ("null", None),
        ] {
            let body = format!(r#"{{"LogicalName":"a","DisplayName":{label}}}"#);
            let table = definition(body.as_bytes()).unwrap();
            assert_eq!(table.summary.title.as_deref(), expected, "{label}");
        }
    }

    #[test]
    fn only_lists_are_read_as_lists() {
        assert_eq!(summaries(br#"{"value":null}"#).unwrap().tables, []);
        let page = summaries(br#"{"value":[{"LogicalName":"a"}],"@odata.nextLink":"next"}"#);
        let page = page.unwrap();
        assert_eq!(
            (page.tables.len(), page.next_link.as_deref()),
            (1, Some("next"))
        );
        for body in [
            "",
            "[]",
            "{}",
            r#"{"value":{}}"#,
            r#"{"value":[]} x"#,
            r#"{"value":[}"#,
        ] {
            assert_eq!(summaries(body.as_bytes()), None, "{body}");
        }
        assert_eq!(columns(b"{}"), None);
        assert_eq!(definition(b"{}"), None);
    }
}
