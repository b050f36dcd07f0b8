//! The properties of choices definitions.

use serde_json::{Value, json};

use super::labels::Labels;
use crate::schema::{Choice, Column, ColumnKind, Label, OptionSet, Table};

/// The properties of every set of choices.
pub(super) const BASE: &[&str] = &[
    "Name",
    "DisplayName",
    "Description",
    "IsGlobal",
    "IsCustomOptionSet",
    "IsManaged",
    "IsCustomizable",
    "OptionSetType",
    "ExternalTypeName",
    "ParentOptionSetName",
    "IntroducedVersion",
];

/// The choices themselves.
pub(super) const LIST: &[&str] = &["Options"];

/// The choices of a column for yes and no.
pub(super) const YES_OR_NO: &[&str] = &["TrueOption", "FalseOption"];

/// One property of the choices that a column has for itself.
pub(super) fn column_choices(
    labels: &Labels,
    table: &Table,
    column: &Column,
    name: &str,
) -> Option<Value> {
    let kind = &column.kind;
    Some(match (name, kind) {
        ("Name", _) => json!(format!("{}_{}", table.logical_name, column.logical_name)),
        ("DisplayName", _) => labels.of(column.display_name.as_ref()),
        ("IsGlobal", _) => json!(false),
        ("IsCustomOptionSet", _) => json!(column.is_custom),
        ("IsManaged", _) => json!(!column.is_custom),
        ("OptionSetType", ColumnKind::State { .. }) => json!("State"),
        ("OptionSetType", ColumnKind::Status { .. }) => json!("Status"),
        ("OptionSetType", ColumnKind::Boolean { .. }) => json!("Boolean"),
        ("TrueOption", ColumnKind::Boolean { true_label, .. }) => option(labels, 1, true_label),
        ("FalseOption", ColumnKind::Boolean { false_label, .. }) => option(labels, 0, false_label),
        ("Options", ColumnKind::Boolean { .. }) => return None,
        ("Options", _) => list(
            labels,
            column.choices(),
            matches!(kind, ColumnKind::State { .. }),
        ),
        _ => return common(labels, name),
    })
}

/// One property of choices that columns share.
pub(super) fn shared_choices(labels: &Labels, set: &OptionSet, name: &str) -> Option<Value> {
    Some(match name {
        "Name" => json!(set.name),
        "DisplayName" => labels.of(set.display_name.as_ref()),
        "IsGlobal" => json!(true),
        "IsCustomOptionSet" => json!(set.is_custom),
        "IsManaged" => json!(!set.is_custom),
        "Options" => list(labels, &set.options, false),
        _ => return common(labels, name),
    })
}

fn common(labels: &Labels, name: &str) -> Option<Value> {
    Some(match name {
        "Description" => labels.of(None),
        "OptionSetType" => json!("Picklist"),
        "ExternalTypeName" => json!(""),
        "ParentOptionSetName" => Value::Null,
        "IntroducedVersion" => json!("5.0.0.0"),
        "IsCustomizable" => json!({
            "Value": true, "CanBeChanged": true, "ManagedPropertyLogicalName": "iscustomizable",
        }),
        _ => return None,
    })
}

fn list(labels: &Labels, choices: &[Choice], states: bool) -> Value {
    let options = choices.iter().map(|choice| {
        let mut value = option(labels, choice.value, &choice.label);
        if let Value::Object(members) = &mut value {
            if let Some(state) = choice.state {
                let kind = "#Microsoft.Dynamics.CRM.StatusOptionMetadata";
                members.insert("@odata.type".to_owned(), json!(kind));
                members.insert("State".to_owned(), json!(state));
                members.insert("TransitionData".to_owned(), Value::Null);
            }
            if states {
                let kind = "#Microsoft.Dynamics.CRM.StateOptionMetadata";
                members.insert("@odata.type".to_owned(), json!(kind));
                members.insert("InvariantName".to_owned(), json!(choice.label.text));
            }
        }
        value
    });
    options.collect()
}

fn option(labels: &Labels, value: i32, label: &Label) -> Value {
    json!({
        "Value": value,
        "Label": labels.of(Some(label)),
        "Description": labels.of(None),
        "Color": null,
        "ExternalValue": "",
        "ParentValues": [],
        "Tag": null,
        "IsHidden": false,
        "IsManaged": true,
        "MetadataId": null,
        "HasChanged": null,
    })
}
