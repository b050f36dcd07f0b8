mod large;
mod organization;

use serde_json::{Value, json};

use self::organization::{LEAST, attribute, open, organization, with};
use super::describe::GROUP;
use super::*;
use crate::error::ErrorKind;
use crate::simulation::{self, Reply, SETTINGS, signed_in};

#[test]
fn readable_tables_are_listed_by_name() {
    let host = organization();
    let client = open(&host);
    let listed: Vec<(String, String, ChangeDetection)> = host
        .block_on(list(&client))
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
fn columns_are_listed_by_plainer_requests_if_filtered_expansions_are_rejected() {
    let host = signed_in(|request| {
        if request.target.path_and_query.contains(";$filter=") {
            return Reply::fault(400, "0x80060888", "The query is not valid.");
        }
        let mut tables = json!({"value": [
            {"LogicalName": "task", "EntitySetName": "tasks", "PrimaryIdAttribute": "activityid"},
            {"LogicalName": "zone", "EntitySetName": "zones", "PrimaryIdAttribute": "zoneid"},
        ]});
        if request.target.path_and_query.contains("$expand=Attributes") {
            tables["value"][0]["Attributes"] =
                json!([{"LogicalName": "subject"}, {"LogicalName": "modifiedon"}]);
            tables["value"][1]["Attributes"] = json!([{"LogicalName": "name"}]);
        }
        Reply::json(&tables)
    });
    let listed = host.block_on(list(&open(&host))).unwrap();
    assert_eq!(listed[0].change_detection, ChangeDetection::Watermark);
    assert_eq!(listed[1].change_detection, ChangeDetection::None);
    assert_eq!(host.count("EntityDefinitions"), 3);
}

#[test]
fn a_list_on_pages_is_read_to_the_last_page() {
    let host = signed_in(|request| {
        let at_end = request.target.path_and_query.contains("$skiptoken");
        let name = if at_end { "zone" } else { "task" };
        let mut page = json!({"value": [{
            "LogicalName": name, "EntitySetName": format!("{name}s"),
            "PrimaryIdAttribute": format!("{name}id"),
        }]});
        if !at_end {
            page["@odata.nextLink"] = json!("EntityDefinitions?$skiptoken=2");
        }
        Reply::json(&page)
    });
    let listed = host.block_on(list(&open(&host))).unwrap();
    let names: Vec<&str> = listed.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["task", "zone"]);
}

#[test]
fn the_settings_limit_concurrent_requests() {
    for limit in [1, 2, 3] {
        let host = organization();
        let settings = SETTINGS.replacen(
            '{',
            &format!("{{\"limits\": {{\"maxConcurrency\": {limit}}},"),
            1,
        );
        let client = simulation::client(&host, &settings);
        let names = vec!["account".to_owned(); 3 * GROUP];
        let described = host.block_on(describe(&client, &names)).unwrap();
        assert_eq!(described.len(), names.len());
        assert_eq!(host.most_at_once(), limit.min(2), "{limit}");
    }
}

#[test]
fn a_table_is_described_with_the_properties_of_each_type() {
    let host = organization();
    let client = open(&host);
    let descriptions = host
        .block_on(describe(&client, &["account".to_owned()]))
        .unwrap();
    let account = &descriptions[0];
    assert_eq!(account.key(), ["accountid"]);
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
            ("statecode", DataType::Choice),
            ("minutes", DataType::Integer),
        ]
    );
    // One batch for the table and the properties of all its types.
    assert_eq!(host.count("$batch"), 1);
    assert_eq!(host.count("EntityDefinitions"), 0);
    let column = |name: &str| {
        account
            .columns
            .iter()
            .find(|column| column.name == name)
            .unwrap()
    };
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
fn a_column_is_described_with_its_constraints() {
    let host = organization();
    let described = host.block_on(describe(&open(&host), &["account".to_owned()]));
    let account = described.unwrap().remove(0);
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
    assert_eq!(column("revenue").bounds.minimum.as_deref(), Some(LEAST));
    assert_eq!(column("revenue").bounds.maximum, None);
    assert_eq!(
        column("minutes").bounds.maximum.as_deref(),
        Some("2147483647")
    );
    let formats =
        ["name", "minutes", "founded", "modifiedon"].map(|name| column(name).format.as_deref());
    assert_eq!(
        formats,
        [Some("Email"), Some("Duration"), Some("DateOnly"), None]
    );
    let requirements =
        ["founded", "minutes", "name", "statecode"].map(|name| column(name).requirement);
    assert_eq!(
        requirements,
        [
            Requirement::Optional,
            Requirement::Recommended,
            Requirement::Required,
            Requirement::SystemRequired,
        ]
    );
    assert!(column("name").secured && !column("founded").secured);
    assert_eq!(
        column("new_colours").choice_set.as_deref(),
        Some("new_palette")
    );
    assert_eq!(column("statecode").choice_set, None);
    assert_eq!(column("ownerid").targets, ["systemuser", "team"]);
    assert_eq!(column("customerid").targets, ["account", "contact"]);
}

#[test]
fn the_row_schema_is_exact() {
    let host = organization();
    let table = host.block_on(read(&open(&host), "account")).unwrap();
    let text = row_schema(&table, None, false);
    assert!(text.contains(&format!("\"minimum\":{LEAST}")), "{text}");
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(schema["required"], json!(["accountid"]));
    let properties = &schema["properties"];
    assert_eq!(properties.as_object().unwrap().len(), 15);
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
    assert_eq!(properties["name"]["maxLength"], 160);
    assert_eq!(properties["name"]["x-format"], "Email");
    assert_eq!(properties["minutes"]["maximum"], 2_147_483_647);
    assert_eq!(properties["statecode"]["enum"], json!([0, 1, null]));
    assert_eq!(
        properties["statecode"]["oneOf"].as_array().unwrap().len(),
        3
    );
    assert_eq!(properties["statuscode"].get("enum"), None);
    assert_eq!(properties["new_colours"]["x-choice-set"], "new_palette");

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
fn a_wrong_name_is_rejected_with_a_suggestion() {
    let host = organization();
    let client = open(&host);
    for wrong in [
        "acount",
        "accounts",
        "Account",
        "account')/Attributes",
        "hidden",
        "",
    ] {
        let names = ["account".to_owned(), wrong.to_owned()];
        let error = host.block_on(describe(&client, &names)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound, "{wrong}");
        let suggests = error.message.contains("; did you mean account?");
        assert_eq!(
            suggests,
            !["hidden", ""].contains(&wrong),
            "{}",
            error.message
        );
    }
    // Only logical names are ever written into addresses.
    assert_eq!(host.count("Attributes')"), 0);
}

#[test]
fn relationships_are_described_in_both_directions() {
    let host = organization();
    let client = open(&host);
    let described = host.block_on(describe(&client, &["account".to_owned()]));
    let account = described.unwrap().remove(0);
    let described: Vec<_> = account
        .relationships
        .iter()
        .map(|it| {
            (
                (it.cardinality, it.column.as_str()),
                (it.table.as_str(), it.other_column.as_str()),
                it.pairs.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        described,
        [
            (
                (Cardinality::ManyToOne, "primarycontactid"),
                ("contact", "contactid"),
                None
            ),
            (
                (Cardinality::ManyToOne, "parentaccountid"),
                ("account", "accountid"),
                None
            ),
            (
                (Cardinality::OneToMany, "accountid"),
                ("task", "regardingobjectid"),
                None
            ),
            (
                (Cardinality::ManyToMany, "accountid"),
                ("lead", "leadid"),
                Some("accountleads")
            ),
        ]
    );
    // Reading rows does not need relationships and does not request them.
    host.block_on(read(&client, "account")).unwrap();
    let requested: Vec<bool> = host
        .requests()
        .iter()
        .filter_map(|request| String::from_utf8(request.body.clone()?).ok())
        .filter(|body| body.contains("EntityDefinitions"))
        .map(|body| body.contains("ManyToManyRelationships"))
        .collect();
    assert_eq!(requested, [true, false]);
}

#[test]
fn the_reason_explains_how_changes_are_found() {
    let host = organization();
    let mut table = host.block_on(read(&open(&host), "account")).unwrap();
    let reason = table.change_detection_reason();
    assert!(reason.contains("change token"), "{reason}");
    table.change_detection = ChangeDetection::Watermark;
    let reason = table.change_detection_reason();
    assert!(reason.contains("by modifiedon"), "{reason}");
    assert!(reason.contains("can turn it on"), "{reason}");
    table.columns.retain(|column| column.name != "modifiedon");
    table.can_be_tracked = false;
    let reason = table.change_detection_reason();
    assert!(reason.contains("by versionnumber"), "{reason}");
    assert!(reason.contains("cannot track"), "{reason}");
    table.change_detection = ChangeDetection::None;
    let reason = table.change_detection_reason();
    assert!(reason.contains("from the start"), "{reason}");
}

#[test]
fn columns_are_requested_alone_if_expansions_and_casts_are_rejected() {
    for (expansions, casts) in [(200, 404), (400, 501), (501, 405)] {
        let host = signed_in(move |request| {
            let path = &request.target.path_and_query;
            if path.contains("AttributeMetadata") {
                return Reply::status(casts);
            }
            if path.contains("')/Attributes?") {
                let columns = [attribute("notes", "Memo", 2), attribute("a", "Lookup", 1)];
                return Reply::json(&json!({"value": columns}));
            }
            if path.contains("$expand") && expansions != 200 {
                return Reply::status(expansions);
            }
            Reply::json(&json!({
                "LogicalName": "zone", "EntitySetName": "zones", "PrimaryIdAttribute": "zoneid",
                "PrimaryNameAttribute": "notes", "Attributes": null,
            }))
        });
        let table = host.block_on(read(&open(&host), "zone")).unwrap();
        let names: Vec<&str> = table.columns.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["a", "notes"], "{expansions}");
        assert_eq!(table.columns[1].data_type, DataType::Text);
    }
}

#[test]
fn all_properties_of_a_type_are_requested_if_one_is_unknown() {
    let host = signed_in(|request| {
        let path = &request.target.path_and_query;
        if !path.contains("/Attributes/") {
            return Reply::json(&json!({
                "LogicalName": "zone", "EntitySetName": "zones", "PrimaryIdAttribute": "zoneid",
                "Attributes": [attribute("zoneid", "Uniqueidentifier", 1),
                    attribute("notes", "Memo", 2)],
            }));
        }
        if path.contains("FormatName") {
            return Reply::fault(400, "0x0", "Could not find a property named 'FormatName'.");
        }
        Reply::json(&json!({"value": [{"LogicalName": "notes", "MaxLength": 9, "Format": "Text"}]}))
    });
    let table = host.block_on(read(&open(&host), "zone")).unwrap();
    assert_eq!(table.columns[1].max_length, Some(9));
    assert_eq!(table.columns[1].format.as_deref(), Some("Text"));
}

#[test]
fn columns_without_a_time_zone_are_local_timestamps() {
    let host = signed_in(|request| {
        let path = &request.target.path_and_query;
        if path.contains("/Attributes/Microsoft.Dynamics.CRM.DateTime") {
            return Reply::json(&json!({"value": [
                {"LogicalName": "meets", "DateTimeBehavior": {"Value": "TimeZoneIndependent"}},
                {"LogicalName": "born", "DateTimeBehavior": {"Value": "DateOnly"}},
            ]}));
        }
        Reply::json(&json!({
            "LogicalName": "zone", "EntitySetName": "zones", "PrimaryIdAttribute": "zoneid",
            "Attributes": [attribute("zoneid", "Uniqueidentifier", 1),
                attribute("meets", "DateTime", 2), attribute("born", "DateTime", 3),
                attribute("createdon", "DateTime", 4)],
        }))
    });
    let table = host.block_on(read(&open(&host), "zone")).unwrap();
    let types: Vec<DataType> = table.columns.iter().map(|it| it.data_type).collect();
    assert_eq!(
        types,
        [
            DataType::Identifier,
            DataType::LocalTimestamp,
            DataType::Date,
            DataType::Timestamp,
        ]
    );
    let schema: Value = serde_json::from_str(&row_schema(&table, None, false)).unwrap();
    let meets = &schema["properties"]["meets"];
    assert_eq!(meets["x-data-type"], "local-timestamp");
    assert_eq!(meets.get("format"), None);
    let description = meets["description"].as_str().unwrap();
    assert!(description.contains("without a time zone"), "{description}");
    assert_eq!(schema["properties"]["born"]["format"], "date");
    assert_eq!(schema["properties"]["createdon"]["format"], "date-time");
}

#[test]
fn only_selectable_columns_are_requested_unless_the_filter_is_rejected() {
    for rejects in [false, true] {
        let host = signed_in(move |request| {
            let path = &request.target.path_and_query;
            let is_filtered = path.contains(";$filter=IsValidODataAttribute");
            if rejects && is_filtered {
                return Reply::fault(400, "0x80060888", "The query is not valid.");
            }
            let mut columns = vec![attribute("zoneid", "Uniqueidentifier", 1)];
            if !is_filtered {
                columns.push(with(
                    attribute("odd", "String", 2),
                    json!({"IsValidODataAttribute": false}),
                ));
            }
            Reply::json(&json!({
                "LogicalName": "zone", "EntitySetName": "zones", "PrimaryIdAttribute": "zoneid",
                "Attributes": columns, "value": [],
            }))
        });
        let table = host.block_on(read(&open(&host), "zone")).unwrap();
        assert_eq!(table.columns.len(), 1, "{rejects}");
        // The plainer request comes right after the rejected one and expands the columns too.
        assert_eq!(host.count("Attributes?"), 0);
    }
}
