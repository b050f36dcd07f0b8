use jsonwebtoken::{DecodingKey, Validation};
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

fn header(jwt: &str) -> Value {
    let (header, _) = jwt.split_once('.').unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

/// The claims, if another implementation accepts the assertion.
fn claims(algorithm: jsonwebtoken::Algorithm, jwt: &str) -> Option<Value> {
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[CLIENT_ID]);
    // The clock of these tests does not advance.
    validation.validate_exp = false;
    let key = DecodingKey::from_rsa_der(PUBLIC_KEY);
    let token = jsonwebtoken::decode(jwt, &key, &validation).ok()?;
    Some(token.claims)
}

#[test]
fn assertions_are_as_in_the_reference_and_their_signature_is_valid() {
    let host = Simulation::new(|_| Reply::status(404));
    host.advance(Duration::from_millis(1_700_000_000_500));
    for (pem, algorithm, expected, standard) in [
        (
            PKCS8,
            Algorithm::Ps256,
            json!({"alg": "PS256", "typ": "JWT", "x5t#S256": SHA256_THUMBPRINT}),
            jsonwebtoken::Algorithm::PS256,
        ),
        (
            PKCS1,
            Algorithm::Rs256,
            json!({"alg": "RS256", "typ": "JWT", "x5t": SHA1_THUMBPRINT}),
            jsonwebtoken::Algorithm::RS256,
        ),
    ] {
        let certificate = read(pem).unwrap();
        let assertion = || {
            certificate
                .assertion(algorithm, CLIENT_ID, AUDIENCE, &*host)
                .unwrap()
        };
        let first = assertion();
        assert_eq!(header(first.reveal()), expected);
        let found = claims(standard, first.reveal()).unwrap();
        let now = host.unix_time().as_secs();
        assert_eq!(found["sub"], CLIENT_ID);
        assert_eq!((&found["iat"], &found["nbf"]), (&json!(now), &json!(now)));
        assert_eq!(found["exp"], now + 600);
        assert_eq!(found["jti"].as_str().unwrap().len(), 36);
        // Another signature is not accepted.
        let other = assertion();
        let (message, _) = first.reveal().rsplit_once('.').unwrap();
        let (_, signature) = other.reveal().rsplit_once('.').unwrap();
        assert_eq!(claims(standard, &format!("{message}.{signature}")), None);
        // Each assertion has another ID and, with PSS, another signature.
        let again = claims(standard, assertion().reveal()).unwrap();
        assert_ne!(again["jti"], found["jti"]);
    }
}

#[test]
fn pem_on_a_single_line_is_read() {
    for one_line in [
        PKCS8.replace('\n', " "),
        PKCS8.replace('\n', "\\n"),
        PKCS8.replace('\n', "\r\n"),
    ] {
        read(&one_line).unwrap();
    }
}

#[test]
fn errors_name_the_missing_part_and_a_remedy() {
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
            "damaged PEM",
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

/// The private key in a PEM text, as DER.
fn private_key(pem: &str) -> Vec<u8> {
    let is_key = |block: &Block<'_>| block.label.ends_with("PRIVATE KEY");
    blocks(pem).find(is_key).unwrap().der().unwrap().to_vec()
}

/// [`PKCS8`] with another private key.
fn with_key(der: &[u8]) -> String {
    let certificate = PKCS8.find("-----BEGIN CERTIFICATE").unwrap();
    let end = "-----END CERTIFICATE-----";
    let certificates = &PKCS8[certificate..PKCS8.rfind(end).unwrap() + end.len()];
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n{certificates}\n",
        STANDARD.encode(der)
    )
}

#[test]
fn both_formats_contain_the_same_key() {
    let (modern, older) = (parse(PKCS8).unwrap(), parse(PKCS1).unwrap());
    assert_eq!(modern.key, older.key);
    assert_eq!(modern.certificate, older.certificate);
}

#[test]
fn a_key_with_attributes_is_accepted_as_windows_exports_it() {
    let plain = private_key(PKCS8);
    // [0] { SEQUENCE { keyUsage, SET { BIT STRING } } }
    let attributes = [
        0xA0, 0x0D, 0x30, 0x0B, 0x06, 0x03, 0x55, 0x1D, 0x0F, 0x31, 0x04, 0x03, 0x02, 0x00, 0x80,
    ];
    let mut key = [&plain[..], &attributes[..]].concat();
    let length = u16::try_from(key.len() - 4).unwrap().to_be_bytes();
    key[2..4].copy_from_slice(&length);
    assert_eq!(
        parse(&with_key(&key)).unwrap().key,
        parse(PKCS8).unwrap().key
    );
}

#[test]
fn a_damaged_key_is_rejected() {
    let whole = private_key(PKCS8);
    for end in (0..whole.len()).step_by(7) {
        assert!(parse(&with_key(&whole[..end])).is_err(), "{end} bytes");
    }
    assert!(parse(&with_key(&[&whole[..], &[0]].concat())).is_err());
    // The algorithm, the version, the sign and the value of the modulus, and a value of a prime.
    for place in [12, 32, 37, 226, 726] {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x81;
        assert!(parse(&with_key(&damaged)).is_err(), "byte {place}");
    }
}
