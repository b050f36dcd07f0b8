//! Keys and certificates out of PKCS#12 files (`.pfx`, `.p12`; RFC 7292), as other systems export
//! them.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p12_keystore::error::Error;
use p12_keystore::{CertificateBag, Pkcs12Archive, PrivateKeyBag};
use zeroize::Zeroizing;

use super::Secret;

/// Characters in a line of PEM.
const LINE: usize = 64;

/// Why a PKCS#12 file gives no key and certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Pkcs12Error {
    /// It is something else.
    #[error("is not a PKCS#12 file")]
    NotOne,
    /// It is something else, which needs no password.
    #[error("is PEM and not PKCS#12; it can be kept as it is")]
    Pem,
    /// The password is not that of the file.
    #[error("is locked with another password")]
    Password,
    /// It is locked in a way that is not known here.
    #[error(
        "is locked in a way that is not known here; turn it into PEM with \
         `openssl pkcs12 -in FILE -nodes`"
    )]
    Unsupported,
    /// It holds certificates only.
    #[error("holds no private key; export it together with its key")]
    NoKey,
    /// It holds several keys, and nothing says which one is meant.
    #[error("holds several private keys; export the one that is meant")]
    SeveralKeys,
    /// It holds a key and no certificate.
    #[error("holds no certificate; export the key together with its certificate")]
    NoCertificate,
}

/// The private key (PKCS#8) and the certificates of a PKCS#12 file as PEM, the key's own
/// certificate first. Files locked in the old way (RC2 or triple DES) and in the new one (PBES2)
/// are read; a file that was never locked has the empty password.
pub fn pkcs12_to_pem(file: &[u8], password: &str) -> Result<Secret, Pkcs12Error> {
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
    Ok(Secret(pem))
}

fn belong_together(key: &PrivateKeyBag, certificate: &CertificateBag) -> bool {
    let id = key.local_key_id.as_ref().map(AsRef::as_ref);
    id.is_some() && id == certificate.local_key_id.as_deref()
}

fn why(error: &Error) -> Pkcs12Error {
    match error {
        // A file without a code of its own shows a wrong password by what comes out.
        Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => Pkcs12Error::Password,
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => {
            Pkcs12Error::Unsupported
        }
        _ => Pkcs12Error::NotOne,
    }
}

/// One block (RFC 7468).
fn write(pem: &mut Zeroizing<String>, label: &str, der: &[u8]) {
    let body = Zeroizing::new(STANDARD.encode(der));
    // All at once: a text that grows leaves copies behind.
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
    fn old_and_new_files_give_the_key_and_its_chain() {
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
    fn what_is_wrong_is_told() {
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
        assert_eq!(why(b"", ""), Pkcs12Error::NotOne);
        for end in (0..MODERN.len()).step_by(97) {
            assert!(
                pkcs12_to_pem(&MODERN[..end], PASSWORD).is_err(),
                "{end} bytes"
            );
        }
    }
}
