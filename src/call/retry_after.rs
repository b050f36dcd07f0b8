//! Reading `Retry-After`.

use std::time::{Duration, UNIX_EPOCH};

/// The longest time; a longer one is shortened to it.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Reads `Retry-After`: whole seconds, seconds with a fraction, or an HTTP date (reference 9.1). An
/// unreadable value counts as absent.
pub(crate) fn retry_after(value: &str, unix_now: Duration) -> Option<Duration> {
    let value = value.trim();
    let after = match seconds(value) {
        Some(after) => after,
        None => http_date(value)?.saturating_sub(unix_now),
    };
    Some(after.min(LONGEST))
}

/// Seconds in decimal digits, perhaps with a fraction.
fn seconds(value: &str) -> Option<Duration> {
    const NANO_DIGITS: usize = 9;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let nanos = format!("{fraction:0<NANO_DIGITS$}");
    Some(Duration::new(
        // A number that does not fit is longer than any call waits.
        whole.parse().unwrap_or(u64::MAX),
        nanos.get(..NANO_DIGITS)?.parse().ok()?,
    ))
}

/// The time of an HTTP date since 1970-01-01T00:00:00Z.
fn http_date(value: &str) -> Option<Duration> {
    let date = httpdate::parse_http_date(value).ok()?;
    date.duration_since(UNIX_EPOCH).ok()
}

/// A time in whole seconds, rounded up.
pub(crate) fn seconds_up(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn retry_after_is_read_in_each_form() {
        let now = secs(1_700_000_000);
        for (value, expected) in [
            ("17", Some(17_000)),
            (" 0 ", Some(0)),
            ("2.5", Some(2_500)),
            ("2.5000000009", Some(2_500)),
            ("2.", None),
            (".5", None),
            ("Tue, 14 Nov 2023 22:13:30 GMT", Some(10_000)),
            ("Tue, 14 Nov 2023 22:13:10 GMT", Some(0)),
            ("-1", None),
            ("NaN", None),
            ("inf", None),
            ("soon", None),
            ("", None),
        ] {
            let millis = expected.map(Duration::from_millis);
            assert_eq!(retry_after(value, now), millis, "{value}");
        }
        for forever in ["1000000000000000", "99999999999999999999999"] {
            assert_eq!(retry_after(forever, now), Some(LONGEST));
        }
        assert_eq!(
            [secs(2), Duration::from_millis(2_001)].map(seconds_up),
            [2, 3]
        );
    }
}
