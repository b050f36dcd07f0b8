//! Columns and relationships created and deleted while rows exist (reference §5.7).

use std::time::Duration;

use dataverse_emulator::{Emulator, org::Depth};
use hyper::Method;
use serde_json::{Value, json};

use crate::{privileges::Account, support::Service};

const ACCOUNT: &str = "EntityDefinitions(LogicalName='account')/Attributes";

/// The body the documentation shows, with another type and more.
fn column(kind: &str, schema_name: &str, more: &Value) -> Value {
    let mut body = json!({
        "@odata.type": format!("Microsoft.Dynamics.CRM.{kind}AttributeMetadata"),
        "SchemaName": schema_name,
        "RequiredLevel": {"Value": "None", "CanBeChanged": true,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings"},
        "DisplayName": {"@odata.type": "Microsoft.Dynamics.CRM.Label", "LocalizedLabels": [
            {"@odata.type": "Microsoft.Dynamics.CRM.LocalizedLabel", "Label": "Bank Name",
             "LanguageCode": 1033},
            {"@odata.type": "Microsoft.Dynamics.CRM.LocalizedLabel", "Label": "Bankname",
             "LanguageCode": 1031}]},
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn label(text: &str) -> Value {
    json!({"LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]})
}

#[tokio::test]
async fn columns_of_every_type_are_usable_at_once() {
    let service = Service::start().await;
    let bank = column(
        "String",
        "new_BankName",
        &json!({"AttributeType": "String", "AttributeTypeName": {"Value": "StringType"},
                "MaxLength": 100, "FormatName": {"Value": "Text"}}),
    );
    let response = service.post(ACCOUNT, &bank).await;
    assert_eq!(response.status, 204, "{}", response.text);
    let address = response.header("odata-entityid").to_owned();
    assert!(address.contains("/EntityDefinitions(LogicalName='account')/Attributes("));
    let made = service.follow(&address, "").await.json();
    assert_eq!(made["LogicalName"], "new_bankname");
    assert_eq!(made["IsCustomAttribute"], true);
    assert_eq!(
        made["DisplayName"]["LocalizedLabels"][1]["LanguageCode"],
        1031
    );

    let options = json!({"OptionSet": {"IsGlobal": false, "OptionSetType": "Picklist",
        "Options": [{"Value": 7, "Label": label("Seven")}, {"Label": label("Next")}]}});
    let yes_no = json!({"DefaultValue": true, "OptionSet": {
        "TrueOption": {"Value": 1, "Label": label("Rich")},
        "FalseOption": {"Value": 0, "Label": label("Poor")}, "OptionSetType": "Boolean"}});
    let date = json!({"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}});
    for (kind, name, more, value) in [
        (
            "Memo",
            "new_Memo",
            json!({"MaxLength": 3000}),
            json!("long"),
        ),
        (
            "Integer",
            "new_Whole",
            json!({"MinValue": 0, "MaxValue": 9}),
            json!(9),
        ),
        (
            "BigInt",
            "new_Big",
            json!({}),
            json!(9_007_199_254_740_993_i64),
        ),
        (
            "Decimal",
            "new_Decimal",
            json!({"Precision": 3}),
            json!(1.125),
        ),
        ("Double", "new_Double", json!({"Precision": 2}), json!(0.5)),
        (
            "Money",
            "new_Money",
            json!({"PrecisionSource": 2}),
            json!(10),
        ),
        ("Boolean", "new_Rich", yes_no, json!(false)),
        ("DateTime", "new_Founded", date, json!("2020-02-29")),
        (
            "DateTime",
            "new_Seen",
            json!({"Format": "DateAndTime"}),
            json!("2020-02-29T01:02:03Z"),
        ),
        ("Picklist", "new_Choice", options.clone(), json!(7)),
        (
            "MultiSelectPicklist",
            "new_Choices",
            options,
            json!("7,100000000"),
        ),
    ] {
        let response = service.post(ACCOUNT, &column(kind, name, &more)).await;
        assert_eq!(response.status, 204, "{name}: {}", response.text);
        let property = name.to_lowercase();
        let row = json!({"name": "Bank", property.as_str(): value});
        let id = service.create("accounts", &row).await;
        let read = service
            .get(&format!("accounts({id})?$select=new_bankname,{property}"))
            .await
            .json();
        if kind == "Decimal" || kind == "Money" {
            assert!(read[&property].to_string().starts_with(&value.to_string()));
        } else {
            assert_eq!(read[&property], value, "{read}");
        }
        assert_eq!(read["new_bankname"], Value::Null);
    }
    let base = service.get("accounts?$select=new_money_base").await;
    assert_eq!(base.status, 200, "{}", base.text);
    let whole = service.post("accounts", &json!({"new_whole": 10})).await;
    assert_eq!(whole.status, 400);
    let cast = format!(
        "{ACCOUNT}(LogicalName='new_choice')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata\
         ?$select=LogicalName&$expand=OptionSet"
    );
    let choice = service.get(&cast).await.json();
    assert_eq!(choice["OptionSet"]["Options"][1]["Value"], 100_000_000);
    let csdl = service.get("$metadata").await.text;
    assert!(csdl.contains("<Property Name=\"new_bankname\" Type=\"Edm.String\""));
}

#[tokio::test]
async fn names_need_a_prefix_and_are_unique() {
    let service = Service::start().await;
    let string = |name: &str| column("String", name, &json!({"MaxLength": 10}));
    for name in ["BankName", "other_BankName", "new_", "new_Bank Name"] {
        let response = service.post(ACCOUNT, &string(name)).await;
        assert_eq!(
            (response.status.as_u16(), response.error().0.as_str()),
            (400, "0x80044366")
        );
    }
    let headers = [("mscrm.solutionuniquename", "SampleCustomizations")];
    let body = string("new_BankName").to_string();
    let foreign = service.send(Method::POST, ACCOUNT, &headers, &body).await;
    assert_eq!(foreign.error().0, "0x80044366");
    let body = string("sample_BankName").to_string();
    let own = service.send(Method::POST, ACCOUNT, &headers, &body).await;
    assert_eq!(own.status, 204, "{}", own.text);
    let twice = service.post(ACCOUNT, &string("sample_bankname")).await;
    assert_eq!(
        (twice.status.as_u16(), twice.error().0.as_str()),
        (400, "0x80047013")
    );
    let nowhere = "EntityDefinitions(LogicalName='nope')/Attributes";
    assert_eq!(service.post(nowhere, &string("new_x")).await.status, 404);
    let solutions = service
        .get("solutions?$select=uniquename&$expand=publisherid($select=customizationprefix)")
        .await
        .rows();
    let default = solutions
        .iter()
        .find(|row| row["uniquename"] == "Default")
        .unwrap();
    assert_eq!(default["publisherid"]["customizationprefix"], "new");
}

#[tokio::test]
async fn a_lookup_comes_with_its_relationship() {
    let service = Service::start().await;
    let body = json!({
        "@odata.type": "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
        "SchemaName": "new_contact_account_broker",
        "ReferencedEntity": "contact",
        "ReferencingEntity": "account",
        "CascadeConfiguration": {"Delete": "Restrict"},
        "Lookup": {"@odata.type": "Microsoft.Dynamics.CRM.LookupAttributeMetadata",
                   "SchemaName": "new_BrokerId", "DisplayName": label("Broker")},
    });
    let response = service.post("RelationshipDefinitions", &body).await;
    assert_eq!(response.status, 204, "{}", response.text);
    let made = service
        .follow(response.header("odata-entityid"), "")
        .await
        .json();
    assert_eq!(
        made["ReferencingEntityNavigationPropertyName"],
        "new_BrokerId"
    );
    assert_eq!(made["IsCustomRelationship"], true);
    let contact = service
        .create("contacts", &json!({"lastname": "Broker"}))
        .await;
    let account = json!({"name": "A", "new_BrokerId@odata.bind": format!("/contacts({contact})")});
    let account = service.create("accounts", &account).await;
    let read = service
        .get(&format!(
            "accounts({account})?$select=_new_brokerid_value&$expand=new_BrokerId($select=lastname)"
        ))
        .await
        .json();
    assert_eq!(read["_new_brokerid_value"], json!(contact));
    assert_eq!(read["new_BrokerId"]["lastname"], "Broker");
    let back = service
        .get(&format!(
            "contacts({contact})/new_contact_account_broker?$select=name"
        ))
        .await;
    assert_eq!(back.rows()[0]["name"], "A");
    assert_ne!(
        service.delete(&format!("contacts({contact})")).await.status,
        204
    );

    let gone = "RelationshipDefinitions(SchemaName='new_contact_account_broker')";
    assert_eq!(service.delete(gone).await.status, 204);
    assert_eq!(
        service
            .get("accounts?$select=_new_brokerid_value")
            .await
            .status,
        400
    );
    assert_eq!(
        service.delete(&format!("contacts({contact})")).await.status,
        204
    );
}

#[tokio::test]
async fn a_customer_is_an_account_or_a_contact() {
    let service = Service::start().await;
    let relationship = |target: &str| {
        json!({"SchemaName": format!("new_competitor_customer_{target}"),
               "ReferencedEntity": target, "ReferencingEntity": "competitor"})
    };
    let body = json!({
        "OneToManyRelationships": [relationship("account"), relationship("contact")],
        "Lookup": {"@odata.type": "Microsoft.Dynamics.CRM.ComplexLookupAttributeMetadata",
                   "SchemaName": "new_CustomerId", "DisplayName": label("Customer")},
    });
    let response = service.post("CreateCustomerRelationships", &body).await;
    assert_eq!(response.status, 200, "{}", response.text);
    assert_eq!(
        response.json()["RelationshipIds"].as_array().unwrap().len(),
        2
    );
    let contact = service.create("contacts", &json!({"lastname": "C"})).await;
    let row = json!({"name": "R",
                     "new_CustomerId_contact@odata.bind": format!("/contacts({contact})")});
    let id = service.create("competitors", &row).await;
    let prefer = "odata.include-annotations=\"*\"";
    let path = format!("competitors({id})?$select=_new_customerid_value");
    let read = service.get_preferring(&path, prefer).await.json();
    assert_eq!(read["_new_customerid_value"], json!(contact));
    let table = "_new_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname";
    assert_eq!(read[table], "contact");
}

#[tokio::test]
async fn tables_are_created_and_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("org.db");
    let service = Service::with(Emulator::builder().file(&path).start().await.unwrap()).await;
    let mut primary = column("String", "new_Name", &json!({"MaxLength": 100}));
    primary["IsPrimaryName"] = json!(true);
    let body = json!({
        "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata", "SchemaName": "new_BankAccount",
        "DisplayName": label("Bank Account"), "DisplayCollectionName": label("Bank \"Accounts\""),
        "OwnershipType": "UserOwned", "HasNotes": false, "HasActivities": false,
        "ChangeTrackingEnabled": true,
        "Attributes": [primary, column("Money", "new_Balance", &json!({}))],
    });
    let response = service.post("EntityDefinitions", &body).await;
    assert_eq!(response.status, 204, "{}", response.text);
    let made = service
        .follow(response.header("odata-entityid"), "")
        .await
        .json();
    assert_eq!(made["EntitySetName"], "new_bankaccounts");
    assert_eq!(made["PrimaryNameAttribute"], "new_name");
    let again = service.post("EntityDefinitions", &body).await;
    assert_eq!(
        (again.status.as_u16(), again.error().0.as_str()),
        (400, "0x80048403")
    );
    let row = json!({"new_name": "Main", "new_balance": 10});
    let id = service.create("new_bankaccounts", &row).await;
    let bulk = json!({"Targets": [
        {"@odata.type": "Microsoft.Dynamics.CRM.new_bankaccount", "new_name": "Other"}]});
    let created = service
        .post(
            "new_bankaccounts/Microsoft.Dynamics.CRM.CreateMultiple",
            &bulk,
        )
        .await;
    assert_eq!(created.status, 200, "{}", created.text);
    let tracked = service
        .get_preferring("new_bankaccounts?$select=new_name", "odata.track-changes")
        .await;
    assert!(tracked.link("@odata.deltaLink").is_some());
    let caller = Account::new(&service).await;
    assert_eq!(caller.get("new_bankaccounts").await.status, 403);
    caller.hold(&[("prvReadnew_BankAccount", Depth::Global)]);
    assert_eq!(caller.get("new_bankaccounts").await.rows().len(), 2);
    drop(service);

    let service = Service::with(Emulator::builder().file(&path).start().await.unwrap()).await;
    let read = service
        .get(&format!("new_bankaccounts({id})?$select=new_name"))
        .await;
    assert_eq!(read.json()["new_name"], "Main");
    let gone = "EntityDefinitions(LogicalName='new_bankaccount')";
    assert_eq!(service.delete(gone).await.status, 204);
    assert_eq!(service.get("new_bankaccounts").await.status, 404);
    assert_eq!(service.get(gone).await.status, 404);
    let contact = "EntityDefinitions(LogicalName='contact')";
    assert_eq!(service.delete(contact).await.status, 400);
    let response = service.post("EntityDefinitions", &body).await;
    assert_eq!(response.status, 204, "{}", response.text);
    assert_eq!(service.get("new_bankaccounts").await.rows().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_change_while_rows_are_read_and_written() {
    let service = std::sync::Arc::new(Service::start().await);
    let work = (0..4).map(|worker| {
        let service = std::sync::Arc::clone(&service);
        tokio::spawn(async move {
            for number in 0..15 {
                let name = json!({"name": format!("{worker} {number}")});
                service.create("accounts", &name).await;
                let read = service.get("accounts").await;
                assert_eq!(read.status, 200, "{}", read.text);
            }
        })
    });
    let work: Vec<_> = work.collect();
    for round in 0..5 {
        let kind = if round % 2 == 0 { "String" } else { "Integer" };
        let body = column(kind, "new_Restless", &json!({})).to_string();
        service.emulator.put_column("account", &body).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        service
            .emulator
            .remove_column("account", "new_restless")
            .unwrap();
    }
    for worker in work {
        worker.await.unwrap();
    }
    assert_eq!(service.get("accounts?$select=name").await.rows().len(), 60);
}

#[tokio::test]
async fn columns_are_deleted_and_replaced() {
    let service = Service::start().await;
    let body = column("String", "new_Code", &json!({"MaxLength": 5}));
    assert_eq!(service.post(ACCOUNT, &body).await.status, 204);
    let id = service
        .create("accounts", &json!({"new_code": "12345"}))
        .await;
    let one = format!("{ACCOUNT}(LogicalName='new_code')");
    let longer = column(
        "String",
        "new_Code",
        &json!({"MaxLength": 50, "IsSecured": false}),
    );
    let put = service
        .send(Method::PUT, &one, &[], &longer.to_string())
        .await;
    assert_eq!(put.status, 204, "{}", put.text);
    let longer = service
        .patch(&format!("accounts({id})"), &json!({"new_code": "123456"}))
        .await;
    assert_eq!(longer.status, 204, "{}", longer.text);
    let other = column("Integer", "new_Code", &json!({}));
    let put = service
        .send(Method::PUT, &one, &[], &other.to_string())
        .await;
    assert_eq!(put.status, 400);
    assert_eq!(service.delete(&one).await.status, 204);
    assert_eq!(service.get("accounts?$select=new_code").await.status, 400);
    assert_eq!(service.get(&one).await.status, 404);
    let system = format!("{ACCOUNT}(LogicalName='fax')");
    assert_eq!(service.delete(&system).await.status, 400);

    // From outside, a column changes its type between two runs of a client.
    let number = column("Integer", "Fax", &json!({"MinValue": 0, "MaxValue": 100}));
    service
        .emulator
        .put_column("account", &number.to_string())
        .unwrap();
    let id = service.create("accounts", &json!({"fax": 42})).await;
    let read = service
        .get(&format!("accounts({id})?$select=fax"))
        .await
        .json();
    assert_eq!(read["fax"], 42);
    service.emulator.remove_column("account", "fax").unwrap();
    assert_eq!(service.get("accounts?$select=fax").await.status, 400);
}

#[tokio::test]
async fn new_definitions_appear_late_when_metadata_lags() {
    let service = Service::start().await;
    let version = || async {
        let prefer = "odata.include-annotations=\"*\"";
        let page = service
            .get_preferring("accounts?$select=name", prefer)
            .await;
        page.json()["@Microsoft.Dynamics.CRM.globalmetadataversion"].clone()
    };
    let before = version().await;
    service.emulator.set_metadata_lag(Duration::from_secs(30));
    let body = column("String", "new_Late", &json!({}));
    assert_eq!(service.post(ACCOUNT, &body).await.status, 204);
    let definition = format!("{ACCOUNT}(LogicalName='new_late')?$select=LogicalName");
    assert_eq!(service.get(&definition).await.status, 404);
    assert_eq!(service.get("accounts?$select=new_late").await.status, 400);
    let strong = [("consistency", "Strong")];
    let now = service.send(Method::GET, &definition, &strong, "").await;
    assert_eq!(now.status, 200);
    let row = service
        .send(Method::POST, "accounts", &strong, "{\"new_late\":\"x\"}")
        .await;
    assert_eq!(row.status, 204, "{}", row.text);
    assert_eq!(version().await, before);
    service.emulator.clock().advance(31);
    assert_eq!(service.get(&definition).await.status, 200);
    assert_ne!(version().await, before);
}

#[tokio::test]
async fn changing_definitions_needs_privileges() {
    let service = Service::start().await;
    let caller = Account::new(&service).await;
    let body = column("String", "new_Code", &json!({}));
    caller.hold(&[("prvReadEntity", Depth::Global)]);
    let refused = caller.send("POST", ACCOUNT, &body).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.error().1.contains("prvCreateAttribute"),
        "{}",
        refused.text
    );
    let publish = json!({"ParameterXml": "<importexportxml><entities><entity>account</entity>\
                                          </entities></importexportxml>"});
    let refused = caller.send("POST", "PublishXml", &publish).await;
    assert!(refused.error().1.contains("prvPublishCustomization"));
    caller.hold(&[
        ("prvCreateAttribute", Depth::Global),
        ("prvPublishCustomization", Depth::Global),
    ]);
    assert_eq!(caller.send("POST", ACCOUNT, &body).await.status, 204);
    assert_eq!(
        caller.send("POST", "PublishXml", &publish).await.status,
        204
    );
    assert_eq!(
        caller
            .send("POST", "PublishAllXml", &Value::Null)
            .await
            .status,
        204
    );
    let nonsense = json!({"ParameterXml": "account"});
    assert_eq!(
        caller.send("POST", "PublishXml", &nonsense).await.status,
        400
    );
}

#[tokio::test]
async fn a_reopened_file_keeps_its_columns() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("org.db");
    let id = {
        let first = Service::with(Emulator::builder().file(&path).start().await.unwrap()).await;
        let body = column("Image", "new_Photo", &json!({"CanStoreFullImage": true}));
        assert_eq!(first.post(ACCOUNT, &body).await.status, 204);
        let body = column("Money", "new_Money", &json!({}));
        assert_eq!(first.post(ACCOUNT, &body).await.status, 204);
        first.create("accounts", &json!({"new_money": 12})).await
    };
    let again = Service::with(Emulator::builder().file(&path).start().await.unwrap()).await;
    let read = again
        .get(&format!(
            "accounts({id})?$select=new_money,new_photoid,new_photo_url"
        ))
        .await;
    assert_eq!(read.status, 200, "{}", read.text);
    assert!(read.text.contains("12.0"), "{}", read.text);
}

#[tokio::test]
async fn shared_choices_are_defined_once() {
    let service = Service::start().await;
    let set = json!({"@odata.type": "Microsoft.Dynamics.CRM.OptionSetMetadata", "Name": "new_colour",
        "OptionSetType": "Picklist", "IsGlobal": true, "DisplayName": label("Colour"),
        "Options": [{"Value": 1, "Label": label("Red")}, {"Value": 2, "Label": label("Blue")}]});
    let response = service.post("GlobalOptionSetDefinitions", &set).await;
    assert_eq!(response.status, 204, "{}", response.text);
    let more =
        json!({"GlobalOptionSet@odata.bind": "/GlobalOptionSetDefinitions(Name='new_colour')"});
    let body = column("Picklist", "new_Colour", &more);
    let response = service.post(ACCOUNT, &body).await;
    assert_eq!(response.status, 204, "{}", response.text);
    let read = service
        .get(&format!(
            "{ACCOUNT}/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName\
             &$expand=OptionSet($select=Options),GlobalOptionSet($select=Name,Options)\
             &$filter=LogicalName eq 'new_colour'"
        ))
        .await;
    let row = read.rows()[0].clone();
    assert_eq!(row["OptionSet"], Value::Null);
    assert_eq!(
        row["GlobalOptionSet"]["Options"][1]["Label"]["UserLocalizedLabel"]["Label"],
        "Blue"
    );
    let listed = service
        .get("GlobalOptionSetDefinitions(Name='new_colour')")
        .await
        .json();
    assert_eq!(listed["Options"][0]["Value"], 1);
}

#[tokio::test]
async fn a_table_is_created_by_an_action_too() {
    let service = Service::start().await;
    let label = |text: &str| json!({"LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]});
    let body = json!({"Entities": [{
        "@odata.type": "Microsoft.Dynamics.CRM.ComplexEntityMetadata",
        "SchemaName": "new_Parcel",
        "DisplayName": label("Parcel"),
        "DisplayCollectionName": label("Parcels"),
        "OwnershipType": "UserOwned",
        "Attributes": [
            {"@odata.type": "Microsoft.Dynamics.CRM.ComplexStringAttributeMetadata",
             "SchemaName": "new_Name", "DisplayName": label("Name"), "IsPrimaryName": true,
             "MaxLength": 100},
            {"@odata.type": "Microsoft.Dynamics.CRM.ComplexIntegerAttributeMetadata",
             "SchemaName": "new_Weight", "DisplayName": label("Weight")},
        ],
    }]});
    let response = service.post("CreateEntities", &body).await;
    assert_eq!(response.status, 200, "{}", response.text);
    let id = response.json()["EntityIds"][0].clone();
    let found = service
        .get("EntityDefinitions(LogicalName='new_parcel')?$select=EntitySetName")
        .await
        .json();
    assert_eq!(found["MetadataId"], id);
    let set = found["EntitySetName"].as_str().unwrap();
    let row = service
        .create(set, &json!({"new_name": "first", "new_weight": 3}))
        .await;
    let row = service.get(&format!("{set}({row})")).await.json();
    assert_eq!(row["new_weight"], 3);
}
