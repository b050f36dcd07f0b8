//! Private RSA keys as they are stored: DER (X.690) of PKCS#1 or PKCS#8.

use rsa::{BigUint, RsaPrivateKey};

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// The object identifier `rsaEncryption`, 1.2.840.113549.1.1.1 (RFC 8017, A.1).
const RSA_ENCRYPTION: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];

/// A private key, and how a certificate writes its public half.
pub(super) struct StoredKey {
    pub(super) key: RsaPrivateKey,
    /// Modulus and exponent as DER, one after the other.
    pub(super) public: Vec<u8>,
}

/// The key in a `PrivateKeyInfo` (RFC 5208, 5); none if it is not RSA's, or damaged.
pub(super) fn pkcs8(der: &[u8]) -> Option<StoredKey> {
    // Attributes may follow the key, and tell nothing about it.
    let mut info = Reader::whole(der, SEQUENCE)?;
    let _version = info.unsigned()?;
    let mut algorithm = Reader(info.next(SEQUENCE)?);
    (algorithm.next(OBJECT_IDENTIFIER)? == RSA_ENCRYPTION).then_some(())?;
    pkcs1(info.next(OCTET_STRING)?)
}

/// The key in an `RSAPrivateKey` (RFC 8017, A.1.2); none if it has more than two primes, or is
/// damaged.
pub(super) fn pkcs1(der: &[u8]) -> Option<StoredKey> {
    let mut key = Reader::whole(der, SEQUENCE)?;
    // Another version has more primes.
    (key.unsigned()? == [0]).then_some(())?;
    let public = key.0;
    let modulus = key.number()?;
    let public_exponent = key.number()?;
    let public = public.get(..public.len() - key.0.len())?.to_vec();
    let private_exponent = key.number()?;
    let primes = vec![key.number()?, key.number()?];
    // What follows from these is there to save time; it is not relied on.
    for _ in ["exponent1", "exponent2", "coefficient"] {
        key.unsigned()?;
    }
    if !key.0.is_empty() {
        return None;
    }
    let key =
        RsaPrivateKey::from_components(modulus, public_exponent, private_exponent, primes).ok()?;
    Some(StoredKey { key, public })
}

/// Reads one element after the other.
struct Reader<'d>(&'d [u8]);

impl<'d> Reader<'d> {
    /// What is in the one element that these bytes are.
    fn whole(der: &'d [u8], tag: u8) -> Option<Self> {
        let mut reader = Self(der);
        let content = reader.next(tag)?;
        reader.0.is_empty().then_some(Self(content))
    }

    /// The content of the next element, which must have this tag.
    fn next(&mut self, tag: u8) -> Option<&'d [u8]> {
        let (found, rest) = self.0.split_first()?;
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (*found == tag).then_some(content)
    }

    /// The bytes of the next integer, which must not be negative. Zeros before it, but for the
    /// one that keeps it from being negative, are not DER.
    fn unsigned(&mut self) -> Option<&'d [u8]> {
        match self.next(INTEGER)? {
            [] | [0x80..=0xFF, ..] | [0, 0..=0x7F, ..] => None,
            [0, rest @ ..] if !rest.is_empty() => Some(rest),
            bytes => Some(bytes),
        }
    }

    fn number(&mut self) -> Option<BigUint> {
        self.unsigned().map(BigUint::from_bytes_be)
    }
}

/// The length at the beginning, and what follows it. There is one way only to write each.
fn length(der: &[u8]) -> Option<(usize, &[u8])> {
    match der {
        [short @ 0..=0x7F, rest @ ..] => Some((usize::from(*short), rest)),
        [0x81, length @ 0x80..=0xFF, rest @ ..] => Some((usize::from(*length), rest)),
        [0x82, high @ 1..=0xFF, low, rest @ ..] => {
            Some((usize::from(u16::from_be_bytes([*high, *low])), rest))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rsa::traits::PublicKeyParts as _;

    use super::*;

    fn der(pem: &str) -> Vec<u8> {
        let key = pem.split("PRIVATE KEY-----").nth(1).unwrap();
        let text = key.split("-----END").next().unwrap();
        STANDARD
            .decode(text.split_whitespace().collect::<String>())
            .unwrap()
    }

    #[test]
    fn both_forms_hold_the_same_key() {
        let modern = pkcs8(&der(include_str!("testdata/from-pkcs12.pem"))).unwrap();
        let older = pkcs1(&der(include_str!("testdata/pkcs1.pem"))).unwrap();
        assert_eq!(modern.key.n().bits(), 2_048);
        assert_eq!(modern.key, older.key);
        assert_eq!(modern.public, older.public);
    }

    #[test]
    fn a_damaged_key_is_none() {
        let whole = der(include_str!("testdata/pkcs1.pem"));
        for end in 0..whole.len() {
            assert!(pkcs1(&whole[..end]).is_none(), "{end} bytes");
        }
        assert!(pkcs1(&[&whole[..], &[0]].concat()).is_none());
        // The version, the sign and the value of the modulus, and a value of a prime.
        for place in [6, 11, 200, 700] {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x81;
            assert!(pkcs1(&damaged).is_none(), "byte {place}");
        }
    }

    #[test]
    fn there_is_one_way_to_write_a_length_or_a_number() {
        for (der, expected) in [
            (&[2, 1, 0][..], Some(&[0][..])),
            (&[2, 1, 0x7F], Some(&[0x7F])),
            (&[2, 2, 0, 0x80], Some(&[0x80])),
            (&[2, 2, 0, 0x7F], None),
            (&[2, 1, 0x80], None),
            (&[2, 0], None),
            (&[2, 0x81, 1, 7], None),
            (&[2, 0x82, 0, 1, 7], None),
            (&[2, 0x80, 7, 0, 0], None),
            (&[2, 2, 7], None),
            (&[4, 1, 7], None),
        ] {
            assert_eq!(Reader(der).unsigned(), expected, "{der:?}");
        }
        let long = [&[2, 0x81, 0x80][..], &[7; 0x80]].concat();
        assert_eq!(Reader(&long).unsigned(), Some(&[7; 0x80][..]));
    }
}
