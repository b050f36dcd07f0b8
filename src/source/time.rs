//! Points in time as the service writes them (reference §4.4, §4.10).

use crate::calendar::{civil, days};

/// A point in time as a literal of a query: `2024-02-29T12:00:00Z`.
pub(super) fn literal(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Seconds since 1970 of an RFC 3339 time such as `2024-02-29T12:00:00.5+01:00`; a fraction is
/// cut off.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't'])?;
    let (time, offset) = if let Some(time) = time.strip_suffix(['Z', 'z']) {
        (time, 0)
    } else {
        let (time, offset) = time.split_at_checked(time.rfind(['+', '-'])?)?;
        let seconds = offset_seconds(offset.get(1..)?)?;
        let is_behind = offset.starts_with('-');
        (time, if is_behind { -seconds } else { seconds })
    };
    let time = match time.split_once('.') {
        Some((time, fraction)) => {
            let is_number = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
            is_number.then_some(time)?
        }
        None => time,
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    in_range.then_some(seconds - offset)
}

fn offset_seconds(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let [hours, minutes, _] = numbers(&format!("{hours}:{minutes}:00"), ':', [2, 2, 2])?;
    (hours < 24 && minutes < 60).then_some(hours * 3_600 + minutes * 60)
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2023-04-07T21:59:01Z", 1_680_904_741),
            ("1899-12-31T00:00:00Z", -2_209_075_200),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
            assert_eq!(literal(seconds), text);
        }
        for (text, seconds) in [
            ("2023-04-07T21:59:01.987Z", 1_680_904_741),
            ("2023-04-07t23:29:01+01:30", 1_680_904_741),
            ("2023-04-07T16:59:01.5-05:00", 1_680_904_741),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
        for wrong in [
            "2023-04-07",
            "2023-13-07T21:59:01Z",
            "2023-04-07T21:59:01",
            "2023-04-07T21:59:01+1:00",
            "2023-04-07T21:59:01+01:00:00",
            "2023-04-07T21:59:01.Z",
            "2023-04-07T21:59:01.5 or 1Z",
            "+023-04-07T21:59:01Z",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
