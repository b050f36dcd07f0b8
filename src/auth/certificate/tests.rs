use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::Value;

use super::*;
use crate::settings::{Auth, Credential, Settings};
use crate::simulation::{Reply, Simulation};

// Made with OpenSSL for these tests alone, as are the thumbprints.
const PKCS8: &str = include_str!("testdata/from-pkcs12.pem");
const PKCS1: &str = include_str!("testdata/pkcs1.pem");
const PUBLIC_KEY: &[u8] = include_bytes!("testdata/public-key.der");
const SHA1_THUMBPRINT: &str = "OKB8Yivw8tBtlc-LEgDXepmKiiw";
const SHA256_THUMBPRINT: &str = "XpDd2XfFkpFOiTfHrk9MFvuy64oB-MhCwCgmrVRMTLQ";

const CLIENT_ID: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";
const AUDIENCE: &str = "https://login.microsoftonline.com/t.example/oauth2/v2.0/token";

fn name() -> SecretName {
    let document = format!(
        r#"{{"environment":"https://c.example","auth":{{"type":"certificate","clientId":
            "{CLIENT_ID}","certificate":"crm-pem"}}}}"#
    );
    match Settings::parse(&document).unwrap().auth {
        Auth::Application(application) => match application.credential {
            Credential::Certificate(certificate) => certificate.secret,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn read(pem: &str) -> Result<SigningCertificate, Error> {
    SigningCertificate::read(&Secret::new(pem), &name())
}

fn parts(jwt: &Secret) -> (Value, Value, String, Vec<u8>) {
    let (message, signature) = jwt.reveal().rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let json = |part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (
        json(header),
        json(claims),
        message.to_owned(),
        URL_SAFE_NO_PAD.decode(signature).unwrap(),
    )
}

/// Whether the signature holds, by another implementation than the one that made it.
fn holds(algorithm: &'static dyn VerificationAlgorithm, message: &str, signature: &[u8]) -> bool {
    UnparsedPublicKey::new(algorithm, PUBLIC_KEY)
        .verify(message.as_bytes(), signature)
        .is_ok()
}

#[test]
fn an_assertion_is_what_the_reference_shows_and_its_signature_holds() {
    let host = Simulation::new(|_| Reply::status(404));
    host.advance(Duration::from_millis(1_700_000_000_500));
    for (pem, algorithm, header, verification) in [
        (
            PKCS8,
            Algorithm::Ps256,
            json!({"alg": "PS256", "typ": "JWT", "x5t#S256": SHA256_THUMBPRINT}),
            &RSA_PSS_2048_8192_SHA256,
        ),
        (
            PKCS1,
            Algorithm::Rs256,
            json!({"alg": "RS256", "typ": "JWT", "x5t": SHA1_THUMBPRINT}),
            &RSA_PKCS1_2048_8192_SHA256,
        ),
    ] {
        let certificate = read(pem).unwrap();
        let assertion = || {
            certificate
                .assertion(algorithm, CLIENT_ID, AUDIENCE, &*host)
                .unwrap()
        };
        let (told, claims, message, signature) = parts(&assertion());
        assert_eq!(told, header);
        let now = host.unix_time().as_secs();
        assert_eq!(claims["aud"], AUDIENCE);
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&json!(CLIENT_ID), &json!(CLIENT_ID))
        );
        assert_eq!((&claims["iat"], &claims["nbf"]), (&json!(now), &json!(now)));
        assert_eq!(claims["exp"], now + 600);
        assert_eq!(claims["jti"].as_str().unwrap().len(), 36);
        assert!(holds(verification, &message, &signature));
        assert!(!holds(verification, &format!("{message}x"), &signature));
        // Each one is new: neither its name nor, with PSS, its signature comes twice.
        let (_, again, ..) = parts(&assertion());
        assert_ne!(again["jti"], claims["jti"]);
    }
}

#[test]
fn a_store_of_one_line_keeps_pem_too() {
    for one_line in [
        PKCS8.replace('\n', " "),
        PKCS8.replace('\n', "\\n"),
        PKCS8.replace('\n', "\r\n"),
    ] {
        read(&one_line).unwrap();
    }
}

#[test]
fn what_is_missing_is_named_with_its_remedy() {
    for (pem, expected) in [
        (
            include_str!("testdata/key-alone.pem"),
            "holds no certificate",
        ),
        (
            include_str!("testdata/certificate-alone.pem"),
            "holds no RSA private key",
        ),
        (
            include_str!("testdata/mismatched.pem"),
            "belongs to none of its certificates",
        ),
        (include_str!("testdata/locked.pem"), "openssl pkey -in"),
        (include_str!("testdata/elliptic.pem"), "must be an RSA key"),
        ("MIIKcQIBAzCCCicGCSqGSIb3DQEHAaCCChgE", "openssl pkcs12 -in"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMARKER\n-----END RSA \
             PRIVATE KEY-----",
            "openssl pkey -in",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nMARKER!\n-----END PRIVATE KEY-----",
            "is damaged",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nMARKER==\n-----END PRIVATE KEY-----",
            "; ",
        ),
        (
            "-----BEGIN PRIVATE KEY-----MARKER",
            "holds no RSA private key",
        ),
    ] {
        let error = read(pem).map(|_| ()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unauthenticated);
        assert!(
            error.message.starts_with("the secret \"crm-pem\" "),
            "{error}"
        );
        assert!(error.message.contains(expected), "{error}");
        assert!(!error.message.contains("MARKER"), "{error}");
    }
}
