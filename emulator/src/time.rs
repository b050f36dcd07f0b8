//! Dates and times as Dataverse writes them: whole seconds, always UTC.

use jiff::{
    SignedDuration, Span,
    civil::{Date, DateTime, Time},
    fmt::temporal::DateTimePrinter,
};

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

// Not `jiff::Timestamp`: it ends a day before the last date that Dataverse stores.
const EPOCH: DateTime = jiff::civil::datetime(1970, 1, 1, 0, 0, 0, 0);

/// The form of a time inside a delta token (reference §6.2).
const DELTA_TIME: &str = "%m/%d/%Y %H:%M:%S";

/// The date and time of day of a number of seconds since 1970.
pub(crate) fn civil(seconds: i64) -> DateTime {
    EPOCH.saturating_add(SignedDuration::from_secs(seconds))
}

/// The date of a number of seconds since 1970.
pub(crate) fn date_of(seconds: i64) -> Date {
    civil(seconds).date()
}

/// Seconds since 1970.
pub(crate) fn unix(civil: DateTime) -> i64 {
    EPOCH.duration_until(civil).as_secs()
}

/// Seconds since 1970 at the start of a day.
pub(crate) fn midnight(date: Date) -> i64 {
    unix(date.to_datetime(Time::midnight()))
}

/// The date some months away: the last day of that month if it is shorter.
pub(crate) fn plus_months(date: Date, months: i64) -> Date {
    match Span::new().try_months(months) {
        Ok(span) => date.saturating_add(span),
        Err(_) if months < 0 => Date::MIN,
        Err(_) => Date::MAX,
    }
}

/// Appends `2023-04-07T21:59:01Z`.
pub(crate) fn push_date_time(out: &mut Vec<u8>, seconds: i64) {
    // Writing to memory does not fail.
    let _ = DateTimePrinter::new().print_datetime(&civil(seconds), &mut *out);
    out.push(b'Z');
}

/// Appends `2023-04-07`.
pub(crate) fn push_date(out: &mut Vec<u8>, seconds: i64) {
    let _ = DateTimePrinter::new().print_date(&date_of(seconds), out);
}

/// `2023-04-07`.
pub(crate) fn date(seconds: i64) -> String {
    date_of(seconds).to_string()
}

/// `2023-04-07T21:59:01Z`.
pub(crate) fn date_time(seconds: i64) -> String {
    format!("{}Z", civil(seconds))
}

/// `2023-04-07 21:59:01Z`, as Entra writes times.
pub(crate) fn entra_time(seconds: i64) -> String {
    date_time(seconds).replace('T', " ")
}

/// `04/07/2023 21:59:01`, the form inside a delta token (reference §6.2).
pub(crate) fn delta_time(seconds: i64) -> String {
    civil(seconds).strftime(DELTA_TIME).to_string()
}

/// Reads the form inside a delta token.
pub(crate) fn parse_delta_time(text: &str) -> Option<i64> {
    DateTime::strptime(DELTA_TIME, text).ok().map(unix)
}

/// `4/7/2023` or `4/7/2023 9:59 PM`, as formatted values show it to a US English user.
pub(crate) fn display(seconds: i64, with_time: bool) -> String {
    let format = if with_time {
        "%-m/%-d/%Y %-I:%M %p"
    } else {
        "%-m/%-d/%Y"
    };
    civil(seconds).strftime(format).to_string()
}

/// Reads `yyyy-MM-dd` and nothing else, as the service does.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    let date: Date = has_form(text, "0000-00-00").then(|| text.parse().ok())??;
    Some(midnight(date))
}

/// Reads `yyyy-MM-ddTHH:mm[:ss[.fff]](Z|±hh:mm)`; fractions of a second are dropped, as
/// Dataverse stores whole seconds.
pub(crate) fn parse_date_time(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't'])?;
    let (time, offset) = rest.split_at_checked(rest.find(['Z', 'z', '+', '-'])?)?;
    Some(parse_date(date)? + parse_time(time)? - parse_offset(offset)?)
}

/// Seconds since midnight.
fn parse_time(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let has_seconds = has_form(whole, "00:00:00") && !whole.ends_with(":60");
    let valid = has_seconds || (has_form(whole, "00:00") && whole == text);
    if !valid || fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let time: Time = whole.parse().ok()?;
    Some(Time::midnight().duration_until(time).as_secs())
}

/// Seconds east of UTC.
fn parse_offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    if !has_form(text, "+00:00") && !has_form(text, "-00:00") {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let seconds = number(1..3)? * 3_600 + number(4..6)? * 60;
    Some(if text.starts_with('-') {
        -seconds
    } else {
        seconds
    })
}

/// Whether the text is the form with other digits.
fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, expected)| {
            if expected == b'0' {
                byte.is_ascii_digit()
            } else {
                byte == expected
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_times_survive_the_round_trip() {
        for seconds in [
            0,
            -1,
            951_782_400,
            1_680_904_741,
            4_102_444_799,
            -2_208_988_800,
            253_402_300_799,
        ] {
            assert_eq!(parse_date_time(&date_time(seconds)), Some(seconds));
            assert_eq!(parse_delta_time(&delta_time(seconds)), Some(seconds));
        }
        assert_eq!(date_time(1_680_904_741), "2023-04-07T21:59:01Z");
        assert_eq!(display(1_680_904_741, true), "4/7/2023 9:59 PM");
    }

    #[test]
    fn dates_that_do_not_exist_are_rejected() {
        for text in [
            "2023-02-29",
            "2023-13-01",
            "2023-1-01",
            "23-01-01",
            "2023-01-32",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        assert_eq!(parse_date_time("2023-01-01T24:00:00Z"), None);
        assert_eq!(parse_date_time("2023-01-01T10:00:00"), None);
        assert_eq!(parse_date_time("2023-01-01T10:00:60Z"), None);
        assert_eq!(parse_date_time("2023-01-01T1000Z"), None);
    }

    #[test]
    fn offsets_are_applied_and_fractions_dropped() {
        let expected = parse_date_time("2023-01-01T08:30:15Z");
        assert_eq!(parse_date_time("2023-01-01T10:30:15.999+02:00"), expected);
        assert_eq!(parse_date_time("2023-01-01T03:30:15-05:00"), expected);
    }

    #[test]
    fn months_are_added_within_the_shorter_month() {
        let march = date_of(parse_date("2024-03-31").unwrap());
        assert_eq!(plus_months(march, -1).day(), 29);
        assert_eq!(plus_months(march, i64::MAX), Date::MAX);
        assert_eq!(march.weekday().to_sunday_zero_offset(), 0);
    }
}
