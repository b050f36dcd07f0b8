//! Definitions as catalogs read them: relationships, choices, languages, many definitions in one
//! batch.

use serde_json::{Value, json};

use crate::support::Service;

#[tokio::test]
async fn relationships_are_read_from_both_sides_and_by_type() {
    let service = Service::start().await;
    let table = service
        .get(
            "EntityDefinitions(LogicalName='account')?$select=LogicalName&$expand=\
             OneToManyRelationships($select=SchemaName,ReferencingEntity;$filter=ReferencingEntity \
             eq 'contact'),ManyToOneRelationships($select=SchemaName,ReferencedEntity),\
             ManyToManyRelationships($select=SchemaName,IntersectEntityName),\
             Keys($select=SchemaName,KeyAttributes,EntityKeyIndexStatus)",
        )
        .await;
    assert_eq!(table.status, 200, "{}", table.text);
    let table = table.json();
    let names = |collection: &str| {
        let items = table[collection].as_array().unwrap().clone();
        let names = items
            .into_iter()
            .map(|item| item["SchemaName"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert!(names("OneToManyRelationships").contains(&"contact_customer_accounts".to_owned()));
    assert!(names("ManyToOneRelationships").contains(&"account_primary_contact".to_owned()));
    assert!(names("ManyToManyRelationships").contains(&"listaccount_association".to_owned()));
    assert!(names("Keys").contains(&"sample_ExternalId".to_owned()));

    let cast = "RelationshipDefinitions/Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata";
    let filtered = service
        .get(&format!(
            "{cast}?$select=SchemaName,ReferencingEntityNavigationPropertyName,\
             ReferencedEntityNavigationPropertyName&$filter=ReferencingEntity eq 'account' and \
             ReferencedEntity eq 'contact'"
        ))
        .await
        .rows();
    let primary = filtered
        .iter()
        .find(|row| row["SchemaName"] == "account_primary_contact")
        .unwrap();
    assert_eq!(
        primary["ReferencingEntityNavigationPropertyName"],
        "primarycontactid"
    );
    let of_type = service
        .get(
            "RelationshipDefinitions?$select=SchemaName,IsCustomRelationship&$filter=\
             RelationshipType eq Microsoft.Dynamics.CRM.RelationshipType'ManyToManyRelationship'",
        )
        .await;
    assert_eq!(of_type.status, 200, "{}", of_type.text);
    assert!(of_type.rows().len() > 3);
    let base = service
        .get("RelationshipDefinitions?$select=ReferencingEntity")
        .await;
    assert_eq!(base.status, 400);
}

#[tokio::test]
async fn column_definitions_list_the_accepted_values() {
    let service = Service::start().await;
    let columns = "EntityDefinitions(LogicalName='account')/Attributes/Microsoft.Dynamics.CRM.";
    let of = |kind: &str, select: &str, name: &str| {
        let path = format!("{columns}{kind}?$select={select}&$filter=LogicalName eq '{name}'");
        let service = &service;
        async move {
            let response = service.get(&path).await;
            assert_eq!(response.status, 200, "{}", response.text);
            response.rows().remove(0)
        }
    };
    let revenue = "Precision,PrecisionSource,MinValue,MaxValue,IsBaseCurrency,CalculationOf";
    let revenue = of("MoneyAttributeMetadata", revenue, "revenue_base").await;
    assert_eq!(revenue["CalculationOf"], "revenue");
    assert_eq!(revenue["MaxValue"], 922_337_203_685_477_i64);
    let email = of(
        "StringAttributeMetadata",
        "MaxLength,FormatName",
        "emailaddress1",
    )
    .await;
    assert_eq!(
        (&email["MaxLength"], &email["FormatName"]["Value"]),
        (&json!(100), &json!("Email"))
    );
    let name = of(
        "StringAttributeMetadata",
        "RequiredLevel,SourceType",
        "name",
    )
    .await;
    assert_eq!(name["RequiredLevel"]["Value"], "ApplicationRequired");
    assert_eq!(name["SourceType"], 0);
    let employees = of("IntegerAttributeMetadata", "MinValue", "numberofemployees").await;
    assert_eq!(employees["MinValue"], 0);
    let needed = service
        .get(
            "EntityDefinitions(LogicalName='account')/Attributes?$select=LogicalName&$filter=\
             RequiredLevel/Value eq Microsoft.Dynamics.CRM.AttributeRequiredLevel'SystemRequired'",
        )
        .await;
    assert!(
        needed
            .rows()
            .iter()
            .any(|row| row["LogicalName"] == "accountid")
    );
    // Everything that is listed can be selected, whatever the type.
    let all = service
        .get("EntityDefinitions(LogicalName='opportunity')?$expand=Attributes,Keys")
        .await
        .json();
    let listed: Vec<&String> = all.as_object().unwrap().keys().collect();
    assert!(listed.len() > 60 && all["CanCreateAttributes"]["Value"] == true);
    let statuses = format!("{columns}StatusAttributeMetadata?$select=DefaultFormValue");
    assert_eq!(service.get(&statuses).await.status, 200);
}

#[tokio::test]
async fn labels_are_in_the_language_of_the_user() {
    let service = Service::start().await;
    let user = service.get("WhoAmI").await.json()["UserId"].clone();
    let settings = format!("usersettingscollection({})", user.as_str().unwrap());
    let name = "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='name')\
                ?$select=DisplayName";
    let label = |response: Value| response["DisplayName"]["UserLocalizedLabel"]["Label"].clone();
    assert_eq!(label(service.get(name).await.json()), "Account Name");
    let id = service
        .create("opportunities", &json!({"name": "O", "need": 1}))
        .await;
    let formatted = || async {
        let path = format!("opportunities({id})?$select=statecode");
        let row = service
            .get_preferring(&path, "odata.include-annotations=\"*\"")
            .await;
        row.json()["statecode@OData.Community.Display.V1.FormattedValue"].clone()
    };
    assert_eq!(formatted().await, "Open");
    let changed = service
        .patch(&settings, &json!({"uilanguageid": 1031}))
        .await;
    assert_eq!(changed.status, 204, "{}", changed.text);
    assert_eq!(label(service.get(name).await.json()), "Firmenname");
    assert_eq!(formatted().await, "Offen");
    let one = service
        .get(&format!("{name}&LabelLanguages=1033"))
        .await
        .json();
    assert_eq!(
        one["DisplayName"]["LocalizedLabels"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let needs = service
        .get("GlobalOptionSetDefinitions(Name='need')")
        .await
        .json();
    assert_eq!(needs["Options"].as_array().unwrap().len(), 4);
    let column = service
        .get(
            "EntityDefinitions(LogicalName='opportunity')/Attributes(LogicalName='need')/\
             Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName&$expand=\
             OptionSet,GlobalOptionSet($select=Name)",
        )
        .await
        .json();
    assert_eq!(column["GlobalOptionSet"]["Name"], "need");
}

#[tokio::test]
async fn a_batch_reads_many_definitions_and_long_addresses() {
    let service = Service::start().await;
    let part = |query: &str, headers: &str| {
        format!(
            "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
             GET /api/data/v9.2/{query} HTTP/1.1\r\nAccept: application/json\r\n{headers}\r\n\r\n"
        )
    };
    let batch = |parts: String| {
        let service = &service;
        async move {
            let headers = [
                ("content-type", "multipart/mixed;boundary=b"),
                ("prefer", "odata.continue-on-error"),
            ];
            let body = format!("{parts}--b--\r\n");
            service
                .send(hyper::Method::POST, "$batch", &headers, &body)
                .await
        }
    };
    let definition = "EntityDefinitions(LogicalName='account')/Attributes/\
                      Microsoft.Dynamics.CRM.DateTimeAttributeMetadata\
                      ?$select=LogicalName,DateTimeBehavior";
    let response = batch(part(definition, "").repeat(1_000)).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.text.matches("HTTP/1.1 200").count(), 1_000);
    assert_eq!(batch(part(definition, "").repeat(1_001)).await.status, 400);

    for number in 0..3 {
        service
            .create("accounts", &json!({"name": format!("A{number}")}))
            .await;
    }
    let filter = |length: usize| {
        let names = "%22long%20name%22,".repeat(length);
        format!(
            "accounts?$select=name&$filter=Microsoft.Dynamics.CRM.NotIn(PropertyName='name',\
             PropertyValues=%5B{names}%22other%22%5D)"
        )
    };
    assert_eq!(service.get(&filter(2_000)).await.status, 414);
    let response = batch(part(&filter(2_000), "Prefer: odata.maxpagesize=2\r\n")).await;
    assert_eq!(
        response.text.matches("HTTP/1.1 200").count(),
        1,
        "{}",
        &response.text[..400]
    );
    assert_eq!(response.text.matches("\"name\":").count(), 2);
    let longest = batch(part(&filter(4_000), "") + &part("accounts?$select=name", "")).await;
    assert_eq!(longest.text.matches("HTTP/1.1 414").count(), 1);
    assert_eq!(longest.text.matches("HTTP/1.1 200").count(), 1);
    let many = "name%20eq%20%27x%27%20or%20".repeat(500);
    let refused = service
        .get(&format!("accounts?$filter={many}name%20eq%20%27y%27"))
        .await;
    assert_eq!(refused.error().0, "0x8004430C");
}
