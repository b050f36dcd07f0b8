//! Alternate keys created while rows exist (reference §4.11, §5.5).

use serde_json::{Value, json};

use crate::support::Service;

const KEYS: &str = "EntityDefinitions(LogicalName='contact')/Keys";

async fn status(service: &Service, name: &str) -> String {
    let path = format!("{KEYS}?$select=SchemaName,KeyAttributes,EntityKeyIndexStatus");
    let rows = service.get(&path).await.rows();
    let key = rows.iter().find(|key| key["SchemaName"] == name).unwrap();
    key["EntityKeyIndexStatus"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_usable_once_its_index_is_built() {
    let service = Service::start().await;
    let id = service
        .create(
            "contacts",
            &json!({"lastname": "Key", "emailaddress1": "k@example.com"}),
        )
        .await;
    let body = json!({"SchemaName": "new_ByMail", "KeyAttributes": ["emailaddress1"],
        "DisplayName": {"LocalizedLabels": [{"Label": "By mail", "LanguageCode": 1033}]}});
    let made = service.post(KEYS, &body).await;
    assert_eq!(made.status, 204, "{}", made.text);
    let address = made.header("odata-entityid").to_owned();
    assert!(address.contains("/EntityDefinitions(LogicalName='contact')/Keys("));

    let path = "contacts(emailaddress1='k@example.com')?$select=contactid";
    assert_eq!(status(&service, "new_ByMail").await, "Pending");
    let early = service.get(path).await;
    assert_eq!(
        (early.status.as_u16(), early.error().0.as_str()),
        (400, "0x80060890")
    );
    service.emulator.clock().advance(2);
    assert_eq!(status(&service, "new_ByMail").await, "Active");
    assert_eq!(service.get(path).await.json()["contactid"], id.as_str());

    let twin = json!({"lastname": "Twin", "emailaddress1": "K@example.com"});
    let refused = service.post("contacts", &twin).await;
    assert_eq!(refused.status, 412);
    assert_eq!(refused.error().0, "0x80060892");
    let upserted = service
        .patch(
            "contacts(emailaddress1='n@example.com')",
            &json!({"lastname": "New"}),
        )
        .await;
    assert_eq!(upserted.status, 204, "{}", upserted.text);
    assert!(
        upserted
            .header("odata-entityid")
            .ends_with("contacts(emailaddress1='n@example.com')")
    );

    let key = address.split("/api/data/v9.2/").nth(1).unwrap().to_owned();
    assert_eq!(service.delete(&key).await.status, 204);
    assert_eq!(service.get(path).await.status, 400);
    assert_eq!(service.post("contacts", &twin).await.status, 204);
}

#[tokio::test]
async fn duplicate_values_fail_the_key_index_until_removed() {
    let service = Service::start().await;
    let row = json!({"lastname": "Twin", "employeeid": "7"});
    service.create("contacts", &row).await;
    let twin = service.create("contacts", &row).await;
    let body = json!({"SchemaName": "new_ByEmployee", "KeyAttributes": ["employeeid"]});
    assert_eq!(service.post(KEYS, &body).await.status, 204);
    service.emulator.clock().advance(2);
    assert_eq!(status(&service, "new_ByEmployee").await, "Failed");
    service.delete(&format!("contacts({twin})")).await;
    let again = json!({"EntityLogicalName": "contact", "EntityKeyLogicalName": "new_byemployee"});
    let response = service.post("ReactivateEntityKey", &again).await;
    assert_eq!(response.status, 204, "{}", response.text);
    assert_eq!(status(&service, "new_ByEmployee").await, "Pending");
    service.emulator.clock().advance(2);
    assert_eq!(status(&service, "new_ByEmployee").await, "Active");
}

#[tokio::test]
async fn not_every_column_can_be_a_key() {
    let service = Service::start().await;
    let key = |name: &str, columns: Value| json!({"SchemaName": name, "KeyAttributes": columns});
    let valid = key("new_One", json!(["employeeid"]));
    assert_eq!(service.post(KEYS, &valid).await.status, 204);
    for (body, code) in [
        (key("new_One", json!(["governmentid"])), "0x80060893"),
        (key("new_Same", json!(["employeeid"])), "0x80060894"),
        (key("NoPrefix", json!(["governmentid"])), "0x80044366"),
        (key("new_Memo", json!(["description"])), "0x80040203"),
        (key("new_Yes", json!(["creditonhold"])), "0x80040203"),
        (key("new_Unknown", json!(["nothing"])), "0x80040203"),
        (key("new_None", json!([])), "0x80040203"),
        (
            key("new_Twice", json!(["governmentid", "governmentid"])),
            "0x80040203",
        ),
    ] {
        let response = service.post(KEYS, &body).await;
        assert_eq!(
            (response.status.as_u16(), response.error().0.as_str()),
            (400, code),
            "{body}"
        );
    }
}
