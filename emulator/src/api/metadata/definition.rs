//! What the definitions say, as JSON.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    column::{column_properties, column_type, option_set_properties, typed_properties},
    has_options, is_associated, is_referenced, is_referencing,
};
use crate::schema::{
    AlternateKey, Cascade, ChangeTracking, Column, ColumnKind, Ownership, Relationship, Schema,
    Table, TableType, metadata_id,
};

/// One definition.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'a> {
    Table(&'a Table),
    Column(&'a Table, &'a Column),
    Key(&'a Table, &'a AlternateKey),
    Relationship(&'a Relationship),
    OptionSet(&'a Table, &'a Column),
}

/// What a navigation property of a definition leads to.
pub(super) enum Children<'a> {
    One(Option<Item<'a>>),
    Many(Vec<Item<'a>>),
}

/// Whether a type of this name can be cast to.
pub(super) fn is_type(name: &str) -> bool {
    const TYPES: [&str; 20] = [
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
    ];
    TYPES.contains(&name)
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
        }
    }

    /// The name that addresses the definition.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Table(table) => &table.logical_name,
            Self::Column(_, column) | Self::OptionSet(_, column) => &column.logical_name,
            Self::Key(_, key) => &key.logical_name,
            Self::Relationship(relationship) => relationship.schema_name(),
        }
    }

    /// Name of the definition's type: the derived type if `exact`, else the base type.
    pub(super) fn type_name(&self, exact: bool) -> &'static str {
        match self {
            Self::Table(_) => "EntityMetadata",
            Self::Column(_, column) if exact => column_type(&column.kind).2,
            Self::Column(..) => "AttributeMetadata",
            Self::Key(..) => "EntityKeyMetadata",
            Self::Relationship(Relationship::OneToMany { .. }) => "OneToManyRelationshipMetadata",
            Self::Relationship(Relationship::ManyToMany { .. }) => "ManyToManyRelationshipMetadata",
            Self::OptionSet(_, column) => match column.kind {
                ColumnKind::Boolean { .. } => "BooleanOptionSetMetadata",
                _ => "OptionSetMetadata",
            },
        }
    }

    pub(super) fn is_a(&self, type_name: &str) -> bool {
        self.type_name(true) == type_name
    }

    /// What a navigation property leads to; option sets belong to derived types only.
    pub(super) fn children(
        &self,
        schema: &'a Schema,
        name: &str,
        exact: bool,
    ) -> Option<Children<'a>> {
        match *self {
            Self::Table(table) => {
                let relationships = |belongs: fn(&Relationship, &Table) -> bool| {
                    let all = schema.relationships().iter();
                    Children::Many(
                        all.filter(|r| belongs(r, table))
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
            Self::Column(table, column) if exact && has_options(&column.kind) => match name {
                "OptionSet" => Some(Children::One(Some(Item::OptionSet(table, column)))),
                "GlobalOptionSet" => Some(Children::One(None)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The structural properties; those of the derived type too if `exact`.
    pub(super) fn properties(&self, exact: bool) -> Map<String, Value> {
        let mut properties = match self {
            Self::Table(table) => table_properties(table),
            Self::Column(table, column) => {
                let mut value = column_properties(table, column);
                if exact
                    && let (Value::Object(base), Value::Object(own)) =
                        (&mut value, typed_properties(&column.kind))
                {
                    base.extend(own);
                }
                value
            }
            Self::Key(table, key) => key_properties(table, key),
            Self::Relationship(relationship) => relationship_properties(relationship),
            Self::OptionSet(table, column) => option_set_properties(table, column),
        };
        if let Value::Object(members) = &mut properties {
            members.insert("MetadataId".to_owned(), json!(self.metadata_id()));
            members.insert("HasChanged".to_owned(), Value::Null);
            return std::mem::take(members);
        }
        Map::new()
    }
}

fn table_properties(table: &Table) -> Value {
    let tracking = table.change_tracking;
    let privileges: Vec<Value> = table
        .privileges
        .iter()
        .map(|privilege| {
            let local = privilege.depth.can_be_local();
            json!({
                "CanBeBasic": privilege.depth.can_be_basic(),
                "CanBeDeep": local,
                "CanBeGlobal": true,
                "CanBeLocal": local,
                "CanBeEntityReference": false,
                "CanBeParentEntityReference": false,
                "Name": privilege.name,
                "PrivilegeId": privilege.id,
                "PrivilegeType": privilege.kind.as_str(),
            })
        })
        .collect();
    let mut value = json!({
        "LogicalName": table.logical_name,
        "SchemaName": table.schema_name,
        "EntitySetName": table.entity_set_name,
        "CollectionSchemaName": table.schema_name,
        "LogicalCollectionName": table.logical_collection_name,
        "DisplayName": label(Some(&table.display_name)),
        "DisplayCollectionName": label(Some(&table.display_collection_name)),
        "Description": label(None),
        "ObjectTypeCode": table.object_type_code,
        "PrimaryIdAttribute": table.primary_id,
        "PrimaryNameAttribute": table.primary_name,
        "PrimaryImageAttribute": null,
        "OwnershipType": match table.ownership {
            Ownership::None => "None",
            Ownership::UserOwned => "UserOwned",
            Ownership::OrganizationOwned => "OrganizationOwned",
            Ownership::BusinessOwned => "BusinessOwned",
        },
        "TableType": match table.table_type {
            TableType::Standard => "Standard",
            TableType::Activity => "Activity",
            TableType::Virtual => "Virtual",
            TableType::Elastic => "Elastic",
        },
        "IsActivity": table.is_activity,
        "IsActivityParty": table.is_activity_party,
        "IsIntersect": table.is_intersect,
        "IsCustomEntity": table.is_custom,
        "IsManaged": !table.is_custom,
        "IsPrivate": false,
        "IsLogicalEntity": false,
        "IsValidForAdvancedFind": !table.is_intersect,
        "DataProviderId": null,
        "DataSourceId": null,
        "ExternalName": null,
        "ChangeTrackingEnabled": tracking == ChangeTracking::Enabled,
        "IsOptimisticConcurrencyEnabled": table.optimistic_concurrency,
        "HasNotes": table.has_notes,
        "HasActivities": table.has_activities,
        "IsBusinessProcessEnabled": false,
        "IsAvailableOffline": true,
        "IsChildEntity": false,
        "IsEnabledForCharts": true,
        "IsImportable": true,
        "AutoRouteToOwnerQueue": false,
        "EntityColor": null,
        "EntityHelpUrl": null,
        "IntroducedVersion": "5.0.0.0",
    });
    if let Value::Object(members) = &mut value {
        members.insert("Privileges".to_owned(), Value::Array(privileges));
        for (name, setting, fixed) in [
            (
                "CanChangeTrackingBeEnabled",
                tracking != ChangeTracking::Unavailable,
                true,
            ),
            ("IsAuditEnabled", table.audit_enabled, false),
            ("IsDuplicateDetectionEnabled", false, false),
            ("IsConnectionsEnabled", table.has_activities, false),
            ("IsCustomizable", true, false),
            ("CanCreateAttributes", !table.is_intersect, true),
        ] {
            let managed = name.to_ascii_lowercase();
            members.insert(
                name.to_owned(),
                json!({
                    "Value": setting,
                    "CanBeChanged": !fixed,
                    "ManagedPropertyLogicalName": managed,
                }),
            );
        }
    }
    value
}

fn key_properties(table: &Table, key: &AlternateKey) -> Value {
    json!({
        "LogicalName": key.logical_name,
        "SchemaName": key.schema_name,
        "EntityLogicalName": table.logical_name,
        "DisplayName": label(Some(&key.display_name)),
        "KeyAttributes": key.columns,
        "EntityKeyIndexStatus": "Active",
        "AsyncJob": null,
        "IsManaged": false,
        "IsSynchronous": false,
        "IsExportKey": false,
    })
}

fn relationship_properties(relationship: &Relationship) -> Value {
    let mut value = match relationship {
        Relationship::OneToMany {
            referenced_table,
            referenced_column,
            referencing_table,
            referencing_column,
            referencing_navigation,
            referenced_navigation,
            cascade_delete,
            ..
        } => json!({
            "RelationshipType": "OneToManyRelationship",
            "ReferencedEntity": referenced_table,
            "ReferencedAttribute": referenced_column,
            "ReferencingEntity": referencing_table,
            "ReferencingAttribute": referencing_column,
            "ReferencedEntityNavigationPropertyName": referenced_navigation,
            "ReferencingEntityNavigationPropertyName": referencing_navigation,
            "IsHierarchical": referenced_table == referencing_table,
            "CascadeConfiguration": {
                "Assign": "NoCascade", "Share": "NoCascade", "Unshare": "NoCascade",
                "Reparent": "NoCascade", "Merge": "NoCascade", "RollupView": "NoCascade",
                "Delete": match cascade_delete {
                    Cascade::RemoveLink => "RemoveLink",
                    Cascade::Cascade => "Cascade",
                    Cascade::Restrict => "Restrict",
                },
            },
        }),
        Relationship::ManyToMany {
            intersect_table,
            table1,
            intersect_column1,
            navigation1,
            table2,
            intersect_column2,
            navigation2,
            ..
        } => json!({
            "RelationshipType": "ManyToManyRelationship",
            "Entity1LogicalName": table1,
            "Entity2LogicalName": table2,
            "IntersectEntityName": intersect_table,
            "Entity1IntersectAttribute": intersect_column1,
            "Entity2IntersectAttribute": intersect_column2,
            "Entity1NavigationPropertyName": navigation1,
            "Entity2NavigationPropertyName": navigation2,
        }),
    };
    if let Value::Object(members) = &mut value {
        members.insert("SchemaName".to_owned(), json!(relationship.schema_name()));
        members.insert("IsCustomRelationship".to_owned(), json!(false));
        members.insert("IsManaged".to_owned(), json!(true));
        members.insert("IsValidForAdvancedFind".to_owned(), json!(true));
    }
    value
}

/// A label in US English.
pub(super) fn label(text: Option<&str>) -> Value {
    let Some(text) = text else {
        return json!({"LocalizedLabels": [], "UserLocalizedLabel": null});
    };
    let localized = json!({
        "Label": text,
        "LanguageCode": 1033,
        "IsManaged": true,
        "MetadataId": metadata_id(&["label", text]),
        "HasChanged": null,
    });
    json!({"LocalizedLabels": [localized.clone()], "UserLocalizedLabel": localized})
}
