//! Who may do what (reference §2.9, §11).

use dataverse_emulator::{Emulator, ServiceLimits, org::Role};
use serde_json::json;
use uuid::Uuid;

use crate::support::Service;

async fn token_of(service: &Service, client: Uuid) -> String {
    let id = client.to_string();
    let response = service
        .request_token(&[("client_id", &id), ("client_secret", "s3cret")])
        .await;
    format!(
        "Bearer {}",
        response.json()["access_token"].as_str().unwrap()
    )
}

#[tokio::test]
async fn membership_and_privileges_are_needed() {
    let service = Service::start().await;
    let emulator = &service.emulator;
    let (stranger, reader, basic) = (
        Uuid::from_u128(0x51),
        Uuid::from_u128(0x52),
        Uuid::from_u128(0x53),
    );
    emulator.add_application(stranger, "s3cret", None).unwrap();
    emulator
        .add_application(reader, "s3cret", Some(Role::IntegrationReader))
        .unwrap();
    emulator
        .add_application(basic, "s3cret", Some(Role::BasicUser))
        .unwrap();
    let id = service
        .create("accounts", &json!({"name": "Owned by the administrator"}))
        .await;

    let get = async |token: &str, path: &str, prefer: &str| {
        let headers = [("authorization", token), ("prefer", prefer)];
        service.send(hyper::Method::GET, path, &headers, "").await
    };
    let token = token_of(&service, stranger).await;
    let response = get(&token, "WhoAmI", "").await;
    assert_eq!(response.status, 403);
    let message = "The user is not a member of the organization.";
    assert_eq!(response.error(), ("0x80072560".into(), message.into()));

    let token = token_of(&service, reader).await;
    let who = get(&token, "WhoAmI", "").await.json();
    assert_eq!(
        get(&token, "accounts?$select=name", "").await.rows().len(),
        1
    );
    let headers = [("authorization", token.as_str())];
    let create = service
        .send(hyper::Method::POST, "accounts", &headers, "{}")
        .await;
    assert_eq!(create.status, 403);
    let (code, message) = create.error();
    assert_eq!(code, "0x80040220");
    let start = format!(
        "Principal user (Id={}, type=8, ",
        who["UserId"].as_str().unwrap()
    );
    assert!(message.starts_with(&start), "{message}");
    assert!(
        message.contains("is missing prvCreateAccount privilege (Id="),
        "{message}"
    );
    assert!(
        message.contains("on OTC=1 for entity 'account'"),
        "{message}"
    );

    // Basic depth: rows of others are invisible, and changes cannot be tracked.
    let token = token_of(&service, basic).await;
    assert_eq!(
        get(&token, "accounts?$select=name", "").await.rows().len(),
        0
    );
    let single = get(&token, &format!("accounts({id})"), "").await;
    assert_eq!(
        (single.status.as_u16(), single.error().0.as_str()),
        (403, "0x80048306")
    );
    let tracked = get(&token, "accounts?$select=name", "odata.track-changes").await;
    assert_eq!(tracked.status, 403);

    let token = token_of(&service, reader).await;
    emulator
        .revoke(Role::IntegrationReader, "prvReadAccount")
        .unwrap();
    assert_eq!(get(&token, "accounts", "").await.status, 403);
    let user = who["UserId"].as_str().unwrap().parse().unwrap();
    emulator.disable_user(user, true).unwrap();
    assert_eq!(get(&token, "WhoAmI", "").await.error().0, "0x8004A112");
}

#[tokio::test]
async fn limits_answer_429() {
    let limits = ServiceLimits {
        requests: 2,
        ..ServiceLimits::default()
    };
    let service = Service::with(Emulator::builder().limits(limits).start().await.unwrap()).await;
    let first = service.get("WhoAmI").await;
    assert_eq!(
        first.header("x-ms-ratelimit-burst-remaining-xrm-requests"),
        "1"
    );
    assert_eq!(first.header("x-ms-dop-hint"), "4");
    service.get("WhoAmI").await;
    let refused = service.get("WhoAmI").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.error().0, "0x80072322");
    let remaining = refused.header("x-ms-ratelimit-burst-remaining-xrm-requests");
    assert_eq!(remaining, "0", "reference §9.1: on every response");
    let seconds: i64 = refused.header("retry-after").parse().unwrap();
    service.emulator.clock().advance(seconds + 1);
    assert_eq!(service.get("WhoAmI").await.status, 200);
    assert_eq!(service.emulator.statistics().throttled, 1);
}
