//! Elastic tables: bulk actions that may succeed partly (reference §8.3).

use serde_json::{Value, json};

use crate::support::{Response, Service};

const SET: &str = "new_readings";

fn label(text: &str) -> Value {
    json!({"LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]})
}

async fn with_table() -> Service {
    let service = Service::start().await;
    let text = |name: &str, primary: bool| {
        json!({"@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata", "SchemaName": name,
            "IsPrimaryName": primary, "MaxLength": 10, "DisplayName": label(name)})
    };
    let body = json!({"@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
        "SchemaName": "new_Reading", "TableType": "Elastic", "OwnershipType": "UserOwned",
        "DisplayName": label("Reading"), "DisplayCollectionName": label("Readings"),
        "Attributes": [text("new_Name", true), text("new_Sensor", false)]});
    let made = service.post("EntityDefinitions", &body).await;
    assert_eq!(made.status, 204, "{}", made.text);
    service
}

async fn act(service: &Service, action: &str, rows: &[Value]) -> Response {
    let targets: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut row = row.clone();
            row["@odata.type"] = "Microsoft.Dynamics.CRM.new_reading".into();
            row
        })
        .collect();
    service
        .send(
            hyper::Method::POST,
            &format!("{SET}/Microsoft.Dynamics.CRM.{action}"),
            &[("prefer", "odata.include-annotations=\"*\"")],
            &json!({"Targets": targets}).to_string(),
        )
        .await
}

/// Status of each row by the annotation of the error.
fn outcomes(response: &Response) -> Vec<(u64, bool, u64)> {
    let name = "@Microsoft.PowerApps.CDS.ErrorDetails.Plugin.BulkApiErrorDetails";
    let error = &response.json()["error"];
    let rows: Vec<Value> = serde_json::from_str(error[name].as_str().unwrap()).unwrap();
    rows.iter()
        .map(|row| {
            let number = |name: &str| row[name].as_u64().unwrap();
            let has_id = !row["Id"].as_str().unwrap().is_empty();
            (number("RequestIndex"), has_id, number("StatusCode"))
        })
        .collect()
}

#[tokio::test]
async fn elastic_bulk_actions_write_the_valid_rows() {
    let service = with_table().await;
    let definition = service
        .get("EntityDefinitions(LogicalName='new_reading')?$select=TableType,ChangeTrackingEnabled")
        .await
        .json();
    assert_eq!(definition["TableType"], "Elastic");
    let rows = [
        json!({"new_name": "one", "partitionid": "p"}),
        json!({"new_name": "much too long a name"}),
        json!({"new_name": "two"}),
    ];
    let response = act(&service, "CreateMultiple", &rows).await;
    assert_eq!(
        (response.status.as_u16(), response.error().0.as_str()),
        (400, "0x80044331")
    );
    assert_eq!(
        outcomes(&response),
        [(0, true, 200), (1, false, 400), (2, true, 200)]
    );
    let made = service
        .get(&format!("{SET}?$orderby=new_name"))
        .await
        .rows();
    let names: Vec<&str> = made
        .iter()
        .map(|row| row["new_name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["one", "two"]);
    let key = |row: &Value| row["new_readingid"].clone();
    let path = format!(
        "{SET}(new_readingid={},partitionid='p')",
        key(&made[0]).as_str().unwrap()
    );
    assert_eq!(service.get(&path).await.json()["new_name"], "one");

    let nobody = json!({"new_readingid": "00000000-0000-0000-0000-000000000009", "new_name": "x"});
    let known = json!({"new_readingid": key(&made[1]), "new_name": "changed"});
    let response = act(&service, "UpdateMultiple", &[nobody.clone(), known]).await;
    assert_eq!(outcomes(&response), [(0, false, 404), (1, true, 200)]);
    let response = act(
        &service,
        "DeleteMultiple",
        &[nobody, json!({"new_readingid": key(&made[0])})],
    )
    .await;
    assert_eq!(
        (response.status.as_u16(), outcomes(&response)),
        (404, vec![(0, false, 404), (1, true, 200)])
    );
    let left = service.get(SET).await.rows();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["new_name"], "changed");
    let gone = act(
        &service,
        "DeleteMultiple",
        &[json!({"new_readingid": key(&left[0])})],
    )
    .await;
    assert_eq!(gone.status, 204, "{}", gone.text);
}

#[tokio::test]
async fn an_elastic_upsert_replaces_the_row() {
    let service = with_table().await;
    let id = service
        .create(SET, &json!({"new_name": "old", "new_sensor": "s"}))
        .await;
    let path = format!("{SET}({id})");
    let body = json!({"new_name": "new"}).to_string();
    let updated = service
        .send(hyper::Method::PATCH, &path, &[("if-match", "*")], &body)
        .await;
    assert_eq!(updated.status, 204, "{}", updated.text);
    assert_eq!(service.get(&path).await.json()["new_sensor"], "s");
    let upserted = service.patch(&path, &json!({"new_name": "newer"})).await;
    assert_eq!(upserted.status, 204, "{}", upserted.text);
    let row = service.get(&path).await.json();
    assert_eq!(
        (&row["new_name"], &row["new_sensor"]),
        (&json!("newer"), &Value::Null)
    );
    let found = "sdkmessagefilters?$filter=sdkmessageid/name eq 'DeleteMultiple'&$select=primaryobjecttypecode";
    let tables = service.get(found).await.rows();
    assert_eq!(tables.len(), 1);
    assert_eq!(tables[0]["primaryobjecttypecode"], "new_reading");
}
