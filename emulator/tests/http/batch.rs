//! Batches and bulk actions (reference §8).

use std::fmt::Write as _;

use hyper::Method;
use serde_json::json;

use crate::support::{Response, Service};

async fn batch(service: &Service, body: &str, prefer: &str) -> Response {
    let headers = [
        ("content-type", "multipart/mixed; boundary=\"b\""),
        ("prefer", prefer),
    ];
    service.send(Method::POST, "$batch", &headers, body).await
}

fn part(request: &str) -> String {
    format!(
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
         {request}\r\n"
    )
}

fn get(path: &str) -> String {
    part(&format!(
        "GET /api/data/v9.2/{path} HTTP/1.1\r\nAccept: application/json\r\n\r\n"
    ))
}

fn change_set(requests: &[&str]) -> String {
    let mut set = String::from("--b\r\nContent-Type: multipart/mixed; boundary=\"c\"\r\n\r\n");
    for (at, request) in requests.iter().enumerate() {
        let (line, body) = request.split_once('\n').unwrap();
        let _ = write!(
            set,
            "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\
             Content-ID: {}\r\n\r\n{line} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n\
             {body}\r\n",
            at + 1
        );
    }
    set.push_str("--c--\r\n\r\n");
    set
}

#[tokio::test]
async fn a_batch_stops_at_the_first_error_unless_it_asks_to_continue() {
    let service = Service::start().await;
    let body = format!(
        "{}{}{}--b--\r\n",
        get("WhoAmI"),
        get("nothing"),
        get("WhoAmI")
    );
    let stopped = batch(&service, &body, "").await;
    assert_eq!(stopped.status, 404);
    assert_eq!(stopped.text.matches("HTTP/1.1 ").count(), 2);
    let whole = batch(&service, &body, "odata.continue-on-error").await;
    assert_eq!(whole.status, 200);
    assert_eq!(whole.text.matches("HTTP/1.1 200 OK").count(), 2);
    assert_eq!(whole.text.matches("HTTP/1.1 404 Not Found").count(), 1);
    assert!(
        whole
            .header("content-type")
            .starts_with("multipart/mixed; boundary=batchresponse_")
    );
    let line_feeds = batch(&service, &body.replace("\r\n", "\n"), "").await;
    assert_eq!(
        (line_feeds.status.as_u16(), line_feeds.error().0.as_str()),
        (400, "0x80048d19")
    );
}

#[tokio::test]
async fn a_change_set_is_atomic() {
    let service = Service::start().await;
    let good = change_set(&[
        "POST /api/data/v9.2/contacts\n{\"lastname\":\"C\"}",
        "POST accounts\n{\"name\":\"A\",\"primarycontactid@odata.bind\":\"$1\"}",
        "PATCH $2\n{\"name\":\"B\"}",
    ]);
    let response = batch(&service, &format!("{good}--b--\r\n"), "").await;
    assert_eq!(response.status, 200, "{}", response.text);
    assert_eq!(response.text.matches("HTTP/1.1 204 No Content").count(), 3);
    assert!(response.text.contains("Content-ID: 2\r\n"));
    let row = service
        .get("accounts?$select=name&$expand=primarycontactid($select=lastname)")
        .await;
    assert_eq!(row.rows()[0]["name"], "B");
    assert_eq!(row.rows()[0]["primarycontactid"]["lastname"], "C");

    let bad = change_set(&[
        "POST accounts\n{\"name\":\"X\"}",
        "POST accounts\n{\"nope\":1}",
    ]);
    let response = batch(&service, &format!("{bad}--b--\r\n"), "").await;
    assert_eq!(response.status, 400);
    assert_eq!(response.text.matches("HTTP/1.1 ").count(), 1);
    assert_eq!(service.get("accounts/$count").await.text, "1");
    let forward = change_set(&["PATCH $2\n{}", "POST accounts\n{}"]);
    let response = batch(&service, &format!("{forward}--b--\r\n"), "").await;
    assert!(
        response
            .text
            .contains("Content-ID Reference: '$2' does not exist in the batch context.")
    );
}

#[tokio::test]
async fn bulk_actions_are_atomic() {
    let service = Service::start().await;
    let kind = "Microsoft.Dynamics.CRM.account";
    let action = |name: &str| format!("accounts/Microsoft.Dynamics.CRM.{name}");
    let targets = json!({"Targets": [
        {"@odata.type": kind, "name": "one"}, {"@odata.type": kind, "name": "two"},
    ]});
    let response = service.post(&action("CreateMultiple"), &targets).await;
    assert_eq!(response.status, 200);
    let ids = response.json()["Ids"].as_array().unwrap().clone();
    let second = format!("accounts({})?$select=name", ids[1].as_str().unwrap());
    assert_eq!(service.get(&second).await.json()["name"], "two");
    let update = json!({"Targets": [
        {"@odata.type": kind, "accountid": ids[0], "name": "changed"},
        {"@odata.type": kind, "accountid": ids[1], "nope": 1},
    ]});
    assert_eq!(
        service
            .post(&action("UpdateMultiple"), &update)
            .await
            .status,
        400
    );
    assert_eq!(
        service
            .get("accounts?$filter=name eq 'changed'")
            .await
            .rows()
            .len(),
        0
    );
    let upsert = json!({"Targets": [
        {"@odata.type": kind, "@odata.id": "accounts(accountnumber='U')", "name": "new"},
    ]});
    assert_eq!(
        service
            .post(&action("UpsertMultiple"), &upsert)
            .await
            .status,
        204
    );
    let repeated = json!({"Targets": [{
        "@odata.type": kind, "@odata.id": "accounts(accountnumber='V')", "accountnumber": "V",
    }]});
    assert_eq!(
        service
            .post(&action("UpsertMultiple"), &repeated)
            .await
            .status,
        400
    );
    let untyped = json!({"Targets": [{"name": "x"}]});
    assert_eq!(
        service
            .post(&action("CreateMultiple"), &untyped)
            .await
            .status,
        400
    );
}
