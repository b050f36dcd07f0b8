//! A small organization.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::dataverse::Client;
use crate::simulation::{self, Reply, SETTINGS, Simulation, signed_in};

pub(super) fn label(text: &str) -> Value {
    json!({"LocalizedLabels": [{"Label": "anders"}], "UserLocalizedLabel": {"Label": text}})
}

pub(super) fn attribute(name: &str, kind: &str, number: i32) -> Value {
    json!({
        "@odata.type": "#Microsoft.Dynamics.CRM.AttributeMetadata",
        "MetadataId": "00000000-0000-0000-0000-000000000000",
        "LogicalName": name, "AttributeType": kind, "AttributeOf": null,
        "AttributeTypeName": {"Value": format!("{kind}Type")},
        "DisplayName": label(&name.to_uppercase()), "ColumnNumber": number,
        "IsValidForRead": true, "IsValidForCreate": true, "IsValidForUpdate": false,
        "IsValidODataAttribute": true, "IsSecured": false,
        "RequiredLevel": {"Value": "None", "CanBeChanged": true},
    })
}

pub(super) fn with(mut attribute: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else {
        panic!()
    };
    attribute.as_object_mut().unwrap().extend(changes);
    attribute
}

pub(super) fn account() -> Value {
    json!({
        "LogicalName": "account", "EntitySetName": "accounts", "PrimaryIdAttribute": "accountid",
        "PrimaryNameAttribute": "name", "DisplayName": label("Account"), "IsPrivate": false,
        "ChangeTrackingEnabled": true,
        "CanChangeTrackingBeEnabled": {"Value": true, "CanBeChanged": false},
        "Attributes": [
            with(attribute("name", "String", 2),
                json!({"RequiredLevel": {"Value": "ApplicationRequired"}, "IsSecured": true})),
            attribute("accountid", "Uniqueidentifier", 1),
            attribute("revenue", "Money", 3),
            attribute("ownerid", "Owner", 4),
            attribute("customerid", "Customer", 5),
            attribute("statuscode", "Status", 6),
            attribute("creditonhold", "Boolean", 7),
            attribute("founded", "DateTime", 8),
            attribute("modifiedon", "DateTime", 9),
            attribute("versionnumber", "BigInt", 10),
            with(attribute("new_colours", "Virtual", 11),
                json!({"AttributeTypeName": {"Value": "MultiSelectPicklistType"}})),
            with(attribute("entityimage", "Virtual", 12),
                json!({"AttributeTypeName": {"Value": "ImageType"}})),
            with(attribute("statuscodename", "Virtual", 13), json!({"AttributeOf": "statuscode"})),
            with(attribute("owneridtype", "EntityName", 14), json!({"AttributeOf": "ownerid"})),
            with(attribute("secret", "String", 15), json!({"IsValidForRead": false})),
            with(attribute("odd", "String", 16), json!({"IsValidODataAttribute": false})),
            with(attribute("future", "Hologram", 17), json!({
                "DisplayName": {"LocalizedLabels": [], "UserLocalizedLabel": null}})),
            attribute("participants", "PartyList", 18),
            with(attribute("statecode", "State", 19),
                json!({"RequiredLevel": {"Value": "SystemRequired"}})),
            with(attribute("minutes", "Integer", 20),
                json!({"RequiredLevel": {"Value": "Recommended"}})),
        ],
        "ManyToOneRelationships": [
            {"SchemaName": "account_primary_contact", "ReferencedEntity": "contact",
                "ReferencedAttribute": "contactid", "ReferencingEntity": "account",
                "ReferencingAttribute": "primarycontactid", "MetadataId": "1"},
            {"SchemaName": "account_parent_account", "ReferencedEntity": "account",
                "ReferencedAttribute": "accountid", "ReferencingEntity": "account",
                "ReferencingAttribute": "parentaccountid", "MetadataId": "2"},
        ],
        "OneToManyRelationships": [
            {"SchemaName": "Account_Tasks", "ReferencedEntity": "account",
                "ReferencedAttribute": "accountid", "ReferencingEntity": "task",
                "ReferencingAttribute": "regardingobjectid", "MetadataId": "3"},
            {"SchemaName": "broken", "ReferencedEntity": "account"},
        ],
        "ManyToManyRelationships": [
            {"SchemaName": "accountleads_association", "Entity1LogicalName": "lead",
                "Entity2LogicalName": "account", "Entity1IntersectAttribute": "leadid",
                "Entity2IntersectAttribute": "accountid",
                "IntersectEntityName": "accountleads", "MetadataId": "4"},
        ],
        "Keys": [
            {"LogicalName": "new_number", "SchemaName": "new_Number",
                "KeyAttributes": ["accountnumber"], "EntityKeyIndexStatus": "Active"},
            {"LogicalName": "new_none", "KeyAttributes": null, "EntityKeyIndexStatus": null},
            {"LogicalName": "new_code", "KeyAttributes": ["a", "b"],
                "EntityKeyIndexStatus": "Failed"},
        ],
    })
}

pub(super) fn details(cast: &str) -> Value {
    let option = |value: i32, text: &str| json!({"Value": value, "Label": label(text)});
    match cast {
        "Lookup" => json!([
            {"LogicalName": "ownerid", "Targets": ["systemuser", "team"]},
            {"LogicalName": "customerid", "Targets": ["account", "contact"]},
            {"LogicalName": "unheard_of", "Targets": []},
        ]),
        "Status" => json!([{"LogicalName": "statuscode", "OptionSet": {"Options": [
            option(1, "Active"), option(2, "Inactive"),
            {"Value": null, "Label": {"LocalizedLabels": [], "UserLocalizedLabel": null}},
        ]}}]),
        "MultiSelectPicklist" => {
            json!([{"LogicalName": "new_colours", "OptionSet": null, "GlobalOptionSet": {
                "Name": "new_palette", "IsGlobal": true, "Options": [
                {"Value": 9, "Label": {"LocalizedLabels": [], "UserLocalizedLabel": null}},
            ]}}])
        }
        "Boolean" => json!([{"LogicalName": "creditonhold", "OptionSet": {
            "TrueOption": option(1, "Yes"), "FalseOption": option(0, "No")}}]),
        "State" => json!([{"LogicalName": "statecode", "OptionSet": {
            "Name": "account_statecode", "IsGlobal": false,
            "Options": [option(0, "Active"), option(1, "Inactive")]}}]),
        "String" => json!([{"LogicalName": "name", "MaxLength": 160,
            "FormatName": {"Value": "Email"}}]),
        "Integer" => json!([{"LogicalName": "minutes", "MinValue": 0, "MaxValue": 2_147_483_647,
            "Format": "Duration"}]),
        // The numbers are put in below: they have more digits than a binary one.
        "Money" => json!([{"LogicalName": "revenue", "Precision": 2, "MinValue": "MIN",
            "MaxValue": null}]),
        "DateTime" => json!([
            {"LogicalName": "founded", "DateTimeBehavior": {"Value": "DateOnly"},
                "Format": "DateOnly"},
            {"LogicalName": "modifiedon", "DateTimeBehavior": {"Value": "UserLocal"}},
        ]),
        "Picklist" | "Memo" | "Decimal" | "Double" => json!([]),
        other => panic!("{other} is no kind of column"),
    }
}

/// An amount with more digits than a binary number holds.
pub(super) const LEAST: &str = "-922337203685477.58080000001";

/// An organization with one good table and others that cannot be read.
pub(super) fn organization() -> Rc<Simulation> {
    signed_in(|request| {
        let path = &request.target.path_and_query;
        if let Some((_, cast)) = path.split_once("/Attributes/Microsoft.Dynamics.CRM.") {
            let cast = cast.split("AttributeMetadata").next().unwrap();
            let body = json!({ "value": details(cast) }).to_string();
            return Reply::body(200, body.replace("\"MIN\"", LEAST));
        }
        if path.contains("(LogicalName='account')") {
            return Reply::json(&account());
        }
        if path.contains("(LogicalName=") {
            return Reply::fault(
                404,
                "0x80041102",
                "The entity was not found in the MetadataCache.",
            );
        }
        let plain = |name: &str| {
            json!({
                "LogicalName": name, "EntitySetName": format!("{name}s"),
                "PrimaryIdAttribute": format!("{name}id"), "PrimaryNameAttribute": "",
                "DisplayName": null, "IsPrivate": false, "ChangeTrackingEnabled": false,
                "Attributes": [{"LogicalName": "x"}],
            })
        };
        Reply::json(&json!({"value": [
            with(plain("task"), json!({"Attributes": [{"LogicalName": "modifiedon"}]})),
            with(plain("grant"), json!({"Attributes": [{"LogicalName": "versionnumber"}]})),
            account(),
            plain("zone"),
            with(plain("hidden"), json!({"IsPrivate": true})),
            with(plain("nowhere"), json!({"EntitySetName": null})),
            with(plain("keyless"), json!({"PrimaryIdAttribute": null})),
            with(plain("bare"), json!({"Attributes": null, "Keys": null, "IsPrivate": null,
                "DisplayName": {"LocalizedLabels": null, "UserLocalizedLabel": null}})),
        ]}))
    })
}

pub(super) fn open(host: &Rc<Simulation>) -> Client<Simulation> {
    simulation::client(host, SETTINGS)
}
