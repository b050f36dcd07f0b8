use std::rc::Rc;

use serde_json::{Value, json};

use super::*;
use crate::simulation::{Reply, SETTINGS, Simulation, signed_in};

fn label(text: &str) -> Value {
    json!({"LocalizedLabels": [{"Label": "anders"}], "UserLocalizedLabel": {"Label": text}})
}

fn attribute(name: &str, kind: &str, number: i32) -> Value {
    json!({
        "@odata.type": "#Microsoft.Dynamics.CRM.AttributeMetadata",
        "MetadataId": "00000000-0000-0000-0000-000000000000",
        "LogicalName": name, "AttributeType": kind, "AttributeOf": null,
        "AttributeTypeName": {"Value": format!("{kind}Type")},
        "DisplayName": label(&name.to_uppercase()), "ColumnNumber": number,
        "IsValidForRead": true, "IsValidForCreate": true, "IsValidForUpdate": false,
        "IsValidODataAttribute": true,
    })
}

fn with(mut attribute: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else {
        panic!()
    };
    attribute.as_object_mut().unwrap().extend(changes);
    attribute
}

fn account() -> Value {
    json!({
        "LogicalName": "account", "EntitySetName": "accounts", "PrimaryIdAttribute": "accountid",
        "PrimaryNameAttribute": "name", "DisplayName": label("Account"), "IsPrivate": false,
        "ChangeTrackingEnabled": true,
        "Attributes": [
            attribute("name", "String", 2),
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

fn details(cast: &str) -> Value {
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
            json!([{"LogicalName": "new_colours", "OptionSet": null, "GlobalOptionSet": {"Options": [
                {"Value": 9, "Label": {"LocalizedLabels": [], "UserLocalizedLabel": null}},
            ]}}])
        }
        "Boolean" => json!([{"LogicalName": "creditonhold", "OptionSet": {
            "TrueOption": option(1, "Yes"), "FalseOption": option(0, "No")}}]),
        "String" => json!([{"LogicalName": "name", "MaxLength": 160}]),
        "Money" => json!([{"LogicalName": "revenue", "Precision": 2}]),
        "DateTime" => json!([
            {"LogicalName": "founded", "DateTimeBehavior": {"Value": "DateOnly"}},
            {"LogicalName": "modifiedon", "DateTimeBehavior": {"Value": "UserLocal"}},
        ]),
        other => panic!("{other} was not needed"),
    }
}

/// An organization with one good table and others that cannot be read.
fn organization() -> Rc<Simulation> {
    signed_in(|request| {
        let path = &request.target.path_and_query;
        if let Some((_, cast)) = path.split_once("/Attributes/Microsoft.Dynamics.CRM.") {
            let cast = cast.split("AttributeMetadata").next().unwrap();
            return Reply::json(&json!({ "value": details(cast) }));
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

fn open(host: &Rc<Simulation>) -> Session<Simulation> {
    Session::open(Rc::clone(host), SETTINGS).unwrap()
}

#[test]
fn readable_tables_are_listed_by_name() {
    let host = organization();
    let session = open(&host);
    let listed: Vec<(String, String, ChangeDetection)> = host
        .block_on(list(&session))
        .unwrap()
        .into_iter()
        .map(|summary| (summary.name, summary.title, summary.change_detection))
        .collect();
    let expected = [
        ("account", "Account", ChangeDetection::Tracked),
        ("bare", "bare", ChangeDetection::None),
        ("grant", "grant", ChangeDetection::Watermark),
        ("task", "task", ChangeDetection::Watermark),
        ("zone", "zone", ChangeDetection::None),
    ];
    let expected: Vec<_> = expected
        .map(|(name, title, found)| (name.to_owned(), title.to_owned(), found))
        .into();
    assert_eq!(listed, expected);
}

#[test]
fn a_service_that_filters_no_expansion_is_asked_more_plainly() {
    let host = signed_in(|request| {
        if request.target.path_and_query.contains(";$filter=") {
            return Reply::fault(400, "0x80060888", "The query is not valid.");
        }
        Reply::json(
            &json!({"value": [{"LogicalName": "task", "EntitySetName": "tasks",
            "PrimaryIdAttribute": "activityid",
            "Attributes": [{"LogicalName": "subject"}, {"LogicalName": "modifiedon"}]}]}),
        )
    });
    let listed = host.block_on(list(&open(&host))).unwrap();
    assert_eq!(listed[0].change_detection, ChangeDetection::Watermark);
    assert_eq!(host.count("EntityDefinitions"), 2);
}

#[test]
fn the_settings_bound_what_is_asked_for_at_once() {
    for limit in [1, 2, 3] {
        let host = organization();
        let settings = SETTINGS.replacen(
            '{',
            &format!("{{\"limits\": {{\"maxConcurrency\": {limit}}},"),
            1,
        );
        let session = Session::open(Rc::clone(&host), &settings).unwrap();
        let names = ["account", "account", "account"].map(str::to_owned);
        assert_eq!(host.block_on(describe(&session, &names)).unwrap().len(), 3);
        assert_eq!(host.most_at_once(), limit.min(2), "{limit}");
    }
}

#[test]
fn a_table_is_described_with_what_each_type_has() {
    let host = organization();
    let session = open(&host);
    let descriptions = host
        .block_on(describe(&session, &["account".to_owned()]))
        .unwrap();
    let account = &descriptions[0];
    assert_eq!(account.primary_key, ["accountid"]);
    assert_eq!(account.name_column.as_deref(), Some("name"));
    let types: Vec<(&str, DataType)> = account
        .columns
        .iter()
        .map(|column| (column.name.as_str(), column.data_type))
        .collect();
    assert_eq!(
        types,
        [
            ("accountid", DataType::Identifier),
            ("name", DataType::Text),
            ("revenue", DataType::Decimal),
            ("ownerid", DataType::Reference),
            ("customerid", DataType::Reference),
            ("statuscode", DataType::Choice),
            ("creditonhold", DataType::Boolean),
            ("founded", DataType::Date),
            ("modifiedon", DataType::Timestamp),
            ("versionnumber", DataType::BigInteger),
            ("new_colours", DataType::ChoiceList),
            ("entityimage", DataType::File),
            ("future", DataType::Other),
        ]
    );
    let column = |name: &str| {
        account
            .columns
            .iter()
            .find(|column| column.name == name)
            .unwrap()
    };
    assert!(!column("accountid").nullable && column("name").nullable);
    assert!(column("name").creatable && !column("name").updatable);
    assert_eq!(
        (column("name").title.as_str(), column("name").max_length),
        ("NAME", Some(160))
    );
    assert_eq!(column("revenue").scale, Some(2));
    assert_eq!(column("ownerid").targets, ["systemuser", "team"]);
    assert_eq!(column("customerid").targets, ["account", "contact"]);
    let choices = |name: &str| -> Vec<(i32, &str)> {
        column(name)
            .choices
            .iter()
            .map(|choice| (choice.value, choice.label.as_str()))
            .collect()
    };
    assert_eq!(choices("statuscode"), [(1, "Active"), (2, "Inactive")]);
    assert_eq!(choices("creditonhold"), [(0, "No"), (1, "Yes")]);
    assert_eq!(choices("new_colours"), [(9, "9")]);
    assert_eq!(column("future").title, "future");
    let keys: Vec<(&str, bool)> = account
        .alternate_keys
        .iter()
        .map(|key| (key.name.as_str(), key.usable))
        .collect();
    assert_eq!(
        keys,
        [
            ("new_code", false),
            ("new_none", false),
            ("new_number", true)
        ]
    );
}

#[test]
fn the_row_schema_is_exact() {
    let host = organization();
    let table = host
        .block_on(read(open(&host).client(), "account"))
        .unwrap();
    let schema: Value = serde_json::from_str(&row_schema(&table, None, false)).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(schema["required"], json!(["accountid"]));
    let properties = &schema["properties"];
    assert_eq!(properties.as_object().unwrap().len(), 13);
    assert_eq!(properties["accountid"]["type"], "string");
    assert_eq!(properties["accountid"]["format"], "uuid");
    assert_eq!(properties["revenue"]["type"], json!(["number", "null"]));
    assert_eq!(properties["revenue"]["x-data-type"], "decimal");
    assert_eq!(properties["revenue"]["x-scale"], 2);
    assert_eq!(properties["founded"]["format"], "date");
    assert_eq!(properties["modifiedon"]["format"], "date-time");
    assert_eq!(properties["versionnumber"]["x-data-type"], "big-integer");
    assert_eq!(
        properties["ownerid"]["x-targets"],
        json!(["systemuser", "team"])
    );
    assert_eq!(
        properties["statuscode"]["oneOf"][1],
        json!({"const": 2, "title": "Inactive"})
    );
    assert_eq!(properties["future"].get("type"), None);

    let some = ["statuscode".to_owned(), "ownerid".to_owned()];
    let schema: Value = serde_json::from_str(&row_schema(&table, Some(&some), true)).unwrap();
    let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "accountid",
            "ownerid",
            "owneridname",
            "owneridtype",
            "statuscode",
            "statuscodename"
        ]
    );
    assert_eq!(
        schema["properties"]["owneridtype"]["x-data-type"],
        "stream-name"
    );
    assert_eq!(
        schema["properties"]["statuscodename"]["x-label-of"],
        "statuscode"
    );
}

#[test]
fn a_wrong_name_is_told_with_the_right_one() {
    let host = organization();
    let session = open(&host);
    for wrong in [
        "acount",
        "accounts",
        "Account",
        "account')/Attributes",
        "hidden",
        "",
    ] {
        let names = ["account".to_owned(), wrong.to_owned()];
        let error = host.block_on(describe(&session, &names)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound, "{wrong}");
        let suggests = error.message.contains("; did you mean account?");
        assert_eq!(
            suggests,
            !["hidden", ""].contains(&wrong),
            "{}",
            error.message
        );
    }
    // Nothing but a name ever got into an address.
    assert_eq!(host.count("Attributes')"), 0);
}
