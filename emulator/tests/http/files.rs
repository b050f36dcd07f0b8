//! Files and images behind columns (reference §4.10).

use hyper::Method;
use serde_json::{Value, json};

use crate::support::{Response, Service};

const ACCOUNT: &str = "EntityDefinitions(LogicalName='account')/Attributes";

async fn with_file_column() -> (Service, String) {
    let service = Service::start().await;
    let body = json!({
        "@odata.type": "Microsoft.Dynamics.CRM.FileAttributeMetadata", "SchemaName": "new_Contract",
        "MaxSizeInKB": 8192,
        "DisplayName": {"LocalizedLabels": [{"Label": "Contract", "LanguageCode": 1033}]},
    });
    let response = service.post(ACCOUNT, &body).await;
    assert_eq!(response.status, 204, "{}", response.text);
    let id = service.create("accounts", &json!({"name": "A"})).await;
    (service, id)
}

async fn upload(
    service: &Service,
    address: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let mut all = vec![("content-type", "application/octet-stream")];
    all.extend(headers);
    service
        .try_send(Method::PATCH, address, &all, body)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_file_is_uploaded_and_downloaded_in_parts() {
    let (service, id) = with_file_column().await;
    let column = format!("accounts({id})/new_contract");
    let missing = service.get(&format!("{column}/$value")).await;
    assert_eq!(missing.status, 404);
    let content = "0123456789".repeat(500_000);
    let unnamed = upload(&service, &service.address(&column), &[], "x").await;
    assert_eq!(unnamed.status, 400);
    let named = service.address(&format!("{column}?x-ms-file-name=Vertr%C3%A4ge.pdf"));
    let response = upload(&service, &named, &[], &content).await;
    assert_eq!(response.status, 204, "{}", response.text);
    let row = service
        .get(&format!(
            "accounts({id})?$select=new_contract,new_contract_name"
        ))
        .await
        .json();
    assert!(row["new_contract"].is_string());
    assert_eq!(row["new_contract_name"], "Verträge.pdf");

    let whole = service.get(&format!("{column}/$value")).await;
    assert_eq!((whole.status.as_u16(), &whole.text), (200, &content));
    assert_eq!(whole.header("x-ms-file-size"), "5000000");
    assert_eq!(whole.header("x-ms-file-name"), "Vertr%C3%A4ge.pdf");
    let range = |range: &'static str| {
        let path = format!("{column}/$value");
        let service = &service;
        async move {
            service
                .send(Method::GET, &path, &[("range", range)], "")
                .await
        }
    };
    let first = range("bytes=0-4999999").await;
    assert_eq!(first.status, 206);
    assert_eq!(first.header("content-range"), "bytes 0-4194303/5000000");
    let second = range("bytes=4194304-8388607").await;
    assert_eq!(first.text + &second.text, content);
    assert_eq!(range("bytes=5000000-").await.status, 416);

    assert_eq!(service.delete(&column).await.status, 204);
    assert_eq!(service.get(&format!("{column}/$value")).await.status, 404);
}

#[tokio::test]
async fn a_large_file_arrives_in_parts() {
    let (service, id) = with_file_column().await;
    let column = service.address(&format!("accounts({id})/new_contract"));
    let start = [
        ("x-ms-transfer-mode", "chunked"),
        ("x-ms-file-name", "a.txt"),
    ];
    let begun = upload(&service, &column, &start, "").await;
    assert_eq!(
        (begun.status.as_u16(), begun.header("x-ms-chunk-size")),
        (200, "4194304")
    );
    let location = begun.header("location").to_owned();
    let part = |range: &'static str, body: &'static str| {
        let (service, location) = (&service, &location);
        async move {
            let headers = [("content-range", range), ("x-ms-file-name", "a.txt")];
            upload(service, location, &headers, body)
                .await
                .status
                .as_u16()
        }
    };
    assert_eq!(part("bytes 0-4/10", "01234").await, 206);
    assert_eq!(part("bytes 6-9/10", "6789").await, 400);
    assert_eq!(part("bytes 5-9/10", "56789").await, 204);
    assert_eq!(part("bytes 5-9/10", "56789").await, 400);
    let read = service
        .get(&format!("accounts({id})/new_contract/$value"))
        .await;
    assert_eq!(read.text, "0123456789");
    let (named, too_much) = (format!("{column}?x-ms-file-name=b"), "x".repeat(8_388_609));
    let large = upload(&service, &named, &[], &too_much).await;
    assert_eq!(large.status, 400);
}

#[tokio::test]
async fn an_image_has_a_thumbnail_an_address_and_a_time() {
    let service = Service::start().await;
    let id = service
        .create(
            "accounts",
            &json!({"name": "A", "entityimage": "iVBORw0KGgo="}),
        )
        .await;
    let select = "$select=entityimage,entityimageid,entityimage_url,entityimage_timestamp";
    let row = service
        .get(&format!("accounts({id})?{select}"))
        .await
        .json();
    assert_eq!(row["entityimage"], "iVBORw0KGgo=");
    assert!(row["entityimageid"].is_string() && row["entityimage_timestamp"].is_number());
    let url = row["entityimage_url"].as_str().unwrap();
    assert!(url.starts_with("/Image/download.aspx?Entity=account&Attribute=entityimage&Id="));
    let image = service
        .get(&format!("accounts({id})/entityimage/$value?size=full"))
        .await;
    assert_eq!(image.status, 200);
    assert_eq!(image.header("x-ms-file-size"), "8");
    assert_eq!(image.header("mimetype"), "image/png");
    let nonsense = service
        .patch(
            &format!("accounts({id})"),
            &json!({"entityimage": "no image!"}),
        )
        .await;
    assert_eq!(nonsense.status, 400);
    let cleared = service
        .patch(&format!("accounts({id})"), &json!({"entityimage": null}))
        .await;
    assert_eq!(cleared.status, 204);
    let row = service
        .get(&format!("accounts({id})?{select}"))
        .await
        .json();
    assert_eq!(row["entityimageid"], Value::Null);
    assert_eq!(row["entityimage_url"], Value::Null);
    let table = service
        .get("EntityDefinitions(LogicalName='account')?$select=PrimaryImageAttribute")
        .await;
    assert_eq!(table.json()["PrimaryImageAttribute"], "entityimage");
}
