//! Assertions signed with the key of a certificate (reference 2.3).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use memchr::memmem;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPublicKey as _};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::rand_core::{self, CryptoRng, RngCore};
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use serde_json::json;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};
use crate::host::{Clock, Random, Secret};
use crate::settings::{Algorithm, SecretName};
use crate::uuid::random_uuid;

/// How long an assertion is valid.
const LIFETIME: Duration = Duration::from_mins(10);

/// A certificate with its private key.
pub(super) struct SigningCertificate {
    key: RsaPrivateKey,
    /// The certificate as DER.
    certificate: Vec<u8>,
}

impl SigningCertificate {
    /// Reads PEM that contains a private key and its certificate, in any order and among other
    /// blocks. `name` is the name of the secret, for messages.
    pub(super) fn read(pem: &Secret, name: &SecretName) -> Result<Self, Error> {
        parse(pem.reveal()).map_err(|reason| {
            Error::new(
                ErrorKind::Unauthenticated,
                format!("the secret \"{}\" {reason}", name.as_str()),
            )
        })
    }

    /// A signed statement that `client_id` is the sender of a request to the endpoint `audience`.
    pub(super) fn assertion(
        &self,
        algorithm: Algorithm,
        client_id: &str,
        audience: &str,
        host: &(impl Clock + Random),
    ) -> Result<Secret, Error> {
        let header = match algorithm {
            Algorithm::Ps256 => json!({
                "alg": "PS256",
                "typ": "JWT",
                "x5t#S256": URL_SAFE_NO_PAD.encode(Sha256::digest(&self.certificate)),
            }),
            Algorithm::Rs256 => json!({
                "alg": "RS256",
                "typ": "JWT",
                "x5t": URL_SAFE_NO_PAD.encode(Sha1::digest(&self.certificate)),
            }),
        };
        let now = host.unix_time();
        let claims = json!({
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": random_uuid(host),
            "iat": now.as_secs(),
            "nbf": now.as_secs(),
            "exp": (now + LIFETIME).as_secs(),
        });
        let mut jwt = [header, claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let digest = Sha256::digest(&jwt);
        // Both use blinding, which protects the private key against timing attacks.
        let signature = match algorithm {
            Algorithm::Ps256 => {
                self.key
                    .sign_with_rng(&mut HostRandom(host), Pss::new_blinded::<Sha256>(), &digest)
            }
            Algorithm::Rs256 => self.key.sign_with_rng(
                &mut HostRandom(host),
                Pkcs1v15Sign::new::<Sha256>(),
                &digest,
            ),
        };
        let signature = signature.map_err(|_| {
            Error::new(
                ErrorKind::Unauthenticated,
                "the private key of the certificate cannot sign; use an RSA key of 2048 bits or \
                 more",
            )
        })?;
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
        Ok(Secret::new(jwt))
    }
}

/// Reads PEM. An error completes a sentence that begins with the secret.
fn parse(pem: &str) -> Result<SigningCertificate, String> {
    let mut key = None;
    let mut certificates = Vec::new();
    for block in blocks(pem) {
        match block.label {
            "PRIVATE KEY" => key = Some(RsaPrivateKey::from_pkcs8_der(&block.der()?).ok()),
            "RSA PRIVATE KEY" if !block.is_encrypted() => {
                key = Some(RsaPrivateKey::from_pkcs1_der(&block.der()?).ok());
            }
            "RSA PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => {
                return Err(
                    "holds a private key that is encrypted with a password; decrypt it with \
                     `openssl pkey -in FILE`, and store the output with the certificate"
                        .to_owned(),
                );
            }
            "CERTIFICATE" => certificates.push(block.der()?.to_vec()),
            _ => {}
        }
    }
    let unusable = || "holds a private key that cannot be used; it must be an RSA key".to_owned();
    let key = match key {
        Some(Some(key)) => key,
        Some(None) => return Err(unusable()),
        None if certificates.is_empty() && !pem.contains("-----BEGIN ") => {
            return Err(
                "holds no PEM; if it is a PKCS#12 file (.pfx, .p12), convert it with \
                 `openssl pkcs12 -in FILE -nodes`, and store the output"
                    .to_owned(),
            );
        }
        None => {
            return Err(
                "holds no RSA private key; store it together with the certificate".to_owned(),
            );
        }
    };
    // Only the certificate of this key contains the bytes of its public key.
    let public = key.to_public_key().to_pkcs1_der().map_err(|_| unusable())?;
    let any = !certificates.is_empty();
    let certificate = certificates
        .into_iter()
        .find(|certificate| memmem::find(certificate, public.as_bytes()).is_some());
    match certificate {
        Some(certificate) => Ok(SigningCertificate { key, certificate }),
        None if any => Err(
            "holds a private key that belongs to none of its certificates; store a private key \
             and a certificate that belong together"
                .to_owned(),
        ),
        None => Err("holds no certificate; store it together with the private key".to_owned()),
    }
}

/// One block of PEM (RFC 7468).
struct Block<'a> {
    label: &'a str,
    body: &'a str,
}

impl Block<'_> {
    /// Older tools mark an encrypted key by header lines in the block.
    fn is_encrypted(&self) -> bool {
        self.body.contains("ENCRYPTED")
    }

    fn der(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        // In stores for single lines, line breaks become spaces or the two characters `\n`.
        let text = Zeroizing::new(self.body.replace("\\n", ""));
        let text: Zeroizing<String> = Zeroizing::new(text.split_ascii_whitespace().collect());
        STANDARD
            .decode(text.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| "holds damaged PEM; store the file again, with its line breaks".to_owned())
    }
}

/// The blocks of a PEM text. Text between them is ignored.
fn blocks(pem: &str) -> impl Iterator<Item = Block<'_>> {
    pem.split("-----BEGIN ").skip(1).filter_map(|rest| {
        let (label, rest) = rest.split_once("-----")?;
        let (body, _) = rest.split_once("-----END ")?;
        Some(Block { label, body })
    })
}

/// The random numbers of the host, as the library requires them.
struct HostRandom<'h, R>(&'h R);

impl<R: Random> RngCore for HostRandom<'_, R> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl<R: Random> CryptoRng for HostRandom<'_, R> {}

#[cfg(test)]
mod tests;
