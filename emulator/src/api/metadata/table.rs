//! What the definitions of tables and their keys say.

use serde_json::{Value, json};

use super::labels::Labels;
use crate::schema::{AlternateKey, ChangeTracking, ColumnKind, Ownership, Table, TableType};

/// The properties of every table.
pub(super) const TABLE: &[&str] = &[
    "LogicalName",
    "SchemaName",
    "EntitySetName",
    "CollectionSchemaName",
    "LogicalCollectionName",
    "DisplayName",
    "DisplayCollectionName",
    "Description",
    "ObjectTypeCode",
    "PrimaryIdAttribute",
    "PrimaryNameAttribute",
    "PrimaryImageAttribute",
    "OwnershipType",
    "TableType",
    "IsActivity",
    "IsActivityParty",
    "IsIntersect",
    "IsCustomEntity",
    "IsManaged",
    "IsPrivate",
    "IsLogicalEntity",
    "IsValidForAdvancedFind",
    "DataProviderId",
    "DataSourceId",
    "ExternalName",
    "ExternalCollectionName",
    "ChangeTrackingEnabled",
    "IsOptimisticConcurrencyEnabled",
    "HasNotes",
    "HasActivities",
    "HasFeedback",
    "HasEmailAddresses",
    "IsBusinessProcessEnabled",
    "IsAvailableOffline",
    "IsChildEntity",
    "IsEnabledForCharts",
    "IsImportable",
    "IsAIRUpdated",
    "IsDocumentManagementEnabled",
    "IsQuickCreateEnabled",
    "IsStateModelAware",
    "IsBPFEntity",
    "EnforceStateTransitions",
    "AutoRouteToOwnerQueue",
    "EntityColor",
    "EntityHelpUrl",
    "IntroducedVersion",
    "DaysSinceRecordLastModified",
    "Privileges",
    "CanChangeTrackingBeEnabled",
    "IsAuditEnabled",
    "IsDuplicateDetectionEnabled",
    "IsConnectionsEnabled",
    "IsCustomizable",
    "IsRenameable",
    "IsMappable",
    "CanCreateAttributes",
    "CanCreateForms",
    "CanCreateViews",
    "CanCreateCharts",
    "CanBeRelatedEntityInRelationship",
    "CanBePrimaryEntityInRelationship",
    "CanBeInManyToMany",
    "CanModifyAdditionalSettings",
    "IsValidForQueue",
    "IsMailMergeEnabled",
    "IsVisibleInMobile",
    "SettingOf",
    "Settings",
];

/// One property of a table.
pub(super) fn table_property(labels: &Labels, table: &Table, name: &str) -> Option<Value> {
    let tracking = table.change_tracking;
    let managed = |value: bool, fixed: bool| {
        json!({
            "Value": value,
            "CanBeChanged": !fixed,
            "ManagedPropertyLogicalName": name.to_ascii_lowercase(),
        })
    };
    Some(match name {
        "LogicalName" => json!(table.logical_name),
        "SchemaName" | "CollectionSchemaName" => json!(table.schema_name),
        "EntitySetName" => json!(table.entity_set_name),
        "LogicalCollectionName" => json!(table.logical_collection_name),
        "DisplayName" => labels.of(Some(&table.display_name)),
        "DisplayCollectionName" => labels.of(Some(&table.display_collection_name)),
        "Description" => labels.of(None),
        "ObjectTypeCode" => json!(table.object_type_code),
        "PrimaryIdAttribute" => json!(table.primary_id),
        "PrimaryNameAttribute" => json!(table.primary_name),
        "PrimaryImageAttribute" => json!(primary_image(table)),
        "OwnershipType" => json!(match table.ownership {
            Ownership::None => "None",
            Ownership::UserOwned => "UserOwned",
            Ownership::OrganizationOwned => "OrganizationOwned",
            Ownership::BusinessOwned => "BusinessOwned",
        }),
        "TableType" => json!(match table.table_type {
            TableType::Standard => "Standard",
            TableType::Activity => "Activity",
            TableType::Virtual => "Virtual",
            TableType::Elastic => "Elastic",
        }),
        "IsActivity" => json!(table.is_activity),
        "IsActivityParty" => json!(table.is_activity_party),
        "IsIntersect" => json!(table.is_intersect),
        "IsCustomEntity" => json!(table.is_custom),
        "IsManaged" => json!(!table.is_custom),
        "IsValidForAdvancedFind" => json!(!table.is_intersect),
        "ChangeTrackingEnabled" => json!(tracking == ChangeTracking::Enabled),
        "IsOptimisticConcurrencyEnabled" => json!(table.optimistic_concurrency),
        "HasNotes" => json!(table.has_notes),
        "HasActivities" => json!(table.has_activities),
        "IsAvailableOffline" | "IsEnabledForCharts" | "IsImportable" => json!(true),
        "IsStateModelAware" => json!(table.column("statecode").is_some()),
        "IntroducedVersion" => json!(if table.is_custom { "1.0" } else { "5.0.0.0" }),
        "IsPrivate"
        | "IsLogicalEntity"
        | "HasFeedback"
        | "HasEmailAddresses"
        | "IsBusinessProcessEnabled"
        | "IsChildEntity"
        | "IsAIRUpdated"
        | "IsBPFEntity"
        | "IsDocumentManagementEnabled"
        | "IsQuickCreateEnabled"
        | "EnforceStateTransitions"
        | "AutoRouteToOwnerQueue" => json!(false),
        "DaysSinceRecordLastModified" => json!(0),
        "DataProviderId"
        | "DataSourceId"
        | "ExternalName"
        | "ExternalCollectionName"
        | "EntityColor"
        | "EntityHelpUrl"
        | "SettingOf" => Value::Null,
        "Settings" => json!([]),
        "Privileges" => privileges(table),
        "CanChangeTrackingBeEnabled" => managed(tracking != ChangeTracking::Unavailable, true),
        "IsAuditEnabled" => managed(table.audit_enabled, false),
        "IsDuplicateDetectionEnabled"
        | "IsValidForQueue"
        | "IsMailMergeEnabled"
        | "IsVisibleInMobile" => managed(false, false),
        "IsConnectionsEnabled" => managed(table.has_activities, false),
        "IsCustomizable" | "IsRenameable" | "IsMappable" | "CanModifyAdditionalSettings" => {
            managed(true, false)
        }
        "CanCreateAttributes"
        | "CanCreateForms"
        | "CanCreateViews"
        | "CanCreateCharts"
        | "CanBeRelatedEntityInRelationship"
        | "CanBePrimaryEntityInRelationship"
        | "CanBeInManyToMany" => managed(!table.is_intersect, true),
        _ => return None,
    })
}

fn primary_image(table: &Table) -> Option<&str> {
    let is_primary = |kind: &ColumnKind| matches!(kind, ColumnKind::Image { primary: true, .. });
    let image = table.columns.iter().find(|column| is_primary(&column.kind));
    image.map(|column| column.logical_name.as_str())
}

fn privileges(table: &Table) -> Value {
    let privileges = table.privileges.iter().map(|privilege| {
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
    });
    privileges.collect()
}

/// What every alternate key says.
pub(super) const KEY: &[&str] = &[
    "LogicalName",
    "SchemaName",
    "EntityLogicalName",
    "DisplayName",
    "KeyAttributes",
    "EntityKeyIndexStatus",
    "AsyncJob",
    "IsManaged",
    "IsSynchronous",
    "IsExportKey",
    "IsSecondaryKey",
    "IsCustomizable",
    "IntroducedVersion",
];

/// One property of an alternate key.
pub(super) fn key_property(
    labels: &Labels,
    table: &Table,
    key: &AlternateKey,
    name: &str,
) -> Option<Value> {
    Some(match name {
        "LogicalName" => json!(key.logical_name),
        "SchemaName" => json!(key.schema_name),
        "EntityLogicalName" => json!(table.logical_name),
        "DisplayName" => labels.plain(&key.display_name),
        "KeyAttributes" => json!(key.columns),
        "EntityKeyIndexStatus" => json!(key.index.name()),
        "AsyncJob" => Value::Null,
        "IsManaged" | "IsSynchronous" | "IsExportKey" | "IsSecondaryKey" => json!(false),
        "IntroducedVersion" => json!("1.0"),
        "IsCustomizable" => json!({
            "Value": true, "CanBeChanged": true, "ManagedPropertyLogicalName": "iscustomizable",
        }),
        _ => return None,
    })
}
