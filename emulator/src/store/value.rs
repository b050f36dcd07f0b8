//! The exact values that cells hold.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// The value of one cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A boolean column's value.
    Bool(bool),
    /// The value of an integer, big integer, choice, state or status column.
    Int(i64),
    /// The value of a decimal or money column.
    Decimal(Decimal),
    /// The value of a floating-point column.
    Double(f64),
    /// The value of a text, memo, table-name or multi-select column (`"1,9"`).
    Text(String),
    /// The value of a key column.
    Guid(Uuid),
    /// The value of a date-time column, or midnight of a date, in seconds since 1970 (UTC).
    DateTime(i64),
    /// A reference to a row of another table.
    Lookup {
        /// Logical name of the row's table.
        table: String,
        /// Primary key of the row.
        id: Uuid,
    },
}

impl Value {
    /// A reference to a row.
    pub fn lookup(table: &str, id: Uuid) -> Self {
        Self::Lookup {
            table: table.to_owned(),
            id,
        }
    }

    /// The referred row's key or the GUID itself, if the value is either.
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Guid(id) | Self::Lookup { id, .. } => Some(*id),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// An exact decimal number: `units / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    units: i128,
    scale: u8,
}

impl Decimal {
    /// The number `units / 10^scale`.
    pub fn new(units: i64, scale: u8) -> Self {
        Self {
            units: i128::from(units),
            scale,
        }
    }

    /// The number of units at another scale, rounded half away from zero; `None` if it does not
    /// fit 64 bits.
    pub fn units_at(self, scale: u8) -> Option<i64> {
        let units = if scale >= self.scale {
            self.units.checked_mul(power_of_ten(scale - self.scale)?)?
        } else {
            divide_rounding(self.units, power_of_ten(self.scale - scale)?)
        };
        i64::try_from(units).ok()
    }

    /// The quotient at `scale` digits, rounded half away from zero; `None` for a zero divisor or
    /// an overflow.
    pub fn divided_by(self, divisor: Self, scale: u8) -> Option<Self> {
        if divisor.units == 0 {
            return None;
        }
        let shift = i32::from(scale) + i32::from(divisor.scale) - i32::from(self.scale);
        let power = power_of_ten(u8::try_from(shift.abs()).ok()?)?;
        let (dividend, divisor) = if shift >= 0 {
            (self.units.checked_mul(power)?, divisor.units)
        } else {
            (self.units, divisor.units.checked_mul(power)?)
        };
        Some(Self {
            units: divide_rounding(dividend, divisor),
            scale,
        })
    }
}

fn power_of_ten(exponent: u8) -> Option<i128> {
    10_i128.checked_pow(u32::from(exponent))
}

fn divide_rounding(dividend: i128, divisor: i128) -> i128 {
    let quotient = dividend / divisor;
    let remainder = dividend % divisor;
    if remainder.unsigned_abs() * 2 >= divisor.unsigned_abs() {
        quotient + dividend.signum() * divisor.signum()
    } else {
        quotient
    }
}

/// The text is not a decimal number of at most 38 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number")]
pub struct NotADecimal;

impl FromStr for Decimal {
    type Err = NotADecimal;

    /// Reads a JSON number (an exponent is allowed) without passing through binary fractions.
    fn from_str(text: &str) -> Result<Self, NotADecimal> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                (mantissa, exponent.parse::<i32>().map_err(|_| NotADecimal)?)
            }
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits_only(whole) || !digits_only(fraction) {
            return Err(NotADecimal);
        }
        let digits = format!("{whole}{fraction}");
        let mut units: i128 = digits.parse().map_err(|_| NotADecimal)?;
        let mut scale = i32::try_from(fraction.len()).map_err(|_| NotADecimal)? - exponent;
        if scale < 0 {
            let power = u8::try_from(-scale)
                .ok()
                .and_then(power_of_ten)
                .ok_or(NotADecimal)?;
            units = units.checked_mul(power).ok_or(NotADecimal)?;
            scale = 0;
        }
        if negative {
            units = -units;
        }
        Ok(Self {
            units,
            scale: u8::try_from(scale).map_err(|_| NotADecimal)?,
        })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0width$}", self.units.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.units < 0 { "-" } else { "" };
        let point = if scale == 0 { "" } else { "." };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn money_keeps_every_digit() {
        let largest = decimal("922337203685477.5807");
        assert_eq!(largest.units_at(4), Some(i64::MAX));
        assert_eq!(
            Decimal::new(i64::MAX, 4).to_string(),
            "922337203685477.5807"
        );
        assert_eq!(decimal("922337203685477.58075").units_at(4), None);
    }

    #[test]
    fn scales_are_rounded_half_away_from_zero() {
        assert_eq!(decimal("2.345").units_at(2), Some(235));
        assert_eq!(decimal("-2.345").units_at(2), Some(-235));
        assert_eq!(decimal("1.5e3").units_at(0), Some(1500));
        assert_eq!(decimal("-0.05").to_string(), "-0.05");
    }

    #[test]
    fn base_amounts_are_divided_exactly() {
        let base = decimal("100.00")
            .divided_by(decimal("0.920000000000"), 4)
            .unwrap();
        assert_eq!(base.to_string(), "108.6957");
        assert_eq!(decimal("1").divided_by(decimal("0"), 4), None);
    }

    #[test]
    fn invalid_numbers_are_rejected() {
        for text in ["", ".5", "1.2.3", "abc", "1e", "--1", "+1"] {
            assert_eq!(text.parse::<Decimal>(), Err(NotADecimal), "{text}");
        }
    }
}
