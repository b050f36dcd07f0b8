//! Definitions by `RetrieveMetadataChanges`, and what has changed since (reference §5.6).

use serde_json::{Value, json};

use crate::support::{Response, Service};

async fn ask(service: &Service, query: &Value, more: &[(&str, &str)]) -> Response {
    let mut names = "Query=@p1".to_owned();
    let mut values = format!("@p1={query}");
    for (at, (name, value)) in more.iter().enumerate() {
        names = format!("{names},{name}=@m{at}");
        values = format!("{values}&@m{at}={value}");
    }
    let values = values
        .replace('{', "%7B")
        .replace('}', "%7D")
        .replace('/', "%2F");
    service
        .get(&format!("RetrieveMetadataChanges({names})?{values}"))
        .await
}

fn condition(name: &str, operator: &str, kind: &str, value: &str) -> Value {
    json!({"PropertyName": name, "ConditionOperator": operator,
        "Value": {"Type": kind, "Value": value}})
}

/// The query that the documentation shows.
fn query() -> Value {
    json!({
        "Properties": {"AllProperties": "False", "PropertyNames": ["SchemaName", "Attributes"]},
        "Criteria": {"FilterOperator": "Or", "Conditions": [
            condition("LogicalName", "Equals", "System.String", "account"),
            condition("LogicalName", "In", "System.String[]", "['contact','nothing']")]},
        "AttributeQuery": {
            "Properties": {"AllProperties": false, "PropertyNames": ["LogicalName", "OptionSet"]},
            "Criteria": {"FilterOperator": "And", "Conditions": [
                condition("IsValidForCreate", "Equals", "System.Boolean", "True"),
                condition("AttributeTypeName", "NotEquals",
                    "Microsoft.Xrm.Sdk.Metadata.AttributeTypeDisplayName", "VirtualType")]}},
        "LabelQuery": {"FilterLanguages": [1033], "MissingLabelBehavior": 0}})
}

#[tokio::test]
async fn definitions_are_found_by_a_query() {
    let service = Service::start().await;
    let response = ask(&service, &query(), &[]).await;
    assert_eq!(response.status, 200, "{}", response.text);
    let response = response.json();
    let context = response["@odata.context"].as_str().unwrap();
    assert!(context.ends_with("#Microsoft.Dynamics.CRM.RetrieveMetadataChangesResponse"));
    assert!(response["ServerVersionStamp"].is_string());
    let tables = response["EntityMetadata"].as_array().unwrap();
    let names: Vec<&str> = tables
        .iter()
        .map(|t| t["SchemaName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Account", "Contact"]);
    assert!(tables[0].get("LogicalName").is_none());
    let columns = tables[0]["Attributes"].as_array().unwrap();
    let column = |name: &str| columns.iter().find(|column| column["LogicalName"] == name);
    assert!(column("versionnumber").is_none());
    let industry = column("industrycode").unwrap();
    assert_eq!(
        industry["@odata.type"],
        "#Microsoft.Dynamics.CRM.ComplexPicklistAttributeMetadata"
    );
    assert!(industry["OptionSet"]["Options"][0]["Value"].is_number());
    let odd =
        json!({"Criteria": {"Conditions": [condition("Nothing", "Equals", "System.String", "1")]}});
    assert_eq!(ask(&service, &odd, &[]).await.status, 400);
}

#[tokio::test]
async fn changes_since_a_version_stamp_are_returned() {
    let service = Service::start().await;
    let stamp = async |service: &Service| {
        let response = ask(service, &query(), &[]).await.json();
        format!("'{}'", response["ServerVersionStamp"].as_str().unwrap())
    };
    let first = stamp(&service).await;
    let column = json!({"@odata.type": "Microsoft.Dynamics.CRM.IntegerAttributeMetadata",
        "SchemaName": "new_Count", "DisplayName": {"LocalizedLabels": [
            {"Label": "Count", "LanguageCode": 1033}]}});
    let attributes = "EntityDefinitions(LogicalName='contact')/Attributes";
    assert_eq!(service.post(attributes, &column).await.status, 204);
    let since = [("ClientVersionStamp", first.as_str())];
    let response = ask(&service, &query(), &since).await.json();
    let tables = response["EntityMetadata"].as_array().unwrap();
    assert_eq!(tables.len(), 1, "{response}");
    assert_eq!(tables[0]["HasChanged"], false);
    assert_eq!(tables[0]["Attributes"][0]["LogicalName"], "new_count");
    assert_eq!(tables[0]["Attributes"].as_array().unwrap().len(), 1);
    let id = tables[0]["Attributes"][0]["MetadataId"].clone();

    let second = stamp(&service).await;
    let path = format!("{attributes}(LogicalName='new_count')");
    assert_eq!(service.delete(&path).await.status, 204);
    let since = [
        ("ClientVersionStamp", second.as_str()),
        (
            "DeletedMetadataFilters",
            "Microsoft.Dynamics.CRM.DeletedMetadataFilters'Attribute'",
        ),
    ];
    let response = ask(&service, &query(), &since).await.json();
    assert_eq!(response["EntityMetadata"], json!([]));
    assert_eq!(response["DeletedMetadata"]["Keys"], json!(["Attribute"]));
    assert_eq!(
        response["DeletedMetadata"]["Values"][0]["Items"],
        json!([id])
    );
    service.emulator.clock().advance(91 * 86_400);
    let mut service = service;
    service.sign_in().await;
    let expired = ask(&service, &query(), &since).await;
    assert_eq!(expired.error().0, "0x80044352");
}
