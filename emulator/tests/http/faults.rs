//! Faults, statistics and the control API.

use std::time::{Duration, Instant};

use dataverse_emulator::{Fault, FaultKind};
use hyper::Method;
use serde_json::{Value, json};

use crate::support::Service;

#[tokio::test]
async fn faults_apply_once_and_are_counted() {
    let service = Service::start().await;
    for number in 0..3 {
        service
            .create("accounts", &json!({"name": format!("A{number}")}))
            .await;
    }
    let emulator = &service.emulator;
    emulator.reset_statistics();
    let address = service.address("accounts?$select=name");
    let read = async || {
        let headers = [("prefer", "odata.maxpagesize=2")];
        service.try_send(Method::GET, &address, &headers, "").await
    };
    let retry_after = Some("7".to_owned());
    emulator.inject(Fault::once(FaultKind::Status {
        status: 429,
        retry_after,
    }));
    let response = read().await.unwrap();
    assert_eq!(
        (response.status.as_u16(), response.header("retry-after")),
        (429, "7")
    );
    emulator.inject(Fault::once(FaultKind::Status {
        status: 401,
        retry_after: None,
    }));
    assert!(
        read()
            .await
            .unwrap()
            .header("www-authenticate")
            .starts_with("Bearer ")
    );
    emulator.inject(Fault::once(FaultKind::Reset));
    assert!(read().await.is_err());
    emulator.inject(Fault::once(FaultKind::CutBody { after: 20 }));
    assert!(read().await.is_err());
    emulator.inject(Fault::once(FaultKind::BrokenJson));
    assert!(serde_json::from_str::<Value>(&read().await.unwrap().text).is_err());
    emulator.inject(Fault::once(FaultKind::LoopingNextLink));
    assert_eq!(
        read().await.unwrap().link("@odata.nextLink").unwrap(),
        address
    );
    emulator.inject(Fault::once(FaultKind::ForeignNextLink));
    let foreign = read().await.unwrap().link("@odata.nextLink").unwrap();
    assert!(foreign.starts_with("http://foreign.example/"));
    emulator.inject(Fault::once(FaultKind::Delay { milliseconds: 50 }));
    let start = Instant::now();
    assert_eq!(read().await.unwrap().status, 200);
    assert!(start.elapsed() >= Duration::from_millis(50));
    assert_eq!(read().await.unwrap().rows().len(), 2);
    let statistics = emulator.statistics();
    assert_eq!(
        (statistics.faults, statistics.reads, statistics.throttled),
        (8, 9, 1)
    );
}

#[tokio::test]
async fn the_control_api_changes_the_service() {
    let service = Service::start().await;
    let control = async |method: Method, command: &str, body: Value| {
        let address = format!("{}/__emulator/{command}", service.emulator.base_url());
        service
            .try_send(method, &address, &[], &body.to_string())
            .await
            .unwrap()
    };
    let fault = json!({"kind": "status", "status": 503, "at": 2, "times": 2});
    assert_eq!(control(Method::POST, "faults", fault).await.status, 200);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(service.get("accounts").await.status.as_u16());
    }
    assert_eq!(statuses, [200, 503, 503, 200]);
    let wrong = control(Method::POST, "faults", json!({"kind": "unheard-of"})).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(
        control(Method::GET, "nothing", json!(null)).await.status,
        404
    );

    let day = control(Method::POST, "day", json!({"seed": 1, "changes": 20}))
        .await
        .json();
    assert_eq!(
        day["created"], 20,
        "an organization without rows can only grow"
    );
    control(Method::POST, "tokens/expire", json!(null)).await;
    assert_eq!(service.get("WhoAmI").await.status, 401);
    let statistics = control(Method::GET, "statistics", json!(null)).await.json();
    assert_eq!(
        (&statistics["reads"], &statistics["unauthorized"]),
        (&json!(4), &json!(1))
    );
}

#[tokio::test]
async fn large_responses_are_compressed_on_request() {
    let service = Service::start().await;
    let headers = [("accept-encoding", "gzip")];
    let response = service
        .send(Method::GET, "EntityDefinitions", &headers, "")
        .await;
    assert_eq!(response.header("content-encoding"), "gzip");
    let plain = service.get("EntityDefinitions").await;
    assert_eq!(plain.header("content-encoding"), "");
    let length = |response: &crate::support::Response| {
        response.header("content-length").parse::<usize>().unwrap()
    };
    assert!(length(&response) * 5 < length(&plain));
}
