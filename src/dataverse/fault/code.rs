//! Error codes of the service (reference 7.6).

use std::fmt;

/// An error code of the service.
///
/// It is written as hexadecimal digits in either case or as a signed decimal number. `0x0` is no
/// code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataverse) struct FaultCode(pub(super) u32);

impl FaultCode {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => match text.parse::<i32>() {
                Ok(signed) => signed.cast_unsigned(),
                Err(_) => text.parse::<u32>().ok()?,
            },
        };
        (number != 0).then_some(Self(number))
    }
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08x}", self.0)
    }
}
