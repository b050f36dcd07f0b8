//! The properties of columns definitions.

use serde_json::{Value, json};

use super::labels::Labels;
use crate::schema::{
    Column, ColumnKind, DateTimeBehavior, DateTimeFormat, RequiredLevel, SourceType, StringFormat,
    Table,
};

/// The properties of every column.
pub(super) const COLUMN: &[&str] = &[
    "LogicalName",
    "SchemaName",
    "EntityLogicalName",
    "AttributeType",
    "AttributeTypeName",
    "AttributeOf",
    "AutoNumberFormat",
    "ColumnNumber",
    "DisplayName",
    "Description",
    "DeprecatedVersion",
    "ExternalName",
    "InheritsFrom",
    "LinkedAttributeId",
    "IsLogical",
    "IsValidForRead",
    "IsValidForCreate",
    "IsValidForUpdate",
    "IsValidForForm",
    "IsValidForGrid",
    "IsValidODataAttribute",
    "IsSecured",
    "CanBeSecuredForCreate",
    "CanBeSecuredForRead",
    "CanBeSecuredForUpdate",
    "IsPrimaryId",
    "IsPrimaryName",
    "IsCustomAttribute",
    "IsManaged",
    "IsDataSourceSecret",
    "IsFilterable",
    "IsRetrievable",
    "IsSearchable",
    "IsRequiredForForm",
    "IsAuditEnabled",
    "IsGlobalFilterEnabled",
    "IsSortableEnabled",
    "IsCustomizable",
    "IsRenameable",
    "IsValidForAdvancedFind",
    "CanModifyAdditionalSettings",
    "RequiredLevel",
    "SourceType",
    "SourceTypeMask",
    "IntroducedVersion",
];

/// One property that every column has.
pub(super) fn column_property(
    labels: &Labels,
    table: &Table,
    column: &Column,
    name: &str,
) -> Option<Value> {
    let own_name = &column.logical_name;
    let securable = column.can_be_secured();
    let stands_alone = column.attribute_of.is_none();
    let managed = |value: bool, property: &str| json!({"Value": value, "CanBeChanged": true, "ManagedPropertyLogicalName": property});
    Some(match name {
        "LogicalName" => json!(own_name),
        "SchemaName" => json!(column.schema_name),
        "EntityLogicalName" => json!(table.logical_name),
        "AttributeType" => json!(column_type(&column.kind).0),
        "AttributeTypeName" => json!({"Value": column_type(&column.kind).1}),
        "AttributeOf" => json!(column.attribute_of),
        "AutoNumberFormat" if matches!(column.kind, ColumnKind::String { .. }) => json!(""),
        "AutoNumberFormat" | "DeprecatedVersion" | "ExternalName" | "InheritsFrom"
        | "LinkedAttributeId" => Value::Null,
        "ColumnNumber" => json!(column.column_number),
        "DisplayName" => labels.of(column.display_name.as_ref()),
        "Description" => labels.of(column.description.as_ref()),
        "IsLogical" => json!(!stands_alone),
        "IsValidForRead" | "IsRetrievable" => json!(column.readable),
        "IsValidForCreate" => json!(column.creatable),
        "IsValidForUpdate" => json!(column.updatable),
        "IsValidForForm" | "IsValidForGrid" | "IsValidODataAttribute" => {
            json!(column.is_selectable())
        }
        "IsSecured" => json!(column.secured),
        "CanBeSecuredForCreate" => json!(securable && column.creatable),
        "CanBeSecuredForRead" => json!(securable && column.readable),
        "CanBeSecuredForUpdate" => json!(securable && column.updatable),
        "IsPrimaryId" => json!(*own_name == table.primary_id),
        "IsPrimaryName" => json!(table.primary_name.as_ref() == Some(own_name)),
        "IsCustomAttribute" => json!(column.is_custom),
        "IsManaged" => json!(!column.is_custom),
        "IsDataSourceSecret" | "IsFilterable" | "IsRequiredForForm" | "IsSearchable" => {
            json!(false)
        }
        "IsAuditEnabled" => managed(table.audits(column), "canmodifyauditsettings"),
        "IsGlobalFilterEnabled" => managed(false, "canmodifyglobalfiltersettings"),
        "IsSortableEnabled" => managed(false, "canmodifyissortablesettings"),
        "IsCustomizable" => managed(true, "iscustomizable"),
        "IsRenameable" => managed(true, "isrenameable"),
        "IsValidForAdvancedFind" => managed(stands_alone, "canmodifysearchsettings"),
        "CanModifyAdditionalSettings" => managed(true, "canmodifyadditionalsettings"),
        "RequiredLevel" => json!({
            "Value": match column.required {
                RequiredLevel::None => "None",
                RequiredLevel::SystemRequired => "SystemRequired",
                RequiredLevel::ApplicationRequired => "ApplicationRequired",
                RequiredLevel::Recommended => "Recommended",
            },
            "CanBeChanged": column.required != RequiredLevel::SystemRequired,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        }),
        "SourceType" => match column.source {
            // Columns for display have no source.
            SourceType::Simple if !stands_alone => Value::Null,
            SourceType::Simple => json!(0),
            SourceType::Calculated => json!(1),
            SourceType::Rollup => json!(2),
        },
        "SourceTypeMask" => json!(0),
        "IntroducedVersion" => json!(if column.is_custom { "1.0" } else { "5.0.0.0" }),
        _ => return None,
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
        ColumnKind::File { .. } => ("Virtual", "FileType", "FileAttributeMetadata"),
        ColumnKind::Image { .. } => ("Virtual", "ImageType", "ImageAttributeMetadata"),
        ColumnKind::Virtual => ("Virtual", "VirtualType", "AttributeMetadata"),
        ColumnKind::ManagedProperty => (
            "ManagedProperty",
            "ManagedPropertyType",
            "ManagedPropertyAttributeMetadata",
        ),
        ColumnKind::CalendarRules => ("CalendarRules", "CalendarRulesType", "AttributeMetadata"),
    }
}

/// The properties that only columns of this type have.
pub(super) fn typed_names(kind: &ColumnKind) -> &'static [&'static str] {
    match kind {
        ColumnKind::String { .. } => &[
            "MaxLength",
            "DatabaseLength",
            "Format",
            "FormatName",
            "ImeMode",
            "IsLocalizable",
            "YomiOf",
            "FormulaDefinition",
            "SourceTypeMask",
        ],
        ColumnKind::Memo { .. } => &[
            "MaxLength",
            "Format",
            "FormatName",
            "ImeMode",
            "IsLocalizable",
        ],
        ColumnKind::Integer { .. } => &["MinValue", "MaxValue", "Format", "FormulaDefinition"],
        ColumnKind::BigInt => &["MinValue", "MaxValue"],
        ColumnKind::Decimal { .. } => &[
            "Precision",
            "MinValue",
            "MaxValue",
            "ImeMode",
            "FormulaDefinition",
        ],
        ColumnKind::Double { .. } => &["Precision", "MinValue", "MaxValue", "ImeMode"],
        ColumnKind::Money { .. } => &[
            "Precision",
            "PrecisionSource",
            "MinValue",
            "MaxValue",
            "ImeMode",
            "CalculationOf",
            "IsBaseCurrency",
            "FormulaDefinition",
        ],
        ColumnKind::Boolean { .. } => &["DefaultValue", "FormulaDefinition"],
        ColumnKind::Picklist { .. } | ColumnKind::MultiSelectPicklist { .. } => &[
            "DefaultFormValue",
            "FormulaDefinition",
            "ParentPicklistLogicalName",
            "ChildPicklistLogicalNames",
        ],
        ColumnKind::State { .. } | ColumnKind::Status { .. } => &["DefaultFormValue"],
        ColumnKind::DateTime { .. } => &[
            "Format",
            "DateTimeBehavior",
            "CanChangeDateTimeBehavior",
            "ImeMode",
            "MinSupportedValue",
            "MaxSupportedValue",
            "FormulaDefinition",
        ],
        ColumnKind::Lookup { .. }
        | ColumnKind::Customer { .. }
        | ColumnKind::Owner
        | ColumnKind::PartyList => &["Targets", "Format"],
        ColumnKind::File { .. } => &["MaxSizeInKB"],
        ColumnKind::Image { .. } => &[
            "MaxSizeInKB",
            "MaxHeight",
            "MaxWidth",
            "IsPrimaryImage",
            "CanStoreFullImage",
        ],
        ColumnKind::EntityName => &["IsEntityReferenceStored"],
        ColumnKind::Uniqueidentifier
        | ColumnKind::Virtual
        | ColumnKind::ManagedProperty
        | ColumnKind::CalendarRules => &[],
    }
}

/// One property that only columns of this type have.
pub(super) fn typed_property(column: &Column, name: &str) -> Option<Value> {
    let kind = &column.kind;
    if !typed_names(kind).contains(&name) {
        return None;
    }
    Some(match (name, kind) {
        ("MaxLength", ColumnKind::String { max_length, .. } | ColumnKind::Memo { max_length }) => {
            json!(max_length)
        }
        ("DatabaseLength", ColumnKind::String { max_length, .. }) => {
            json!(max_length.saturating_mul(2))
        }
        ("Format", ColumnKind::String { format, .. }) => json!(format_name(*format)),
        ("FormatName", ColumnKind::String { format, .. }) => json!({"Value": format_name(*format)}),
        ("Format", ColumnKind::Memo { .. }) => json!("TextArea"),
        ("FormatName", ColumnKind::Memo { .. }) => json!({"Value": "TextArea"}),
        ("Format", ColumnKind::DateTime { format, .. }) => json!(match format {
            DateTimeFormat::DateOnly => "DateOnly",
            DateTimeFormat::DateAndTime => "DateAndTime",
        }),
        ("Format", _) => json!("None"),
        ("MinValue", ColumnKind::Integer { min, .. }) => json!(min),
        ("MaxValue", ColumnKind::Integer { max, .. }) => json!(max),
        ("MinValue", ColumnKind::BigInt) => json!(i64::MIN),
        ("MaxValue", ColumnKind::BigInt) => json!(i64::MAX),
        (
            "MinValue",
            ColumnKind::Decimal { range, .. }
            | ColumnKind::Double { range, .. }
            | ColumnKind::Money { range, .. },
        ) => json!(range.min),
        (
            "MaxValue",
            ColumnKind::Decimal { range, .. }
            | ColumnKind::Double { range, .. }
            | ColumnKind::Money { range, .. },
        ) => json!(range.max),
        (
            "Precision",
            ColumnKind::Decimal { precision, .. }
            | ColumnKind::Double { precision, .. }
            | ColumnKind::Money { precision, .. },
        ) => json!(precision),
        (
            "PrecisionSource",
            ColumnKind::Money {
                precision_source, ..
            },
        ) => json!(precision_source),
        ("CalculationOf", _) => json!(column.logical_name.strip_suffix("_base")),
        ("IsBaseCurrency", _) => json!(column.logical_name.ends_with("_base")),
        ("DefaultValue", ColumnKind::Boolean { default, .. }) => json!(default),
        ("DefaultFormValue", ColumnKind::Picklist { default, .. }) => json!(default.unwrap_or(-1)),
        ("DefaultFormValue", ColumnKind::MultiSelectPicklist { .. }) => json!(-1),
        ("ChildPicklistLogicalNames", _) => json!([]),
        ("DateTimeBehavior", ColumnKind::DateTime { behavior, .. }) => json!({
            "Value": match behavior {
                DateTimeBehavior::UserLocal => "UserLocal",
                DateTimeBehavior::DateOnly => "DateOnly",
                DateTimeBehavior::TimeZoneIndependent => "TimeZoneIndependent",
            },
        }),
        ("CanChangeDateTimeBehavior", _) => json!({
            "Value": column.is_custom, "CanBeChanged": column.is_custom,
            "ManagedPropertyLogicalName": "canchangedatetimebehavior",
        }),
        ("MinSupportedValue", _) => json!("1753-01-01T00:00:00Z"),
        ("MaxSupportedValue", _) => json!("9999-12-30T23:59:59Z"),
        ("ImeMode", _) => json!("Auto"),
        ("Targets", _) => json!(column.targets()),
        ("MaxSizeInKB", ColumnKind::File { max_kib } | ColumnKind::Image { max_kib, .. }) => {
            json!(max_kib)
        }
        ("MaxHeight" | "MaxWidth", _) => json!(144),
        ("IsPrimaryImage", ColumnKind::Image { primary, .. }) => json!(primary),
        ("CanStoreFullImage", ColumnKind::Image { full, .. }) => json!(full),
        ("IsEntityReferenceStored" | "IsLocalizable", _) => json!(false),
        ("SourceTypeMask", _) => json!(0),
        ("FormulaDefinition", _) => json!(""),
        _ => Value::Null,
    })
}

fn format_name(format: StringFormat) -> &'static str {
    match format {
        StringFormat::Text => "Text",
        StringFormat::TextArea => "TextArea",
        StringFormat::Email => "Email",
        StringFormat::Phone => "Phone",
        StringFormat::Url => "Url",
        StringFormat::TickerSymbol => "TickerSymbol",
        StringFormat::PhoneticGuide => "PhoneticGuide",
        StringFormat::VersionNumber => "VersionNumber",
    }
}
