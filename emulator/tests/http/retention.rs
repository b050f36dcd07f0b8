//! What expires: the audit log, delta links, cached counts of rows.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Service;

const DAY: i64 = 86_400;

async fn organization(service: &Service, change: &Value) {
    let id = service
        .get("organizations?$select=organizationid")
        .await
        .rows()[0]
        .clone();
    let path = format!("organizations({})", id["organizationid"].as_str().unwrap());
    let response = service.patch(&path, change).await;
    assert_eq!(response.status, 204, "{}", response.text);
}

#[tokio::test]
async fn the_audit_log_expires_after_the_retention_period() {
    let mut service = Service::start().await;
    let old = service.create("accounts", &json!({"name": "Old"})).await;
    let entries = async |service: &Service, id: &str| {
        let path = format!("audits?$select=action&$filter=_objectid_value eq {id}");
        service.get(&path).await.rows().len()
    };
    assert_eq!(entries(&service, &old).await, 1);
    service.emulator.clock().advance(29 * DAY);
    service.sign_in().await;
    let new = service.create("accounts", &json!({"name": "New"})).await;
    assert_eq!(entries(&service, &old).await, 1);
    service.emulator.clock().advance(2 * DAY);
    service.sign_in().await;
    assert_eq!(
        (entries(&service, &old).await, entries(&service, &new).await),
        (0, 1)
    );
    organization(&service, &json!({"auditretentionperiodv2": -1})).await;
    service.emulator.clock().advance(1_000 * DAY);
    service.sign_in().await;
    assert_eq!(entries(&service, &new).await, 1);
}

#[tokio::test]
async fn delta_links_expire_after_the_days_of_the_organization() {
    let mut service = Service::start().await;
    organization(&service, &json!({"expirechangetrackingindays": 2})).await;
    let prefer = "odata.track-changes";
    let first = service
        .get_preferring("accounts?$select=name", prefer)
        .await;
    let link = first.link("@odata.deltaLink").unwrap();
    service.emulator.clock().advance(DAY);
    service.sign_in().await;
    assert_eq!(service.follow(&link, prefer).await.status, 200);
    service.emulator.clock().advance(DAY + 60);
    service.sign_in().await;
    let expired = service.follow(&link, prefer).await;
    assert_eq!(expired.error().0, "0x80044352");
}

#[tokio::test]
async fn record_counts_may_be_cached() {
    let mut service = Service::start().await;
    let count = async |service: &Service| {
        let path = "RetrieveTotalRecordCount(EntityNames=@p)?@p=[\"account\"]";
        let response = service.get(path).await.json();
        response["EntityRecordCountCollection"]["Values"][0].clone()
    };
    service
        .emulator
        .set_record_count_age(Duration::from_hours(24));
    assert_eq!(count(&service).await, 0);
    service.create("accounts", &json!({"name": "A"})).await;
    assert_eq!(count(&service).await, 0);
    service.emulator.clock().advance(DAY + 1);
    service.sign_in().await;
    assert_eq!(count(&service).await, 1);
}
