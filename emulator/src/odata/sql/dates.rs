//! The stretches of time that query functions name (reference §4.4). Relative dates are those of
//! a user in UTC; the fiscal year is the calendar year, in quarters.

use jiff::civil::Date;

use super::arguments::Arguments;
use crate::{
    time::{DAY, date_of, midnight, plus_months},
    wire::ODataError,
};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// A stretch of time, from the first second up to but not including the last; open where `None`.
pub(super) type Span = (Option<i64>, Option<i64>);

/// The stretch of time a date function stands for; `None` if the function is about something
/// else.
pub(super) fn span(
    name: &str,
    arguments: &Arguments,
    now: i64,
) -> Result<Option<Span>, ODataError> {
    let day = date_of(now);
    let today = midnight(day);
    let sunday = today - i64::from(day.weekday().to_sunday_zero_offset()) * DAY;
    let month = day.first_of_month();
    let year = day.first_of_year();
    let quarter = plus_months(month, -i64::from((day.month() - 1) % 3));
    let between = |from: i64, to: i64| Some((Some(from), Some(to)));
    let months = |from: Date, first: i64, count: i64| {
        between(
            midnight(plus_months(from, first)),
            midnight(plus_months(from, first + count)),
        )
    };
    let found = match name {
        "Today" => between(today, today + DAY),
        "Yesterday" => between(today - DAY, today),
        "Tomorrow" => between(today + DAY, today + 2 * DAY),
        "Last7Days" => between(today - 7 * DAY, now + 1),
        "Next7Days" => between(now, today + 8 * DAY),
        "LastWeek" => between(sunday - 7 * DAY, sunday),
        "ThisWeek" => between(sunday, sunday + 7 * DAY),
        "NextWeek" => between(sunday + 7 * DAY, sunday + 14 * DAY),
        "LastMonth" => months(month, -1, 1),
        "ThisMonth" => months(month, 0, 1),
        "NextMonth" => months(month, 1, 1),
        "LastYear" | "LastFiscalYear" => months(year, -12, 12),
        "ThisYear" | "ThisFiscalYear" => months(year, 0, 12),
        "NextYear" | "NextFiscalYear" => months(year, 12, 12),
        "LastFiscalPeriod" => months(quarter, -3, 3),
        "ThisFiscalPeriod" => months(quarter, 0, 3),
        "NextFiscalPeriod" => months(quarter, 3, 3),
        "On" => {
            let day = arguments.day()?;
            between(day, day + DAY)
        }
        "OnOrAfter" => Some((Some(arguments.day()?), None)),
        "OnOrBefore" => Some((None, Some(arguments.day()? + DAY))),
        "InFiscalYear" => months(first_of_year(arguments.number("PropertyValue")?), 0, 12),
        "InFiscalPeriodAndYear"
        | "InOrAfterFiscalPeriodAndYear"
        | "InOrBeforeFiscalPeriodAndYear" => {
            let period = arguments.number("PropertyValue1")?;
            if !(1..=4).contains(&period) {
                return Err(arguments.unfit());
            }
            let year = first_of_year(arguments.number("PropertyValue2")?);
            let (from, to) = months(year, (period - 1) * 3, 3).unwrap_or_default();
            match name {
                "InFiscalPeriodAndYear" => Some((from, to)),
                "InOrAfterFiscalPeriodAndYear" => Some((from, None)),
                _ => Some((None, to)),
            }
        }
        _ => return relative(name, arguments, now, day, year, quarter),
    };
    Ok(found)
}

/// `LastX…`, `NextX…` and `OlderThanX…`.
fn relative(
    name: &str,
    arguments: &Arguments,
    now: i64,
    day: Date,
    year: Date,
    quarter: Date,
) -> Result<Option<Span>, ODataError> {
    let today = midnight(day);
    let Some((past, unit)) = name
        .strip_prefix("LastX")
        .map(|unit| (true, unit))
        .or_else(|| name.strip_prefix("NextX").map(|unit| (false, unit)))
    else {
        return older(name, arguments, now, day);
    };
    let count = arguments.count()?;
    let ago = match unit {
        "Hours" => (
            now - now.rem_euclid(HOUR) - count * HOUR,
            now + count * HOUR,
        ),
        "Days" => (today - count * DAY, today + (count + 1) * DAY),
        "Weeks" => (today - 7 * count * DAY, today + (7 * count + 1) * DAY),
        "Months" | "Years" => {
            let months = if unit == "Months" { count } else { 12 * count };
            let later = midnight(plus_months(day, months)) + DAY;
            (midnight(plus_months(day, -months)), later)
        }
        "FiscalYears" => {
            return Ok(Some(fiscal(past, year, 12, count)));
        }
        "FiscalPeriods" => {
            return Ok(Some(fiscal(past, quarter, 3, count)));
        }
        _ => return Ok(None),
    };
    Ok(Some(closed(if past {
        (ago.0, now + 1)
    } else {
        (now, ago.1)
    })))
}

fn older(
    name: &str,
    arguments: &Arguments,
    now: i64,
    day: Date,
) -> Result<Option<Span>, ODataError> {
    let Some(unit) = name.strip_prefix("OlderThanX") else {
        return Ok(None);
    };
    let today = midnight(day);
    let count = arguments.count()?;
    let before = match unit {
        "Minutes" => now - count * MINUTE,
        "Hours" => now - count * HOUR,
        "Days" => today - count * DAY,
        "Weeks" => today - 7 * count * DAY,
        "Months" => midnight(plus_months(day, -count)),
        "Years" => midnight(plus_months(day, -12 * count)),
        _ => return Ok(None),
    };
    Ok(Some((None, Some(before))))
}

/// Some fiscal years or periods of so many months before or after the one that begins at `start`.
fn fiscal(past: bool, start: Date, months: i64, count: i64) -> Span {
    let begins = |periods: i64| midnight(plus_months(start, periods * months));
    closed(if past {
        (begins(-count), begins(0))
    } else {
        (begins(1), begins(count + 1))
    })
}

/// The first day of a year; of the nearest year that dates have.
fn first_of_year(year: i64) -> Date {
    let nearest = if year < 0 { Date::MIN } else { Date::MAX };
    let year = i16::try_from(year).ok();
    year.and_then(|year| Date::new(year, 1, 1).ok())
        .unwrap_or(nearest)
}

fn closed((from, to): (i64, i64)) -> Span {
    (Some(from), Some(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        odata::Literal,
        time::{date_time, parse_date_time},
    };

    /// 2024-02-29 is a Thursday.
    fn span_of(name: &str, value: Option<&str>) -> (String, String) {
        let arguments = Arguments {
            function: name.to_owned(),
            property: vec!["createdon".to_owned()],
            values: value
                .map(|value| {
                    (
                        "PropertyValue".to_owned(),
                        Literal::Number(value.to_owned()),
                    )
                })
                .into_iter()
                .collect(),
        };
        let now = parse_date_time("2024-02-29T10:30:00Z").unwrap();
        let (from, to) = span(name, &arguments, now).unwrap().unwrap();
        let show = |at: Option<i64>| at.map(date_time).unwrap_or_default();
        (show(from), show(to))
    }

    #[test]
    fn relative_dates_begin_and_end_at_midnight() {
        let expect = |name, value, from: &str, to: &str| {
            assert_eq!(
                span_of(name, value),
                (from.to_owned(), to.to_owned()),
                "{name}"
            );
        };
        expect(
            "Today",
            None,
            "2024-02-29T00:00:00Z",
            "2024-03-01T00:00:00Z",
        );
        expect(
            "LastWeek",
            None,
            "2024-02-18T00:00:00Z",
            "2024-02-25T00:00:00Z",
        );
        expect(
            "LastMonth",
            None,
            "2024-01-01T00:00:00Z",
            "2024-02-01T00:00:00Z",
        );
        expect(
            "LastXDays",
            Some("7"),
            "2024-02-22T00:00:00Z",
            "2024-02-29T10:30:01Z",
        );
        expect(
            "LastXYears",
            Some("1"),
            "2023-02-28T00:00:00Z",
            "2024-02-29T10:30:01Z",
        );
        expect(
            "NextXHours",
            Some("2"),
            "2024-02-29T10:30:00Z",
            "2024-02-29T12:30:00Z",
        );
        expect("OlderThanXMonths", Some("1"), "", "2024-01-29T00:00:00Z");
        expect(
            "ThisFiscalPeriod",
            None,
            "2024-01-01T00:00:00Z",
            "2024-04-01T00:00:00Z",
        );
        expect(
            "LastXFiscalYears",
            Some("2"),
            "2022-01-01T00:00:00Z",
            "2024-01-01T00:00:00Z",
        );
    }
}
