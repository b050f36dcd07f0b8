//! Tokens and the 401 challenge (reference §2).

use std::time::Duration;

use dataverse_emulator::{
    CLIENT_ID, Emulator, PASSWORD, PUBLIC_CLIENT_ID, TENANT_DOMAIN, TENANT_ID,
};
use hyper::Method;
use uuid::Uuid;

use crate::support::{Response, Service};

fn code(response: &Response) -> u64 {
    response.json()["error_codes"][0].as_u64().unwrap()
}

#[tokio::test]
async fn tokens_are_issued_as_entra_does() {
    let service = Service::start().await;
    let token = service.request_token(&[("tenant", TENANT_DOMAIN)]).await;
    let json = token.json();
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["expires_in"], 3599);
    assert!(json.get("refresh_token").is_none());

    let unknown = Uuid::from_u128(1).to_string();
    for (changes, status, expected, error) in [
        (
            vec![("client_secret", "wrong")],
            401,
            7_000_215,
            "invalid_client",
        ),
        (
            vec![("client_secret", "")],
            401,
            7_000_218,
            "invalid_client",
        ),
        (
            vec![("client_id", unknown.as_str())],
            400,
            700_016,
            "unauthorized_client",
        ),
        (
            vec![("tenant", unknown.as_str())],
            400,
            90_002,
            "invalid_request",
        ),
        (vec![("tenant", "common")], 400, 50_059, "invalid_request"),
        (vec![("grant_type", "")], 400, 900_144, "invalid_request"),
        (
            vec![("grant_type", "implicit")],
            400,
            70_003,
            "unsupported_grant_type",
        ),
        (
            vec![("scope", "user_impersonation")],
            400,
            70_011,
            "invalid_scope",
        ),
        (
            vec![("scope", "https://other.example/.default")],
            400,
            500_011,
            "invalid_resource",
        ),
    ] {
        let response = service.request_token(&changes).await;
        assert_eq!(response.status, status, "{changes:?} {}", response.text);
        assert_eq!(code(&response), expected, "{changes:?}");
        assert_eq!(response.json()["error"], error);
        let description = response.json()["error_description"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            description.starts_with(&format!("AADSTS{expected}: ")),
            "{description}"
        );
        assert!(description.contains("\r\nTrace ID: "));
    }
    assert!(service.emulator.disable_application(CLIENT_ID, true));
    assert_eq!(code(&service.request_token(&[]).await), 7_000_112);
}

#[tokio::test]
async fn unauthenticated_requests_get_a_challenge() {
    let emulator = Emulator::builder()
        .token_lifetime(Duration::from_mins(10))
        .start()
        .await
        .unwrap();
    let mut service = Service::with(emulator).await;
    let challenge = format!(
        "Bearer authorization_uri={}/{TENANT_ID}/oauth2/authorize, resource_id={}/",
        service.emulator.authority_url(),
        service.emulator.base_url()
    );
    for authorization in ["", "Bearer nonsense", "Basic abc"] {
        let headers = [("authorization", authorization)];
        let response = service.send(Method::GET, "WhoAmI", &headers, "").await;
        assert_eq!(response.status, 401);
        assert_eq!(response.header("www-authenticate"), challenge);
        assert_eq!(response.text, "");
    }
    let soap = format!(
        "{}/XRMServices/2011/Organization.svc/web?SdkClientVersion=9.1",
        service.emulator.base_url()
    );
    let response = service.try_send(Method::GET, &soap, &[], "").await.unwrap();
    assert_eq!(
        (
            response.status.as_u16(),
            response.header("www-authenticate")
        ),
        (401, challenge.as_str())
    );
    assert_eq!(service.get("WhoAmI").await.status, 200);
    service.emulator.clock().advance(601);
    assert_eq!(service.get("WhoAmI").await.status, 401);
    service.sign_in().await;
    assert_eq!(service.get("WhoAmI").await.status, 200);
    service.emulator.expire_tokens();
    assert_eq!(service.get("WhoAmI").await.status, 401);
}

#[tokio::test]
async fn the_password_grant_issues_tokens() {
    let service = Service::start().await;
    let client = PUBLIC_CLIENT_ID.to_string();
    let scope = format!("{}/.default offline_access", service.emulator.base_url());
    let ask = async |name: &str, password: &str, tenant: &str| {
        let fields = [
            ("tenant", tenant),
            ("grant_type", "password"),
            ("client_id", &client),
            ("client_secret", ""),
            ("username", name),
            ("password", password),
            ("scope", &scope),
        ];
        service.request_token(&fields).await
    };
    let ada = "ada@example.com";
    assert_eq!(code(&ask(ada, PASSWORD, TENANT_DOMAIN).await), 65_001);
    service.emulator.consent(PUBLIC_CLIENT_ID, None).unwrap();
    let granted = ask(ada, PASSWORD, "organizations").await.json();
    assert!(granted["refresh_token"].is_string(), "{granted}");
    let token = format!("Bearer {}", granted["access_token"].as_str().unwrap());
    let headers = [("authorization", token.as_str())];
    assert_eq!(
        service
            .send(Method::GET, "WhoAmI", &headers, "")
            .await
            .status,
        200
    );
    assert_eq!(code(&ask(ada, "wrong", TENANT_DOMAIN).await), 50_126);
    assert_eq!(
        code(&ask("nobody@example.com", PASSWORD, TENANT_DOMAIN).await),
        50_034
    );
    assert_eq!(code(&ask(ada, PASSWORD, "common").await), 9_001_023);
    service
        .emulator
        .change_person(ada, |person| person.verification_code = Some("1".into()));
    assert_eq!(code(&ask(ada, PASSWORD, TENANT_DOMAIN).await), 50_076);
}
