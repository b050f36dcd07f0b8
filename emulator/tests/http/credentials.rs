//! Certificates and workload identities (reference §2.3).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dataverse_emulator::{CLIENT_ID, TENANT_ID};
use hyper::Method;
use ring::{
    digest,
    rand::SystemRandom,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair},
};
use serde_json::{Value, json};

use crate::support::{Response, Service};

const KEY: &str = include_str!("data/demonstration-key.pem");
const CERTIFICATE: &str = include_str!("data/demonstration-certificate.pem");

fn der(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}

fn sign(encoding: &'static dyn RsaEncoding, header: &Value, claims: &Value) -> String {
    let key = RsaKeyPair::from_pkcs8(&der(KEY)).unwrap();
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        encoding,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The claims of a valid assertion, changed.
fn claims(service: &Service, changes: &Value) -> Value {
    let now = service.emulator.clock().now();
    let authority = service.emulator.authority_url();
    let mut claims = json!({
        "aud": format!("{authority}/{TENANT_ID}/oauth2/v2.0/token"),
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "jti": "6d2f1b0e-6f0a-4d9a-9a4d-0d8f5c9d7a11",
        "iat": now,
        "nbf": now,
        "exp": now + 300,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn ps256() -> Value {
    let hash = digest::digest(&digest::SHA256, &der(CERTIFICATE));
    json!({"alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(hash)})
}

async fn present(service: &Service, assertion: &str) -> Response {
    service
        .request_token(&[
            ("client_secret", ""),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion),
        ])
        .await
}

async fn control(service: &Service, method: Method, command: &str, body: &Value) -> Response {
    let address = format!("{}/__emulator/{command}", service.emulator.base_url());
    let body = body.to_string();
    let response = service.try_send(method, &address, &[], &body).await;
    response.unwrap()
}

#[tokio::test]
async fn an_application_authenticates_with_a_certificate() {
    let service = Service::start().await;
    let right = sign(&RSA_PSS_SHA256, &ps256(), &claims(&service, &json!({})));
    let code = |response: &Response| response.json()["error_codes"][0].as_u64();
    assert_eq!(code(&present(&service, &right).await), Some(700_027));

    let path = format!("applications/{CLIENT_ID}/certificates");
    let body = json!({"certificate": CERTIFICATE});
    let registered = control(&service, Method::POST, &path, &body).await;
    assert_eq!(registered.status, 200, "{}", registered.text);
    assert_eq!(present(&service, &right).await.status, 200);

    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &der(CERTIFICATE));
    let rs256 = json!({"alg": "RS256", "typ": "JWT", "x5t": URL_SAFE_NO_PAD.encode(hash)});
    let authority = service.emulator.authority_url();
    let now = service.emulator.clock().now();
    for audience in ["oauth2/token", "v2.0", ""] {
        let audience = json!({"aud": format!("{authority}/contoso.example/{audience}")});
        let assertion = sign(&RSA_PKCS1_SHA256, &rs256, &claims(&service, &audience));
        let response = present(&service, &assertion).await;
        assert_eq!(response.status, 200, "{audience} {}", response.text);
    }
    for (changes, expected) in [
        (json!({"exp": now - 301}), Some(700_024)),
        (json!({"exp": now - 299}), None),
        (json!({"nbf": now + 301}), Some(700_024)),
        (json!({"iss": TENANT_ID}), Some(700_021)),
        (json!({"sub": TENANT_ID}), Some(700_021)),
        (
            json!({"aud": format!("{authority}/{CLIENT_ID}/oauth2/v2.0/token")}),
            Some(700_023),
        ),
        (
            json!({"aud": format!("https://login.example/{TENANT_ID}/oauth2/v2.0/token")}),
            Some(700_023),
        ),
    ] {
        let assertion = sign(&RSA_PSS_SHA256, &ps256(), &claims(&service, &changes));
        let response = present(&service, &assertion).await;
        assert_eq!(code(&response), expected, "{changes} {}", response.text);
    }
    // Algorithm and signature must match.
    let wrong_algorithm = sign(&RSA_PKCS1_SHA256, &ps256(), &claims(&service, &json!({})));
    assert_eq!(
        code(&present(&service, &wrong_algorithm).await),
        Some(700_027)
    );
    let none = json!({"alg": "none", "x5t#S256": ps256()["x5t#S256"]});
    let unsigned = sign(&RSA_PSS_SHA256, &none, &claims(&service, &json!({})));
    assert_eq!(code(&present(&service, &unsigned).await), Some(50_027));
}

#[tokio::test]
async fn an_application_authenticates_with_a_federated_credential() {
    let service = Service::start().await;
    let key = RsaKeyPair::from_pkcs8(&der(KEY)).unwrap();
    let (n, e): (Vec<u8>, Vec<u8>) = {
        let parts: ring::signature::RsaPublicKeyComponents<Vec<u8>> = key.public_key().into();
        (parts.n, parts.e)
    };
    let keys = json!({"keys": [{
        "kty": "RSA", "kid": "k1",
        "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e),
    }]});
    let path = format!("applications/{CLIENT_ID}/federated-credentials");
    let body = json!({
        "issuer": "https://issuer.example", "subject": "system:serviceaccount:crm:sync",
        "keys": keys,
    });
    let registered = control(&service, Method::POST, &path, &body).await;
    assert_eq!(registered.status, 200, "{}", registered.text);
    let right = json!({
        "iss": "https://issuer.example",
        "sub": "system:serviceaccount:crm:sync",
        "aud": ["api://AzureADTokenExchange"],
    });
    for (changes, expected) in [
        (json!({}), None),
        (json!({"iss": "https://other.example"}), Some(700_211)),
        (
            json!({"sub": "system:serviceaccount:crm:other"}),
            Some(700_213),
        ),
        (json!({"aud": "https://issuer.example"}), Some(700_212)),
        (json!({"exp": 1}), Some(700_024)),
    ] {
        let mut all = right.clone();
        for (name, value) in changes.as_object().unwrap() {
            all[name] = value.clone();
        }
        let header = json!({"alg": "RS256", "kid": "k1"});
        let assertion = sign(&RSA_PKCS1_SHA256, &header, &claims(&service, &all));
        let response = present(&service, &assertion).await;
        let code = response.json()["error_codes"][0].as_u64();
        assert_eq!(code, expected, "{changes} {}", response.text);
    }
}
