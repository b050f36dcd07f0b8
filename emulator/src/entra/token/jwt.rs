//! Signed access tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{
        KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
        RsaPublicKeyComponents,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// The key every emulator signs with. It is public on purpose: its tokens open nothing but
/// emulators, and a fixed key lets a token outlive a restart, as a real one does.
const DEMONSTRATION_KEY: &[u8] = include_bytes!("demonstration-key.der");

const KEY_ID: &str = "dataverse-emulator-1";

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) aud: String,
    pub(crate) iss: String,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
    pub(crate) appid: Uuid,
    pub(crate) azp: Uuid,
    pub(crate) oid: Uuid,
    pub(crate) sub: String,
    pub(crate) tid: Uuid,
    pub(crate) idtyp: Subject,
    #[serde(flatten)]
    pub(crate) person: Option<PersonClaims>,
    pub(crate) uti: String,
    pub(crate) ver: String,
}

/// The subject of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Subject {
    /// The application itself.
    App,
    /// A person.
    User,
}

/// Claims of tokens for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PersonClaims {
    pub(crate) scp: String,
    pub(crate) upn: String,
    pub(crate) unique_name: String,
    pub(crate) name: String,
    pub(crate) amr: Vec<String>,
}

impl Claims {
    /// The position of the token among all the authority has issued.
    pub(crate) fn serial(&self) -> u64 {
        u64::from_str_radix(&self.uti, 16).unwrap_or(0)
    }
}

/// A token whose signature is right.
pub(in crate::entra) struct Verified {
    pub(in crate::entra) claims: Claims,
}

/// Signs tokens and checks signatures.
#[derive(Debug)]
pub(in crate::entra) struct Signer {
    key: RsaKeyPair,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl Signer {
    #[expect(
        clippy::expect_used,
        reason = "the key is part of the program and a test signs with it"
    )]
    pub(in crate::entra) fn demonstration() -> Self {
        let key = RsaKeyPair::from_pkcs8(DEMONSTRATION_KEY).expect("a valid RSA key");
        let parts: RsaPublicKeyComponents<Vec<u8>> = key.public_key().into();
        Self {
            modulus: parts.n,
            exponent: parts.e,
            key,
        }
    }

    /// The public half, as a JSON Web Key Set.
    pub(in crate::entra) fn key_set(&self) -> serde_json::Value {
        json!({"keys": [{
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": KEY_ID,
            "n": URL_SAFE_NO_PAD.encode(&self.modulus),
            "e": URL_SAFE_NO_PAD.encode(&self.exponent),
        }]})
    }

    pub(in crate::entra) fn sign(&self, claims: &impl Serialize) -> String {
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": KEY_ID});
        let payload = serde_json::to_vec(claims).unwrap_or_default();
        let mut token = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let mut signature = vec![0; self.key.public().modulus_len()];
        let signed = self.key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            token.as_bytes(),
            &mut signature,
        );
        debug_assert!(signed.is_ok(), "the buffer has the length of the modulus");
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }

    pub(in crate::entra) fn verify(&self, token: &str) -> Option<Verified> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (_, payload) = signed.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let key = RsaPublicKeyComponents {
            n: &self.modulus,
            e: &self.exponent,
        };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .ok()?;
        let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        Some(Verified { claims })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modified_token_is_rejected() {
        let signer = Signer::demonstration();
        let id = Uuid::from_u128(7);
        let token = signer.sign(&Claims {
            aud: "https://org.example".into(),
            iss: "https://login.example/t/".into(),
            iat: 1,
            nbf: 1,
            exp: 2,
            appid: id,
            azp: id,
            oid: id,
            sub: id.to_string(),
            tid: id,
            idtyp: Subject::App,
            person: None,
            uti: "0000000000000010".into(),
            ver: "1.0".into(),
        });
        let claims = signer.verify(&token).unwrap().claims;
        assert_eq!((claims.appid, claims.serial()), (id, 16));

        let (head, rest) = token.split_once('.').unwrap();
        let (payload, signature) = rest.split_once('.').unwrap();
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        let forged = URL_SAFE_NO_PAD.encode(text.replace("\"exp\":2", "\"exp\":9"));
        assert!(
            signer
                .verify(&format!("{head}.{forged}.{signature}"))
                .is_none()
        );
        assert!(signer.verify("not.a.token").is_none());
    }
}
