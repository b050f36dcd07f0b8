//! Secrets as only a command line needs them: key rings of desktops, and PKCS#12 files.

#[cfg(feature = "keyring")]
mod keyring;
mod pkcs12;

#[cfg(feature = "keyring")]
pub(crate) use keyring::Keyring;
pub(crate) use pkcs12::pkcs12_to_pem;
