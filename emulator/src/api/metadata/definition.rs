//! One definition of any kind: its properties by name, and what it leads to.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    choices,
    column::{self, column_type},
    is_associated, is_referenced, is_referencing,
    labels::Labels,
    relationship, table,
};
use crate::schema::{
    AlternateKey, Column, ColumnKind, OptionSet, Relationship, Schema, Table, metadata_id,
};

/// One definition.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'a> {
    Table(&'a Table),
    Column(&'a Table, &'a Column),
    Key(&'a Table, &'a AlternateKey),
    Relationship(&'a Relationship),
    OptionSet(&'a Table, &'a Column),
    GlobalOptionSet(&'a OptionSet),
}

/// What a navigation property of a definition leads to.
pub(super) enum Children<'a> {
    One(Option<Item<'a>>),
    Many(Vec<Item<'a>>),
}

/// What a request sees of definitions.
#[derive(Debug)]
pub(super) struct Sight<'a> {
    pub(super) schema: &'a Schema,
    pub(super) labels: Labels,
}

/// Whether a type of this name can be cast to.
pub(super) fn is_type(name: &str) -> bool {
    const TYPES: [&str; 22] = [
        "StringAttributeMetadata",
        "MemoAttributeMetadata",
        "IntegerAttributeMetadata",
        "BigIntAttributeMetadata",
        "DecimalAttributeMetadata",
        "DoubleAttributeMetadata",
        "MoneyAttributeMetadata",
        "BooleanAttributeMetadata",
        "PicklistAttributeMetadata",
        "StateAttributeMetadata",
        "StatusAttributeMetadata",
        "MultiSelectPicklistAttributeMetadata",
        "DateTimeAttributeMetadata",
        "LookupAttributeMetadata",
        "UniqueIdentifierAttributeMetadata",
        "EntityNameAttributeMetadata",
        "FileAttributeMetadata",
        "ImageAttributeMetadata",
        "OneToManyRelationshipMetadata",
        "ManyToManyRelationshipMetadata",
        "OptionSetMetadata",
        "BooleanOptionSetMetadata",
    ];
    TYPES.contains(&name)
}

/// The type of all members of a collection, where it is a derived one.
pub(super) fn type_of_collection(name: &str) -> Option<&'static str> {
    match name {
        "OneToManyRelationships" | "ManyToOneRelationships" => {
            Some("OneToManyRelationshipMetadata")
        }
        "ManyToManyRelationships" => Some("ManyToManyRelationshipMetadata"),
        _ => None,
    }
}

impl<'a> Item<'a> {
    pub(super) fn metadata_id(&self) -> Uuid {
        match self {
            Self::Table(table) => table.metadata_id,
            Self::Column(_, column) => column.metadata_id,
            Self::Key(_, key) => key.metadata_id,
            Self::Relationship(relationship) => relationship.metadata_id(),
            Self::OptionSet(table, column) => {
                metadata_id(&["optionset", &table.logical_name, &column.logical_name])
            }
            Self::GlobalOptionSet(set) => set.metadata_id(),
        }
    }

    /// The name that addresses the definition.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Table(table) => &table.logical_name,
            Self::Column(_, column) | Self::OptionSet(_, column) => &column.logical_name,
            Self::Key(_, key) => &key.logical_name,
            Self::Relationship(relationship) => relationship.schema_name(),
            Self::GlobalOptionSet(set) => &set.name,
        }
    }

    /// Name of the definition's type: the derived type if `exact`, else the base type.
    pub(super) fn type_name(&self, exact: bool) -> &'static str {
        match self {
            Self::Table(_) => "EntityMetadata",
            Self::Column(_, column) if exact => column_type(&column.kind).2,
            Self::Column(..) => "AttributeMetadata",
            Self::Key(..) => "EntityKeyMetadata",
            Self::Relationship(_) if !exact => "RelationshipMetadataBase",
            Self::Relationship(Relationship::OneToMany { .. }) => "OneToManyRelationshipMetadata",
            Self::Relationship(Relationship::ManyToMany { .. }) => "ManyToManyRelationshipMetadata",
            Self::GlobalOptionSet(_) if !exact => "OptionSetMetadataBase",
            Self::GlobalOptionSet(_) => "OptionSetMetadata",
            Self::OptionSet(_, column) => match column.kind {
                ColumnKind::Boolean { .. } => "BooleanOptionSetMetadata",
                _ => "OptionSetMetadata",
            },
        }
    }

    /// Whether the list that holds it may hold definitions of other types too.
    pub(super) fn is_one_of_several_types(&self) -> bool {
        matches!(
            self,
            Self::Column(..) | Self::Relationship(_) | Self::GlobalOptionSet(_)
        )
    }

    pub(super) fn is_a(&self, type_name: &str) -> bool {
        self.type_name(true) == type_name
    }

    /// What a navigation property leads to; option sets belong to derived types only.
    pub(super) fn children(
        &self,
        sight: &Sight<'a>,
        name: &str,
        exact: bool,
    ) -> Option<Children<'a>> {
        match *self {
            Self::Table(table) => {
                let relationships = |belongs: fn(&Relationship, &Table) -> bool| {
                    let all = sight.schema.relationships_of(&table.logical_name);
                    Children::Many(
                        all.filter(|relationship| belongs(relationship, table))
                            .map(Item::Relationship)
                            .collect(),
                    )
                };
                Some(match name {
                    "Attributes" => Children::Many(
                        table
                            .columns
                            .iter()
                            .map(|column| Item::Column(table, column))
                            .collect(),
                    ),
                    "Keys" => {
                        Children::Many(table.keys.iter().map(|key| Item::Key(table, key)).collect())
                    }
                    "OneToManyRelationships" => relationships(is_referenced),
                    "ManyToOneRelationships" => relationships(is_referencing),
                    "ManyToManyRelationships" => relationships(is_associated),
                    _ => return None,
                })
            }
            Self::Column(table, column) if exact => {
                let global = match &column.kind {
                    ColumnKind::Picklist { global, .. }
                    | ColumnKind::MultiSelectPicklist { global, .. } => global
                        .as_ref()
                        .and_then(|name| sight.schema.option_set(name)),
                    ColumnKind::State { .. }
                    | ColumnKind::Status { .. }
                    | ColumnKind::Boolean { .. } => None,
                    _ => return None,
                };
                // Choices that are shared are available under the other name.
                let own = global.is_none().then_some(Item::OptionSet(table, column));
                match name {
                    "OptionSet" => Some(Children::One(own)),
                    "GlobalOptionSet" => Some(Children::One(global.map(Item::GlobalOptionSet))),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The names of the structural properties; those of the derived type too if `exact`.
    pub(super) fn names(&self, exact: bool) -> impl Iterator<Item = &'static str> + use<> {
        let (base, own): (&[&str], &[&str]) = match self {
            Self::Table(_) => (table::TABLE, &[]),
            Self::Column(_, column) => (column::COLUMN, column::typed_names(&column.kind)),
            Self::Key(..) => (table::KEY, &[]),
            Self::Relationship(Relationship::OneToMany { .. }) => {
                (relationship::BASE, relationship::ONE_TO_MANY)
            }
            Self::Relationship(Relationship::ManyToMany { .. }) => {
                (relationship::BASE, relationship::MANY_TO_MANY)
            }
            Self::OptionSet(_, column) => match column.kind {
                ColumnKind::Boolean { .. } => (choices::BASE, choices::YES_OR_NO),
                _ => (choices::BASE, choices::LIST),
            },
            Self::GlobalOptionSet(_) => (choices::BASE, choices::LIST),
        };
        let own = if exact { own } else { &[] };
        ["MetadataId", "HasChanged"]
            .into_iter()
            .chain(base.iter().copied())
            .chain(own.iter().copied().filter(|name| !base.contains(name)))
    }

    /// A structural property; one of the derived type only if `exact`.
    pub(super) fn property(&self, sight: &Sight<'_>, name: &str, exact: bool) -> Option<Value> {
        let labels = &sight.labels;
        match name {
            "MetadataId" => return Some(json!(self.metadata_id())),
            "HasChanged" => return Some(Value::Null),
            _ => {}
        }
        match *self {
            Self::Table(table) => table::table_property(labels, table, name),
            Self::Column(table, column) => {
                let base = column::column_property(labels, table, column, name);
                base.or_else(|| {
                    exact
                        .then(|| column::typed_property(column, name))
                        .flatten()
                })
            }
            Self::Key(table, key) => table::key_property(labels, table, key, name),
            Self::Relationship(relationship) => {
                relationship::relationship_property(sight.schema, relationship, name, exact)
            }
            Self::OptionSet(table, column) => choices::column_choices(labels, table, column, name),
            Self::GlobalOptionSet(_) if name == "Options" && !exact => None,
            Self::GlobalOptionSet(set) => choices::shared_choices(labels, set, name),
        }
    }
}
