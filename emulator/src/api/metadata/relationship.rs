//! The properties of relationships definitions (reference §5.4).

use serde_json::{Value, json};

use crate::{
    api::operations::is_mergeable,
    schema::{Cascade, Relationship, Schema},
};

/// The properties of every relationship.
pub(super) const BASE: &[&str] = &[
    "SchemaName",
    "RelationshipType",
    "IsCustomRelationship",
    "IsManaged",
    "IsCustomizable",
    "IsValidForAdvancedFind",
    "SecurityTypes",
    "IntroducedVersion",
];

/// The properties of 1:N relationships only.
pub(super) const ONE_TO_MANY: &[&str] = &[
    "ReferencedEntity",
    "ReferencedAttribute",
    "ReferencingEntity",
    "ReferencingAttribute",
    "ReferencedEntityNavigationPropertyName",
    "ReferencingEntityNavigationPropertyName",
    "IsHierarchical",
    "EntityKey",
    "RelationshipBehavior",
    "IsDenormalizedLookup",
    "DenormalizedAttributeName",
    "RelationshipAttributes",
    "AssociatedMenuConfiguration",
    "CascadeConfiguration",
];

/// The properties of N:N relationships only.
pub(super) const MANY_TO_MANY: &[&str] = &[
    "Entity1LogicalName",
    "Entity2LogicalName",
    "IntersectEntityName",
    "Entity1IntersectAttribute",
    "Entity2IntersectAttribute",
    "Entity1NavigationPropertyName",
    "Entity2NavigationPropertyName",
    "Entity1AssociatedMenuConfiguration",
    "Entity2AssociatedMenuConfiguration",
];

/// One property of a relationship; those of its own type only if `exact`.
pub(super) fn relationship_property(
    schema: &Schema,
    relationship: &Relationship,
    name: &str,
    exact: bool,
) -> Option<Value> {
    let custom = || is_custom(schema, relationship);
    Some(match name {
        "SchemaName" => json!(relationship.schema_name()),
        "RelationshipType" => json!(match relationship {
            Relationship::OneToMany { .. } => "OneToManyRelationship",
            Relationship::ManyToMany { .. } => "ManyToManyRelationship",
        }),
        "IsCustomRelationship" => json!(custom()),
        "IsManaged" => json!(!custom()),
        "IsCustomizable" => json!({
            "Value": true, "CanBeChanged": true, "ManagedPropertyLogicalName": "iscustomizable",
        }),
        "IsValidForAdvancedFind" => json!(true),
        "SecurityTypes" => json!(match relationship {
            Relationship::OneToMany { .. } => "Append",
            Relationship::ManyToMany { .. } => "None",
        }),
        "IntroducedVersion" => json!("5.0.0.0"),
        _ if exact => return own_property(relationship, name),
        _ => return None,
    })
}

fn own_property(relationship: &Relationship, name: &str) -> Option<Value> {
    Some(match relationship {
        Relationship::OneToMany {
            referenced_table,
            referenced_column,
            referencing_table,
            referencing_column,
            referencing_navigation,
            referenced_navigation,
            cascade_delete,
            ..
        } => match name {
            "ReferencedEntity" => json!(referenced_table),
            "ReferencedAttribute" => json!(referenced_column),
            "ReferencingEntity" => json!(referencing_table),
            "ReferencingAttribute" => json!(referencing_column),
            "ReferencedEntityNavigationPropertyName" => json!(referenced_navigation),
            "ReferencingEntityNavigationPropertyName" => json!(referencing_navigation),
            "IsHierarchical" => json!(referenced_table == referencing_table),
            "RelationshipBehavior" => json!(1),
            "IsDenormalizedLookup" => json!(false),
            "RelationshipAttributes" => json!([]),
            "AssociatedMenuConfiguration" => menu(),
            "EntityKey" | "DenormalizedAttributeName" => Value::Null,
            "CascadeConfiguration" => json!({
                "Assign": "NoCascade", "Share": "NoCascade", "Unshare": "NoCascade",
                "Reparent": "NoCascade", "RollupView": "NoCascade", "Archive": "NoCascade",
                "Merge": if is_mergeable(referenced_table) && referencing_column != "masterid" {
                    "Cascade"
                } else {
                    "NoCascade"
                },
                "Delete": match cascade_delete {
                    Cascade::RemoveLink => "RemoveLink",
                    Cascade::Cascade => "Cascade",
                    Cascade::Restrict => "Restrict",
                },
            }),
            _ => return None,
        },
        Relationship::ManyToMany {
            intersect_table,
            table1,
            intersect_column1,
            navigation1,
            table2,
            intersect_column2,
            navigation2,
            ..
        } => match name {
            "Entity1LogicalName" => json!(table1),
            "Entity2LogicalName" => json!(table2),
            "IntersectEntityName" => json!(intersect_table),
            "Entity1IntersectAttribute" => json!(intersect_column1),
            "Entity2IntersectAttribute" => json!(intersect_column2),
            "Entity1NavigationPropertyName" => json!(navigation1),
            "Entity2NavigationPropertyName" => json!(navigation2),
            "Entity1AssociatedMenuConfiguration" | "Entity2AssociatedMenuConfiguration" => menu(),
            _ => return None,
        },
    })
}

fn menu() -> Value {
    json!({
        "Behavior": "UseCollectionName", "Group": "Details", "Order": null,
        "IsCustomizable": true, "Icon": null, "ViewId": "00000000-0000-0000-0000-000000000000",
        "AvailableOffline": true, "MenuId": null, "QueryApi": null,
        "Label": {"LocalizedLabels": [], "UserLocalizedLabel": null},
    })
}

/// Whether the relationship was added by a customization: as its lookup column was.
fn is_custom(schema: &Schema, relationship: &Relationship) -> bool {
    match relationship {
        Relationship::OneToMany {
            referencing_table,
            referencing_column,
            ..
        } => schema
            .table(referencing_table)
            .and_then(|table| table.column(referencing_column))
            .is_some_and(|column| column.is_custom),
        Relationship::ManyToMany {
            intersect_table, ..
        } => schema
            .table(intersect_table)
            .is_some_and(|table| table.is_custom),
    }
}
