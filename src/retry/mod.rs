//! Patience: how long to pause before an attempt is repeated, and when to give up.
//!
//! What is worth repeating is decided by those who know the service; here are only the
//! pauses, as pure functions of chance and time.

mod http_date;

use std::time::Duration;

use crate::host::Random;
use crate::settings::Settings;

/// The first pause is drawn from up to this much; each later one from up to twice as much.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How often an attempt is repeated that is likely to fail again.
const FEW: u32 = 3;
/// No drawn pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A service that asks for more than this is taken at its word only up to here.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(7 * 24);

/// How long one call may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// What it may spend on failed attempts and on the pauses between them.
    pub(crate) max_wait: Duration,
    /// How long one attempt may stay silent.
    pub(crate) request_timeout: Duration,
}

impl Patience {
    /// What the settings of a connection allow.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            max_wait: settings.retry.max_wait,
            request_timeout: settings.limits.request_timeout,
        }
    }
}

/// How often an attempt is worth repeating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// The answer would be the same.
    Never,
    /// It may have been chance, but is likely to stay: three times.
    Few,
    /// It will pass: as long as there is patience.
    Patiently,
}

/// What one call may still spend on failed attempts and on the pauses between them.
///
/// Time in which nobody waited for the call is not counted: a request that was sent ahead may
/// lie finished for minutes before anyone looks at it. So each failed attempt is charged with
/// at most one request timeout.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    left: Duration,
    attempt_limit: Duration,
    failures: u32,
    /// Failures of the kind that is repeated only a few times.
    stubborn: u32,
}

impl Budget {
    /// All that `patience` allows.
    pub(crate) fn new(patience: Patience) -> Self {
        Self {
            left: patience.max_wait,
            attempt_limit: patience.request_timeout,
            failures: 0,
            stubborn: 0,
        }
    }

    /// Charges an attempt that failed after `took`, and tells how long to pause before the
    /// next one: exactly as long as the service asked for, else a random time below a ceiling
    /// that doubles with each failure ("full jitter"). None when there must be no next one.
    pub(crate) fn pause_after(
        &mut self,
        took: Duration,
        repeat: Repeat,
        asked: Option<Duration>,
        random: &impl Random,
    ) -> Option<Duration> {
        self.charge(took.min(self.attempt_limit));
        // "At once" is what a service says that does not know better.
        let asked = asked.filter(|asked| !asked.is_zero());
        let pause = asked.unwrap_or_else(|| jittered(self.failures, random));
        self.failures = self.failures.saturating_add(1);
        match repeat {
            Repeat::Never => return None,
            Repeat::Few if self.stubborn == FEW => return None,
            Repeat::Few => self.stubborn += 1,
            Repeat::Patiently => {}
        }
        // A budget that is used up allows no further attempt, not even without a pause.
        (!self.left.is_zero() && self.wait(pause)).then_some(pause)
    }

    /// Whether a pause still fits; it is charged if so.
    pub(crate) fn wait(&mut self, pause: Duration) -> bool {
        let fits = pause <= self.left;
        if fits {
            self.charge(pause);
        }
        fits
    }

    fn charge(&mut self, spent: Duration) {
        self.left = self.left.saturating_sub(spent);
    }
}

/// A random time of up to half a second, doubled with each failure before, up to half a
/// minute.
fn jittered(failures: u32, random: &impl Random) -> Duration {
    let ceiling = FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(failures))
        .min(LONGEST_PAUSE);
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    ceiling.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}

/// Reads `Retry-After`: whole seconds, seconds with a fraction, or an HTTP date (reference
/// 9.1). What cannot be read counts as absent.
pub(crate) fn retry_after(value: &str, unix_now: Duration) -> Option<Duration> {
    let value = value.trim();
    let after = match seconds(value) {
        Some(after) => after,
        None => http_date::parse(value)?.saturating_sub(unix_now),
    };
    Some(after.min(LONGEST_RETRY_AFTER))
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
        // What does not fit is longer than anybody waits.
        whole.parse().unwrap_or(u64::MAX),
        nanos.get(..NANO_DIGITS)?.parse().ok()?,
    ))
}

/// A time in whole seconds, rounded up.
pub(crate) fn seconds_up(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Random for Always {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    fn secs(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn budget(max_wait: u64) -> Budget {
        Budget::new(Patience {
            max_wait: secs(max_wait),
            request_timeout: secs(120),
        })
    }

    #[test]
    fn what_the_service_asks_for_is_obeyed_exactly() {
        let mut budget = budget(300);
        let mut pause = |took, asked| {
            budget.pause_after(secs(took), Repeat::Patiently, Some(secs(asked)), &Always(0))
        };
        assert_eq!(pause(1, 17), Some(secs(17)));
        // 300 - 1 - 17 are left; one more second of failing leaves 281.
        assert_eq!(pause(1, 282), None);
        assert_eq!(pause(0, 281), Some(secs(281)));
        assert_eq!(pause(0, 0), None);
    }

    #[test]
    fn drawn_pauses_double_up_to_half_a_minute() {
        let mut budget = budget(1_000);
        let longest: Vec<u128> = (0..8)
            .map(|_| budget.pause_after(secs(0), Repeat::Patiently, None, &Always(255)))
            .map(|pause| pause.unwrap().as_millis())
            .collect();
        assert_eq!(
            longest,
            [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
        );
        assert_eq!(jittered(3, &Always(0)), Duration::ZERO);
        assert_eq!(jittered(u32::MAX, &Always(255)), LONGEST_PAUSE);
    }

    #[test]
    fn a_service_that_asks_for_no_pause_is_not_asked_without_one() {
        let mut budget = budget(60);
        let mut pause =
            || budget.pause_after(secs(0), Repeat::Patiently, Some(secs(0)), &Always(255));
        let pauses: Vec<Duration> = std::iter::from_fn(&mut pause).take(99).collect();
        // Half a second, one, two, four, eight, sixteen: together half of a minute.
        assert_eq!((pauses[0].as_millis(), pauses.len()), (500, 6));
    }

    #[test]
    fn an_answer_that_lay_waiting_is_not_charged_for_it() {
        let mut budget = budget(300);
        let mut pause = |took, asked| {
            budget.pause_after(secs(took), Repeat::Patiently, Some(secs(asked)), &Always(0))
        };
        assert!(pause(3_600, 180).is_some());
        assert!(pause(1, 0).is_none());
    }

    #[test]
    fn the_kind_of_failure_tells_how_often_it_is_repeated() {
        let repeats = |repeat| {
            let mut budget = budget(10);
            (0..9)
                .filter(|_| {
                    budget
                        .pause_after(secs(0), repeat, None, &Always(0))
                        .is_some()
                })
                .count()
        };
        assert_eq!(repeats(Repeat::Never), 0);
        assert_eq!(repeats(Repeat::Few), 3);
        assert_eq!(repeats(Repeat::Patiently), 9);
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
            assert_eq!(retry_after(forever, now), Some(LONGEST_RETRY_AFTER));
        }
        assert_eq!(
            [secs(2), Duration::from_millis(2_001)].map(seconds_up),
            [2, 3]
        );
    }
}
