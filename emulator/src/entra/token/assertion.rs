//! Client assertions: signed by the application's certificate, or by an issuer it trusts
//! (reference §2.3).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::entra::{Application, FederatedCredential, error::EntraError};

/// How much clocks may differ, in seconds.
const SKEW: i64 = 300;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_s256: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: NumericDate,
    nbf: Option<NumericDate>,
}

/// Seconds since 1970, which may have a fraction (RFC 7519 §2); some clients send one.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "serde_json::Number")]
struct NumericDate(i64);

impl TryFrom<serde_json::Number> for NumericDate {
    type Error = &'static str;

    fn try_from(number: serde_json::Number) -> Result<Self, Self::Error> {
        let text = number.to_string();
        let whole = text.split('.').next().and_then(|whole| whole.parse().ok());
        whole.map(Self).ok_or("a time that is out of range")
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }

    fn shown(&self) -> String {
        self.iter().collect::<Vec<_>>().join(", ")
    }
}

/// A JSON Web Token taken apart, its signature not verified yet.
struct Assertion<'a> {
    header: Header,
    claims: Claims,
    signed: &'a [u8],
    signature: Vec<u8>,
    algorithm: &'static RsaParameters,
}

impl<'a> Assertion<'a> {
    fn parse(token: &'a str) -> Result<Self, EntraError> {
        let malformed = EntraError::malformed_assertion;
        let (signed, signature) = token
            .rsplit_once('.')
            .ok_or_else(|| malformed("It has no signature."))?;
        let (header, claims) = signed
            .split_once('.')
            .ok_or_else(|| malformed("It has not three parts."))?;
        let header: Header = decode(header)?;
        let algorithm = match header.alg.as_str() {
            "PS256" => &RSA_PSS_2048_8192_SHA256,
            "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            other => {
                return Err(malformed(&format!(
                    "Unsupported signing algorithm '{other}'."
                )));
            }
        };
        Ok(Self {
            header,
            claims: decode(claims)?,
            signed: signed.as_bytes(),
            signature: URL_SAFE_NO_PAD
                .decode(signature)
                .map_err(|_| malformed("The signature is not base64url."))?,
            algorithm,
        })
    }

    fn require_time(&self, now: i64) -> Result<(), EntraError> {
        let from = self.claims.nbf.map_or(0, |date| date.0);
        let until = self.claims.exp.0;
        if until.saturating_add(SKEW) <= now || from.saturating_sub(SKEW) > now {
            return Err(EntraError::assertion_time(now, from, until));
        }
        Ok(())
    }
}

fn decode<T: DeserializeOwned>(part: &str) -> Result<T, EntraError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| EntraError::malformed_assertion("A part of it is not base64url."))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| EntraError::malformed_assertion(&format!("{error}.")))
}

/// Checks that the assertion is about the application; `is_this_authority` says whether an
/// audience names this authority.
pub(in crate::entra) fn verify(
    application: &Application,
    token: &str,
    now: i64,
    is_this_authority: impl Fn(&str) -> bool,
) -> Result<(), EntraError> {
    let assertion = Assertion::parse(token)?;
    let header = &assertion.header;
    if header.x5t.is_some() || header.x5t_s256.is_some() {
        return verify_own(application, &assertion, now, is_this_authority);
    }
    if Uuid::try_parse(&assertion.claims.iss).is_ok() {
        return Err(EntraError::malformed_assertion(
            "Its header names no certificate: neither 'x5t' nor 'x5t#S256' is there.",
        ));
    }
    verify_federated(application, &assertion, now)
}

/// An assertion of the application itself, signed with its certificate.
fn verify_own(
    application: &Application,
    assertion: &Assertion<'_>,
    now: i64,
    is_this_authority: impl Fn(&str) -> bool,
) -> Result<(), EntraError> {
    let claims = &assertion.claims;
    for name in [&claims.iss, &claims.sub] {
        if Uuid::try_parse(name) != Ok(application.client_id) {
            return Err(EntraError::assertion_of_another(
                name,
                application.client_id,
            ));
        }
    }
    let header = &assertion.header;
    let unpadded = |text: &Option<String>| {
        let text = text.as_deref()?;
        Some(text.trim_end_matches('=').to_owned())
    };
    let (sha1, sha256) = (unpadded(&header.x5t), unpadded(&header.x5t_s256));
    let mut certificates = application.certificates.iter();
    let certificate = certificates.find(|known| {
        sha1.as_ref().is_none_or(|hash| *hash == known.sha1)
            && sha256.as_ref().is_none_or(|hash| *hash == known.sha256)
    });
    let Some(certificate) = certificate else {
        let thumbprint = sha256.or(sha1).unwrap_or_default();
        return Err(EntraError::unregistered_certificate(
            &thumbprint,
            application.client_id,
        ));
    };
    if now < certificate.validity.0 || certificate.validity.1 < now {
        return Err(EntraError::expired_certificate(
            &certificate.sha1,
            certificate.validity,
        ));
    }
    UnparsedPublicKey::new(assertion.algorithm, &certificate.public_key)
        .verify(assertion.signed, &assertion.signature)
        .map_err(|_| EntraError::assertion_signature())?;
    if !claims.aud.iter().any(is_this_authority) {
        return Err(EntraError::assertion_audience(&claims.aud.shown()));
    }
    assertion.require_time(now)
}

/// An assertion of another issuer, about a subject that the application trusts.
fn verify_federated(
    application: &Application,
    assertion: &Assertion<'_>,
    now: i64,
) -> Result<(), EntraError> {
    let claims = &assertion.claims;
    let trusted = &application.federated_credentials;
    let issuer = |known: &&FederatedCredential| known.issuer == claims.iss;
    if !trusted.iter().any(|known| issuer(&known)) {
        return Err(EntraError::federated_issuer(&claims.iss));
    }
    let mut same_issuer = trusted.iter().filter(issuer);
    let credential = same_issuer
        .find(|known| known.subject == claims.sub)
        .ok_or_else(|| EntraError::federated_subject(&claims.sub))?;
    if !claims.aud.iter().any(|name| name == credential.audience) {
        return Err(EntraError::federated_audience(&claims.aud.shown()));
    }
    let kid = &assertion.header.kid;
    let mut keys = credential.keys.keys.iter();
    let verified = keys.any(|key| {
        let components = RsaPublicKeyComponents {
            n: &key.modulus,
            e: &key.exponent,
        };
        (kid.is_none() || key.id.is_none() || *kid == key.id)
            && components
                .verify(assertion.algorithm, assertion.signed, &assertion.signature)
                .is_ok()
    });
    if !verified {
        return Err(EntraError::assertion_signature());
    }
    assertion.require_time(now)
}
