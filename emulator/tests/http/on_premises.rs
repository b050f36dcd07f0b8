//! How on-premises servers differ: AD FS, the organization in the path, older versions
//! (reference §1.5).

use dataverse_emulator::{ApiVersion, CLIENT_ID, CLIENT_SECRET, Emulator, PASSWORD};
use hyper::Method;
use url::form_urlencoded::Serializer;

use crate::{
    browser::Browser,
    support::{Response, Service},
};

async fn token(service: &Service, fields: &[(&str, &str)]) -> Response {
    let client = CLIENT_ID.to_string();
    let body = Serializer::new(String::new())
        .extend_pairs(fields)
        .append_pair("client_id", &client)
        .append_pair("client_secret", CLIENT_SECRET)
        .finish();
    let address = format!("{}/adfs/oauth2/token", service.emulator.authority_url());
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let response = service.try_send(Method::POST, &address, &headers, &body);
    response.await.unwrap()
}

#[tokio::test]
async fn people_sign_in_at_ad_fs() {
    let emulator = Emulator::builder().adfs().organization_path("Sales");
    let emulator = emulator.version(ApiVersion::V9_1).start().await.unwrap();
    let service = Service::with(emulator).await;
    let (base, authority) = (
        service.emulator.base_url().to_owned(),
        service.emulator.authority_url().to_owned(),
    );
    let api = format!("{base}/sales/api/data/v9.1");
    let response = service
        .try_send(
            Method::GET,
            &format!("{api}/WhoAmI"),
            &[("authorization", "")],
            "",
        )
        .await
        .unwrap();
    let challenge =
        format!("Bearer authorization_uri={authority}/adfs/oauth2/authorize, resource_id={base}/");
    assert_eq!(response.header("www-authenticate"), challenge);

    let query = Serializer::new(String::new())
        .append_pair("client_id", &CLIENT_ID.to_string())
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", "http://localhost/callback")
        .append_pair("resource", &format!("{base}/"))
        .finish();
    let page = format!("{authority}/adfs/oauth2/authorize?{query}");
    let mut browser = Browser::open(&service, &page).await;
    let wrong = [("UserName", "ada@example.com"), ("Password", "wrong")];
    browser.press("adfs", &wrong).await;
    assert!(browser.text().contains("Incorrect user ID or password"));
    let right = [("UserName", "ada@example.com"), ("Password", PASSWORD)];
    browser.press("adfs", &right).await;
    let code = browser.sent_back()["code"].clone();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "http://localhost/callback"),
    ];
    let tokens = token(&service, &fields).await.json();
    assert_eq!(tokens["resource"], format!("{base}/"));
    assert!(tokens["refresh_token"].is_string());
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let link = format!("{api}/accounts?$select=name&$count=true");
    let headers = [("authorization", bearer.as_str())];
    let rows = service.try_send(Method::GET, &link, &headers, "").await;
    let context = rows.unwrap().json()["@odata.context"].clone();
    assert!(
        context
            .as_str()
            .unwrap()
            .starts_with(&format!("{api}/$metadata#"))
    );

    let again = token(&service, &fields).await;
    assert_eq!(again.status, 400);
    let description = again.json()["error_description"].clone();
    assert!(
        description.as_str().unwrap().starts_with("MSIS9612"),
        "{description}"
    );
    let unknown = [
        ("grant_type", "client_credentials"),
        ("resource", "https://other.example/"),
    ];
    assert_eq!(
        token(&service, &unknown).await.json()["error"],
        "invalid_resource"
    );
}

#[tokio::test]
async fn an_older_server_rejects_newer_versions() {
    let emulator = Emulator::builder().version(ApiVersion::V8_2);
    let service = Service::with(emulator.start().await.unwrap()).await;
    let base = service.emulator.base_url().to_owned();
    for (version, status) in [("v8.0", 200), ("v8.2", 200), ("v9.0", 404), ("v9.2", 404)] {
        let address = format!("{base}/api/data/{version}/RetrieveVersion()");
        let response = service
            .try_send(Method::GET, &address, &[], "")
            .await
            .unwrap();
        assert_eq!(response.status, status, "{version}");
        if status == 200 {
            assert!(
                response.json()["Version"]
                    .as_str()
                    .unwrap()
                    .starts_with("8.2.")
            );
        }
    }
}
