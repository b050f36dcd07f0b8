//! What the definitions of columns and their choices say.

use serde_json::{Value, json};

use super::definition::label;
use crate::schema::{
    Choice, Column, ColumnKind, DateTimeBehavior, DateTimeFormat, RequiredLevel, SourceType,
    StringFormat, Table,
};

/// Largest file that a file column takes, in KiB.
const MAX_FILE_KIB: u32 = 32_768;

/// What every column says.
pub(super) fn column_properties(table: &Table, column: &Column) -> Value {
    let (attribute_type, type_name, _) = column_type(&column.kind);
    let name = &column.logical_name;
    json!({
        "LogicalName": name,
        "SchemaName": column.schema_name,
        "EntityLogicalName": table.logical_name,
        "AttributeType": attribute_type,
        "AttributeTypeName": {"Value": type_name},
        "AttributeOf": column.attribute_of,
        "ColumnNumber": column.column_number,
        "DisplayName": label(column.display_name.as_deref()),
        "Description": label(None),
        "IsLogical": column.attribute_of.is_some(),
        "IsValidForRead": column.readable,
        "IsValidForCreate": column.creatable,
        "IsValidForUpdate": column.updatable,
        "IsValidODataAttribute": column.is_selectable(),
        "IsSecured": column.secured,
        "IsPrimaryId": *name == table.primary_id,
        "IsPrimaryName": table.primary_name.as_ref() == Some(name),
        "IsCustomAttribute": column.is_custom,
        "IsManaged": !column.is_custom,
        "IsAuditEnabled": {
            "Value": table.audits(column),
            "CanBeChanged": true,
            "ManagedPropertyLogicalName": "canmodifyauditsettings",
        },
        "RequiredLevel": {
            "Value": match column.required {
                RequiredLevel::None => "None",
                RequiredLevel::SystemRequired => "SystemRequired",
                RequiredLevel::ApplicationRequired => "ApplicationRequired",
                RequiredLevel::Recommended => "Recommended",
            },
            "CanBeChanged": column.required != RequiredLevel::SystemRequired,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
        "SourceType": match column.source {
            SourceType::Simple => 0,
            SourceType::Calculated => 1,
            SourceType::Rollup => 2,
        },
        "IntroducedVersion": "5.0.0.0",
    })
}

/// `AttributeType`, `AttributeTypeName` and the name of the derived type.
pub(super) fn column_type(kind: &ColumnKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        ColumnKind::Uniqueidentifier => (
            "Uniqueidentifier",
            "UniqueidentifierType",
            "UniqueIdentifierAttributeMetadata",
        ),
        ColumnKind::String { .. } => ("String", "StringType", "StringAttributeMetadata"),
        ColumnKind::Memo { .. } => ("Memo", "MemoType", "MemoAttributeMetadata"),
        ColumnKind::Integer { .. } => ("Integer", "IntegerType", "IntegerAttributeMetadata"),
        ColumnKind::BigInt => ("BigInt", "BigIntType", "BigIntAttributeMetadata"),
        ColumnKind::Decimal { .. } => ("Decimal", "DecimalType", "DecimalAttributeMetadata"),
        ColumnKind::Double { .. } => ("Double", "DoubleType", "DoubleAttributeMetadata"),
        ColumnKind::Money { .. } => ("Money", "MoneyType", "MoneyAttributeMetadata"),
        ColumnKind::Boolean { .. } => ("Boolean", "BooleanType", "BooleanAttributeMetadata"),
        ColumnKind::Picklist { .. } => ("Picklist", "PicklistType", "PicklistAttributeMetadata"),
        ColumnKind::State { .. } => ("State", "StateType", "StateAttributeMetadata"),
        ColumnKind::Status { .. } => ("Status", "StatusType", "StatusAttributeMetadata"),
        ColumnKind::MultiSelectPicklist { .. } => (
            "Virtual",
            "MultiSelectPicklistType",
            "MultiSelectPicklistAttributeMetadata",
        ),
        ColumnKind::DateTime { .. } => ("DateTime", "DateTimeType", "DateTimeAttributeMetadata"),
        ColumnKind::Lookup { .. } => ("Lookup", "LookupType", "LookupAttributeMetadata"),
        ColumnKind::Customer { .. } => ("Customer", "CustomerType", "LookupAttributeMetadata"),
        ColumnKind::Owner => ("Owner", "OwnerType", "LookupAttributeMetadata"),
        ColumnKind::PartyList => ("PartyList", "PartyListType", "LookupAttributeMetadata"),
        ColumnKind::EntityName => (
            "EntityName",
            "EntityNameType",
            "EntityNameAttributeMetadata",
        ),
        ColumnKind::File => ("Virtual", "FileType", "FileAttributeMetadata"),
        ColumnKind::Image => ("Virtual", "ImageType", "ImageAttributeMetadata"),
        ColumnKind::Virtual => ("Virtual", "VirtualType", "AttributeMetadata"),
        ColumnKind::ManagedProperty => (
            "ManagedProperty",
            "ManagedPropertyType",
            "ManagedPropertyAttributeMetadata",
        ),
        ColumnKind::CalendarRules => ("CalendarRules", "CalendarRulesType", "AttributeMetadata"),
    }
}

/// What only columns of this type say.
pub(super) fn typed_properties(kind: &ColumnKind) -> Value {
    match kind {
        ColumnKind::String { max_length, format } => {
            let (name, format) = match format {
                StringFormat::Text => ("Text", "Text"),
                StringFormat::TextArea => ("TextArea", "TextArea"),
                StringFormat::Email => ("Email", "Email"),
                StringFormat::Phone => ("Phone", "Phone"),
                StringFormat::Url => ("Url", "Url"),
                StringFormat::TickerSymbol => ("TickerSymbol", "TickerSymbol"),
                StringFormat::PhoneticGuide => ("PhoneticGuide", "PhoneticGuide"),
                StringFormat::VersionNumber => ("VersionNumber", "VersionNumber"),
            };
            json!({
                "MaxLength": max_length,
                "DatabaseLength": max_length.saturating_mul(2),
                "Format": format,
                "FormatName": {"Value": name},
                "ImeMode": "Auto",
                "YomiOf": null,
                "FormulaDefinition": "",
            })
        }
        ColumnKind::Memo { max_length } => json!({
            "MaxLength": max_length, "Format": "TextArea", "FormatName": {"Value": "TextArea"},
            "ImeMode": "Auto",
        }),
        ColumnKind::Integer { min, max } => json!({
            "MinValue": min, "MaxValue": max, "Format": "None", "FormulaDefinition": "",
        }),
        ColumnKind::BigInt => json!({"MinValue": i64::MIN, "MaxValue": i64::MAX}),
        ColumnKind::Decimal { precision } | ColumnKind::Double { precision } => json!({
            "Precision": precision, "MinValue": -100_000_000_000_i64,
            "MaxValue": 100_000_000_000_i64, "ImeMode": "Auto",
        }),
        ColumnKind::Money { precision } => json!({
            "Precision": precision, "PrecisionSource": 2, "MinValue": -922_337_203_685_477_i64,
            "MaxValue": 922_337_203_685_477_i64, "CalculationOf": null, "IsBaseCurrency": false,
        }),
        ColumnKind::Boolean { default, .. } => json!({"DefaultValue": default}),
        ColumnKind::Picklist { .. } | ColumnKind::MultiSelectPicklist { .. } => {
            json!({"DefaultFormValue": -1, "ParentPicklistLogicalName": null})
        }
        ColumnKind::State { .. } | ColumnKind::Status { .. } => json!({"DefaultFormValue": null}),
        ColumnKind::DateTime { behavior, format } => json!({
            "Format": match format {
                DateTimeFormat::DateOnly => "DateOnly",
                DateTimeFormat::DateAndTime => "DateAndTime",
            },
            "DateTimeBehavior": {"Value": match behavior {
                DateTimeBehavior::UserLocal => "UserLocal",
                DateTimeBehavior::DateOnly => "DateOnly",
                DateTimeBehavior::TimeZoneIndependent => "TimeZoneIndependent",
            }},
            "CanChangeDateTimeBehavior": {
                "Value": false, "CanBeChanged": false,
                "ManagedPropertyLogicalName": "canchangedatetimebehavior",
            },
            "ImeMode": "Auto",
        }),
        ColumnKind::Lookup { targets } | ColumnKind::Customer { targets } => {
            json!({"Targets": targets, "Format": "None"})
        }
        ColumnKind::Owner => json!({"Targets": ["systemuser", "team"], "Format": "None"}),
        ColumnKind::PartyList => json!({"Targets": [], "Format": "None"}),
        ColumnKind::File => json!({"MaxSizeInKB": MAX_FILE_KIB}),
        ColumnKind::Image => json!({
            "MaxSizeInKB": 10_240, "MaxHeight": 144, "MaxWidth": 144, "IsPrimaryImage": false,
            "CanStoreFullImage": false,
        }),
        ColumnKind::EntityName => json!({"IsEntityReferenceStored": false}),
        ColumnKind::Uniqueidentifier
        | ColumnKind::Virtual
        | ColumnKind::ManagedProperty
        | ColumnKind::CalendarRules => json!({}),
    }
}

/// The choices of a column.
pub(super) fn option_set_properties(table: &Table, column: &Column) -> Value {
    let name = format!("{}_{}", table.logical_name, column.logical_name);
    let mut value = json!({
        "Name": name,
        "IsGlobal": false,
        "IsCustomOptionSet": column.is_custom,
        "IsManaged": !column.is_custom,
        "DisplayName": label(column.display_name.as_deref()),
        "Description": label(None),
        "OptionSetType": match column.kind {
            ColumnKind::State { .. } => "State",
            ColumnKind::Status { .. } => "Status",
            ColumnKind::Boolean { .. } => "Boolean",
            _ => "Picklist",
        },
    });
    if let Value::Object(members) = &mut value {
        if let ColumnKind::Boolean {
            true_label,
            false_label,
            ..
        } = &column.kind
        {
            members.insert("TrueOption".to_owned(), option(1, true_label));
            members.insert("FalseOption".to_owned(), option(0, false_label));
        } else {
            let is_state = matches!(column.kind, ColumnKind::State { .. });
            let options = column
                .choices()
                .iter()
                .map(|choice| state_option(choice, is_state));
            members.insert("Options".to_owned(), options.collect());
        }
    }
    value
}

fn state_option(choice: &Choice, is_state: bool) -> Value {
    let mut value = option(choice.value, &choice.label);
    if let Value::Object(members) = &mut value {
        if let Some(state) = choice.state {
            let kind = "#Microsoft.Dynamics.CRM.StatusOptionMetadata";
            members.insert("@odata.type".to_owned(), json!(kind));
            members.insert("State".to_owned(), json!(state));
            members.insert("TransitionData".to_owned(), Value::Null);
        }
        if is_state {
            let kind = "#Microsoft.Dynamics.CRM.StateOptionMetadata";
            members.insert("@odata.type".to_owned(), json!(kind));
            members.insert("InvariantName".to_owned(), json!(choice.label));
        }
    }
    value
}

fn option(value: i32, text: &str) -> Value {
    json!({
        "Value": value,
        "Label": label(Some(text)),
        "Description": label(None),
        "Color": null,
        "ExternalValue": "",
        "IsManaged": true,
        "MetadataId": null,
        "HasChanged": null,
    })
}
