//! An RSA key, a certificate for it, and assertions signed with it, as by an identity provider.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::rand_core::OsRng;
use rsa::signature::{SignatureEncoding, Signer};
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, pkcs1v15::SigningKey};
use serde_json::{Value, json};
use sha2::Sha256;

/// A key pair and a certificate.
pub struct Identity {
    key: RsaPrivateKey,
    /// The private key as PEM.
    pub key_pem: String,
    /// The certificate as PEM.
    pub certificate_pem: String,
}

impl Identity {
    /// One that all tests share: generating a key takes long.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Identity> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    /// A new one.
    pub fn new() -> Self {
        let key = RsaPrivateKey::new(&mut OsRng, 2048).unwrap();
        let key_pem = key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string();
        let pair = KeyPair::from_pkcs8_pem_and_sign_algo(&key_pem, &PKCS_RSA_SHA256).unwrap();
        let certificate = CertificateParams::new(Vec::new())
            .unwrap()
            .self_signed(&pair)
            .unwrap();
        Self {
            key,
            key_pem,
            certificate_pem: certificate.pem(),
        }
    }

    /// The private key and its certificate, as the connector reads them.
    pub fn pem(&self) -> String {
        format!("{}{}", self.key_pem, self.certificate_pem)
    }

    /// The public key as a JSON Web Key Set.
    pub fn key_set(&self) -> String {
        let number = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
        json!({"keys": [{
            "kty": "RSA",
            "n": number(self.key.n()),
            "e": number(self.key.e()),
        }]})
        .to_string()
    }

    /// An assertion that expires in `expires_in` seconds; negative if it is expired.
    pub fn assertion(
        &self,
        issuer: &str,
        subject: &str,
        audience: &str,
        expires_in: i64,
    ) -> String {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = i64::try_from(since.as_secs()).unwrap();
        let claims = json!({
            "iss": issuer,
            "sub": subject,
            "aud": audience,
            "iat": now - 3_600,
            "nbf": now - 3_600,
            "exp": now + expires_in,
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!(
            "{}.{}",
            part(&json!({"alg": "RS256", "typ": "JWT"})),
            part(&claims)
        );
        let signature = SigningKey::<Sha256>::new(self.key.clone()).sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}
