//! Keys and certificates out of PKCS#12 files (`.pfx`, `.p12`; RFC 7292), as other systems export
//! them.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p12_keystore::error::Error;
use p12_keystore::{CertificateBag, Pkcs12Archive, PrivateKeyBag};
use zeroize::Zeroizing;

use dataverse_host::secrets::Secret;

/// Characters in a line of PEM.
const LINE: usize = 64;

/// Why a PKCS#12 file cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Pkcs12Error {
    /// The file has another format.
    #[error("is not a PKCS#12 file")]
    NotPkcs12,
    /// The file is PEM, which needs no conversion.
    #[error("is PEM and not PKCS#12; store it without --pkcs12")]
    Pem,
    /// The password is wrong.
    #[error("is encrypted with another password")]
    Password,
    /// Its encryption is not supported.
    #[error(
        "is encrypted in a way that is not supported; convert it to PEM with \
         `openssl pkcs12 -in FILE -nodes`"
    )]
    Unsupported,
    /// It holds only certificates.
    #[error("holds no private key; export it together with its key")]
    NoKey,
    /// It holds several keys.
    #[error("holds several private keys; export only the one to use")]
    SeveralKeys,
    /// It holds a key and no certificate.
    #[error("holds no certificate; export the key together with its certificate")]
    NoCertificate,
}

/// The private key (PKCS#8) and the certificates of a PKCS#12 file as PEM, the key's own
/// certificate first. Reads files with the old encryption (RC2 or triple DES) and the new one
/// (PBES2); a file without encryption has the empty password.
pub(crate) fn pkcs12_to_pem(file: &[u8], password: &str) -> Result<Secret, Pkcs12Error> {
    if file.trim_ascii_start().starts_with(b"-----BEGIN ") {
        return Err(Pkcs12Error::Pem);
    }
    let archive = Pkcs12Archive::from_pkcs12(file, password).map_err(|error| why(&error))?;
    let key = match archive.keys.as_slice() {
        [key] => key,
        [] => return Err(Pkcs12Error::NoKey),
        _ => return Err(Pkcs12Error::SeveralKeys),
    };
    if archive.certs.is_empty() {
        return Err(Pkcs12Error::NoCertificate);
    }
    let mut certificates: Vec<_> = archive.certs.iter().collect();
    certificates.sort_by_key(|certificate| !belong_together(key, certificate));
    let mut pem = Zeroizing::new(String::new());
    write(&mut pem, "PRIVATE KEY", key.key.as_der());
    for certificate in certificates {
        write(&mut pem, "CERTIFICATE", certificate.cert.as_der());
    }
    Ok(Secret::new(pem.as_str()))
}

fn belong_together(key: &PrivateKeyBag, certificate: &CertificateBag) -> bool {
    let id = key.local_key_id.as_ref().map(AsRef::as_ref);
    id.is_some() && id == certificate.local_key_id.as_deref()
}

fn why(error: &Error) -> Pkcs12Error {
    match error {
        // Without a MAC, a wrong password shows by an invalid result.
        Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => Pkcs12Error::Password,
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => {
            Pkcs12Error::Unsupported
        }
        _ => Pkcs12Error::NotPkcs12,
    }
}

/// One block (RFC 7468).
fn write(pem: &mut Zeroizing<String>, label: &str, der: &[u8]) {
    let body = Zeroizing::new(STANDARD.encode(der));
    // With its full capacity: a text that grows leaves copies of the key in memory.
    let room = pem.len() + body.len() + body.len() / LINE + 80;
    let mut longer = Zeroizing::new(String::with_capacity(room));
    let _infallible = writeln!(longer, "{}-----BEGIN {label}-----", pem.as_str());
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        let _infallible = writeln!(longer, "{line}");
        rest = after;
    }
    let _infallible = writeln!(longer, "-----END {label}-----");
    *pem = longer;
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made with OpenSSL 3; `legacy.p12` with its option `-legacy`.
    const MODERN: &[u8] = include_bytes!("testdata/modern.p12");
    const LEGACY: &[u8] = include_bytes!("testdata/legacy.p12");
    const EMPTY: &[u8] = include_bytes!("testdata/empty.p12");
    const OPEN: &[u8] = include_bytes!("testdata/open.p12");
    const KEYLESS: &[u8] = include_bytes!("testdata/keyless.p12");
    const PASSWORD: &str = "pässwörd";

    #[test]
    fn files_with_old_and_new_encryption_are_converted() {
        let expected = concat!(
            include_str!("testdata/key.pem"),
            include_str!("testdata/chain.pem")
        );
        let cases = [
            ("modern", MODERN, PASSWORD),
            ("legacy", LEGACY, PASSWORD),
            ("empty", EMPTY, ""),
            ("open", OPEN, ""),
        ];
        for (name, file, password) in cases {
            let pem = pkcs12_to_pem(file, password).unwrap();
            assert_eq!(pem.expose(), expected, "{name}");
        }
    }

    #[test]
    fn errors_name_the_cause() {
        let why = |file: &[u8], password: &str| pkcs12_to_pem(file, password).unwrap_err();
        for file in [MODERN, LEGACY, EMPTY] {
            assert_eq!(why(file, "another"), Pkcs12Error::Password);
        }
        assert_eq!(why(MODERN, ""), Pkcs12Error::Password);
        assert_eq!(why(KEYLESS, PASSWORD), Pkcs12Error::NoKey);
        assert_eq!(
            why(include_bytes!("testdata/chain.pem"), ""),
            Pkcs12Error::Pem
        );
        assert_eq!(why(b"", ""), Pkcs12Error::NotPkcs12);
        for end in (0..MODERN.len()).step_by(97) {
            assert!(
                pkcs12_to_pem(&MODERN[..end], PASSWORD).is_err(),
                "{end} bytes"
            );
        }
    }
}
