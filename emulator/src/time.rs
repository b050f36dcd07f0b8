//! Dates and times as Dataverse writes them: whole seconds, always UTC.

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// A calendar date with a time of day, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// The year, such as 2024.
    pub year: i64,
    /// The month, 1 to 12.
    pub month: i64,
    /// The day of the month, 1 to 31.
    pub day: i64,
    /// The hour, 0 to 23.
    pub hour: i64,
    /// The minute, 0 to 59.
    pub minute: i64,
    /// The second, 0 to 59.
    pub second: i64,
}

impl Civil {
    /// The civil form of a number of seconds since 1970.
    pub fn from_unix(seconds: i64) -> Self {
        let days = seconds.div_euclid(DAY);
        let rest = seconds.rem_euclid(DAY);
        let (year, month, day) = civil_from_days(days);
        Self {
            year,
            month,
            day,
            hour: rest / 3_600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }

    /// Seconds since 1970.
    pub fn to_unix(self) -> i64 {
        days_from_civil(self.year, self.month, self.day) * DAY
            + self.hour * 3_600
            + self.minute * 60
            + self.second
    }

    /// Midnight of the same day.
    #[must_use]
    pub fn midnight(self) -> Self {
        Self {
            hour: 0,
            minute: 0,
            second: 0,
            ..self
        }
    }

    /// The same time of day some months away, on the last day of that month if it is shorter.
    #[must_use]
    pub fn plus_months(self, months: i64) -> Self {
        let index = self.year * 12 + self.month - 1 + months;
        let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
        Self {
            year,
            month,
            day: self.day.min(days_in_month(year, month)),
            ..self
        }
    }

    /// The day of the week, 0 for Sunday.
    pub fn weekday(self) -> i64 {
        (days_from_civil(self.year, self.month, self.day) + 4).rem_euclid(7)
    }
}

/// Appends `2023-04-07T21:59:01Z`.
pub fn push_date_time(out: &mut Vec<u8>, seconds: i64) {
    let civil = Civil::from_unix(seconds);
    push_calendar_date(out, civil);
    out.push(b'T');
    push_two(out, civil.hour);
    out.push(b':');
    push_two(out, civil.minute);
    out.push(b':');
    push_two(out, civil.second);
    out.push(b'Z');
}

/// Appends `2023-04-07`.
pub fn push_date(out: &mut Vec<u8>, seconds: i64) {
    push_calendar_date(out, Civil::from_unix(seconds));
}

/// `2023-04-07`.
pub fn date(seconds: i64) -> String {
    let mut text = date_time(seconds);
    text.truncate("2023-04-07".len());
    text
}

/// `2023-04-07T21:59:01Z`.
pub fn date_time(seconds: i64) -> String {
    let mut out = Vec::with_capacity(20);
    push_date_time(&mut out, seconds);
    String::from_utf8(out).unwrap_or_default()
}

/// `2023-04-07 21:59:01Z`, as Entra writes times.
pub fn entra_time(seconds: i64) -> String {
    date_time(seconds).replace('T', " ")
}

/// `04/07/2023 21:59:01`, the form inside a delta token (reference §6.2).
pub fn delta_time(seconds: i64) -> String {
    let c = Civil::from_unix(seconds);
    format!(
        "{:02}/{:02}/{:04} {:02}:{:02}:{:02}",
        c.month, c.day, c.year, c.hour, c.minute, c.second
    )
}

/// Reads the form inside a delta token.
pub fn parse_delta_time(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(' ')?;
    let mut date = date.splitn(3, '/');
    let (month, day, year) = (date.next()?, date.next()?, date.next()?);
    parse_date_time(&format!("{year}-{month}-{day}T{time}Z"))
}

/// `4/7/2023` or `4/7/2023 9:59 PM`, as formatted values show it to a US English user.
pub fn display(seconds: i64, with_time: bool) -> String {
    let c = Civil::from_unix(seconds);
    let date = format!("{}/{}/{}", c.month, c.day, c.year);
    if !with_time {
        return date;
    }
    let hour = if c.hour % 12 == 0 { 12 } else { c.hour % 12 };
    let half = if c.hour < 12 { "AM" } else { "PM" };
    format!("{date} {hour}:{:02} {half}", c.minute)
}

/// Reads `yyyy-MM-dd`.
pub fn parse_date(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2)?;
    let day = digits(parts.next()?, 2)?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    Some(days_from_civil(year, month, day) * DAY)
}

/// Reads `yyyy-MM-ddTHH:mm[:ss[.fff]](Z|±hh:mm)`; fractions of a second are dropped, as
/// Dataverse stores whole seconds.
pub fn parse_date_time(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't'])?;
    let midnight = parse_date(date)?;
    let zone_start = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at_checked(zone_start)?;
    let mut parts = time.splitn(3, ':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let second = match parts.next() {
        None => 0,
        Some(second) => match second.split_once('.') {
            None => digits(second, 2)?,
            Some((whole, fraction)) => {
                digits(fraction, fraction.len())?;
                digits(whole, 2)?
            }
        },
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(midnight + hour * 3_600 + minute * 60 + second - zone_offset(zone)?)
}

fn zone_offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    Some(sign * (digits(hours, 2)? * 3_600 + digits(minutes, 2)? * 60))
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let valid = count > 0 && text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if valid { text.parse().ok() } else { None }
}

fn push_calendar_date(out: &mut Vec<u8>, civil: Civil) {
    push_two(out, civil.year / 100);
    push_two(out, civil.year % 100);
    out.push(b'-');
    push_two(out, civil.month);
    out.push(b'-');
    push_two(out, civil.day);
}

fn push_two(out: &mut Vec<u8>, number: i64) {
    let number = u8::try_from(number).unwrap_or(0);
    out.push(b'0' + number / 10 % 10);
    out.push(b'0' + number % 10);
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a date in the proleptic Gregorian calendar. The year is taken to begin in
/// March, so that the leap day is its last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
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
        ] {
            assert_eq!(parse_date_time(&date_time(seconds)), Some(seconds));
            assert_eq!(parse_delta_time(&delta_time(seconds)), Some(seconds));
        }
        assert_eq!(date_time(1_680_904_741), "2023-04-07T21:59:01Z");
        assert_eq!(display(1_680_904_741, true), "4/7/2023 9:59 PM");
    }

    #[test]
    fn impossible_dates_are_refused() {
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
    }

    #[test]
    fn zones_and_fractions_are_understood() {
        let expected = parse_date_time("2023-01-01T08:30:15Z");
        assert_eq!(parse_date_time("2023-01-01T10:30:15.999+02:00"), expected);
        assert_eq!(parse_date_time("2023-01-01T03:30:15-05:00"), expected);
    }

    #[test]
    fn months_end_where_they_end() {
        let march = Civil::from_unix(parse_date("2024-03-31").unwrap());
        assert_eq!(march.plus_months(-1).day, 29);
        assert_eq!(march.weekday(), 0);
    }
}
