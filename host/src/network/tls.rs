//! The certificate authorities that the host trusts.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Why a profile's network cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// A certificate authority cannot be used.
    #[error("{origin} cannot be used as a certificate authority: {reason}")]
    Certificate {
        /// Where the certificate came from.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The TLS library refused its configuration.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// The public certificate authorities of Mozilla's list, and the platform's own.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    own: Vec<CertificateDer<'static>>,
    exclusive: bool,
}

impl Trust {
    /// Adds every certificate of a PEM text; `origin` names its source in errors.
    ///
    /// # Errors
    /// When the text holds no certificate, or an invalid one.
    pub fn add_pem(&mut self, pem: &[u8], origin: &str) -> Result<(), NetworkError> {
        let refuse = |reason: String| NetworkError::Certificate {
            origin: origin.to_owned(),
            reason,
        };
        let before = self.own.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self.own
                .push(certificate.map_err(|error| refuse(error.to_string()))?);
        }
        if self.own.len() == before {
            return Err(refuse("it holds no certificate in PEM form".to_owned()));
        }
        Ok(())
    }

    /// Trusts the platform's own certificates only.
    pub fn only_own(&mut self) {
        self.exclusive = true;
    }

    pub(crate) fn client_config(&self) -> Result<ClientConfig, NetworkError> {
        let mut roots = RootCertStore::empty();
        if !self.exclusive {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        for certificate in &self.own {
            roots
                .add(certificate.clone())
                .map_err(|error| NetworkError::Certificate {
                    origin: "a certificate authority of the profile".to_owned(),
                    reason: error.to_string(),
                })?;
        }
        // Named, because a program may hold several providers and then has no default.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| NetworkError::Tls(error.to_string()))?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}
