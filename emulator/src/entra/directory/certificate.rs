//! Certificates with which applications authenticate (reference §2.3).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::digest;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use thiserror::Error;
use x509_parser::parse_x509_certificate;

/// The public half of a certificate registered for an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-1 of the certificate, base64url: the header `x5t` of an assertion.
    pub(in crate::entra) sha1: String,
    /// SHA-256 of the certificate, base64url: the header `x5t#S256` of an assertion.
    pub(in crate::entra) sha256: String,
    /// The key as PKCS#1 has it.
    pub(in crate::entra) public_key: Vec<u8>,
    /// When it begins and ends to be valid, in seconds since 1970.
    pub(in crate::entra) validity: (i64, i64),
}

/// Why a certificate cannot be registered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Neither PEM nor base64 of DER.
    #[error("not a certificate in PEM or base64")]
    Encoding,
    /// The encoding is right, what it encodes is not.
    #[error("not an X.509 certificate: {0}")]
    Malformed(String),
    /// Assertions are signed with RSA.
    #[error("the key of the certificate is not an RSA key")]
    Key,
}

impl Certificate {
    /// Reads the first certificate of a PEM text, or base64 of a DER certificate.
    ///
    /// # Errors
    ///
    /// When the text is not a certificate, or its key is not an RSA key.
    pub fn parse(text: &str) -> Result<Self, CertificateError> {
        match CertificateDer::from_pem_slice(text.as_bytes()) {
            Ok(der) => Self::from_der(&der),
            Err(_) => Self::from_der(
                &STANDARD
                    .decode(text.split_whitespace().collect::<String>())
                    .map_err(|_| CertificateError::Encoding)?,
            ),
        }
    }

    fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (_, certificate) = parse_x509_certificate(der)
            .map_err(|error| CertificateError::Malformed(error.to_string()))?;
        let key = certificate.public_key();
        if !matches!(key.parsed(), Ok(x509_parser::public_key::PublicKey::RSA(_))) {
            return Err(CertificateError::Key);
        }
        let hash = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, der));
        let validity = certificate.validity();
        Ok(Self {
            sha1: hash(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            sha256: hash(&digest::SHA256),
            public_key: key.subject_public_key.data.to_vec(),
            validity: (
                validity.not_before.timestamp(),
                validity.not_after.timestamp(),
            ),
        })
    }
}
