//! Bodies compressed by gzip (RFC 1952).
//!
//! `miniz_oxide` inflates straight into a buffer of the size that the trailer states, so that a
//! page is never copied. `flate2`'s decoders inflate into a window of 32 KiB and copy every byte
//! out of it, and do not accept the zeros that some servers put after the last member. So this
//! module reads the framing itself.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use thiserror::Error;

/// The size of the first buffer if the body does not state a plausible size.
const FIRST_ROOM: usize = 64 * 1024;

/// Why a body cannot be decoded.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum InflateError {
    /// It is cut off or damaged.
    #[error("the compressed response is incomplete or damaged")]
    Damaged,
    /// It has an encoding that was not requested.
    #[error("the response has an encoding that was not requested")]
    UnknownEncoding,
    /// It is larger than the limit.
    #[error("the response is larger than {0} bytes")]
    TooLarge(usize),
}

/// Inflates a body of one or several gzip members, up to `limit` bytes.
pub(super) fn gunzip(body: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
    let mut output = vec![0; size_hint(body).clamp(1, limit)];
    let mut length = 0;
    let mut rest = body;
    loop {
        rest = member(rest, &mut output, &mut length, limit)?;
        // Some servers pad the last member with zeros.
        if rest.iter().all(|byte| *byte == 0) {
            output.truncate(length);
            return Ok(output);
        }
    }
}

/// The last four bytes state the size, if there is one member. They are trusted only up to the
/// greatest ratio of deflate.
fn size_hint(body: &[u8]) -> usize {
    let stated = body
        .last_chunk()
        .map_or(0, |bytes| u32::from_le_bytes(*bytes));
    match usize::try_from(stated) {
        Ok(stated) if stated <= body.len().saturating_mul(1032) => stated,
        _ => FIRST_ROOM,
    }
}

/// Inflates one member to the end of `output`, and returns the bytes after it.
fn member<'a>(
    body: &'a [u8],
    output: &mut Vec<u8>,
    length: &mut usize,
    limit: usize,
) -> Result<&'a [u8], InflateError> {
    let mut rest = header(body).ok_or(InflateError::Damaged)?;
    let start = *length;
    let mut state = Box::<DecompressorOxide>::default();
    loop {
        let (status, read, written) = decompress(
            &mut state,
            rest,
            output,
            *length,
            TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
        );
        rest = rest.get(read..).ok_or(InflateError::Damaged)?;
        *length += written;
        match status {
            TINFLStatus::Done => break,
            TINFLStatus::HasMoreOutput if output.len() >= limit => {
                return Err(InflateError::TooLarge(limit));
            }
            TINFLStatus::HasMoreOutput => {
                let room = output
                    .len()
                    .saturating_mul(2)
                    .clamp(FIRST_ROOM.min(limit), limit);
                output.resize(room, 0);
            }
            _ => return Err(InflateError::Damaged),
        }
    }
    let (trailer, rest) = rest.split_first_chunk::<8>().ok_or(InflateError::Damaged)?;
    let [c0, c1, c2, c3, s0, s1, s2, s3] = *trailer;
    let text = output.get(start..*length).ok_or(InflateError::Damaged)?;
    // The trailer holds the size modulo 2^32; the limit is far below that.
    let sound = u32::try_from(text.len()) == Ok(u32::from_le_bytes([s0, s1, s2, s3]))
        && crc32fast::hash(text) == u32::from_le_bytes([c0, c1, c2, c3]);
    if sound {
        Ok(rest)
    } else {
        Err(InflateError::Damaged)
    }
}

/// Reads a member's header, and returns the bytes after it.
fn header(body: &[u8]) -> Option<&[u8]> {
    const HEADER_CHECKSUM: u8 = 0x02;
    const EXTRA: u8 = 0x04;
    const NAME: u8 = 0x08;
    const COMMENT: u8 = 0x10;
    const RESERVED: u8 = 0xE0;

    let ([0x1F, 0x8B, 8, flags, ..], mut rest) = body.split_first_chunk::<10>()? else {
        return None;
    };
    if flags & RESERVED != 0 {
        return None;
    }
    if flags & EXTRA != 0 {
        let (size, after) = rest.split_first_chunk()?;
        rest = after.get(usize::from(u16::from_le_bytes(*size))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if flags & HEADER_CHECKSUM != 0 {
        rest = rest.get(2..)?;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec;
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 1 << 20;

    /// A member with every optional part of the header that `flags` names.
    fn gzip(text: &[u8], flags: u8) -> Vec<u8> {
        let mut body = vec![0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 0, 255];
        if flags & 4 != 0 {
            body.extend([3, 0, 7, 7, 7]);
        }
        if flags & 8 != 0 {
            body.extend(b"name\0");
        }
        if flags & 16 != 0 {
            body.extend(b"comment\0");
        }
        if flags & 2 != 0 {
            body.extend([9, 9]);
        }
        body.extend(compress_to_vec(text, 6));
        body.extend(crc32fast::hash(text).to_le_bytes());
        body.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
        body
    }

    proptest! {
        #[test]
        fn compressed_text_is_restored(
            members in proptest::collection::vec((".{0,300}", 0_u8..32), 1..4),
            repeat in 1_usize..400,
            padding in 0_usize..5,
        ) {
            let text: String = members.iter().map(|(text, _)| text.repeat(repeat)).collect();
            let mut body: Vec<u8> = members
                .iter()
                .flat_map(|(text, flags)| gzip(text.repeat(repeat).as_bytes(), *flags))
                .collect();
            body.extend(vec![0; padding]);
            prop_assert_eq!(gunzip(&body, LIMIT).unwrap(), text.as_bytes());
        }

        #[test]
        fn an_incomplete_or_damaged_body_is_rejected(
            text in ".{1,300}", cut in 0_usize..1000, place in 0_usize..1000, bit in 0_u8..8,
        ) {
            let body = gzip(text.as_bytes(), 0);
            let cut = cut % body.len();
            prop_assert!(gunzip(&body[..cut], LIMIT).is_err());
            let mut damaged = body;
            // Bytes 4 to 9 are time and system, which are not checked.
            let place = 10 + place % (damaged.len() - 10);
            damaged[place] ^= 1 << bit;
            if let Ok(read) = gunzip(&damaged, LIMIT) {
                prop_assert_eq!(read, text.as_bytes());
            }
        }

        #[test]
        fn no_bytes_cause_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = gunzip(&bytes, LIMIT);
            let mut body = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0];
            body.extend(bytes);
            let _ = gunzip(&body, LIMIT);
        }
    }

    #[test]
    fn the_stated_size_is_the_capacity() {
        let text = vec![b'x'; 300_000];
        assert_eq!(
            gunzip(&gzip(&text, 0), LIMIT).unwrap().capacity(),
            text.len()
        );
    }

    #[test]
    fn inflating_stops_at_the_limit() {
        let zeros = vec![0; LIMIT + 1];
        assert_eq!(
            gunzip(&gzip(&zeros, 0), LIMIT),
            Err(InflateError::TooLarge(LIMIT))
        );
        assert_eq!(gunzip(&gzip(&zeros[1..], 0), LIMIT).unwrap().len(), LIMIT);
    }
}
