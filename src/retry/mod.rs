//! Patience: how long to pause before an attempt is repeated, and when to give up.
//!
//! What is worth repeating is decided by those who know the service; here are only the
//! pauses, as pure functions of chance and time.

mod http_date;

use std::time::Duration;

use crate::host::Random;

/// The first pause is drawn from up to this much; each later one from up to twice as much.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// No drawn pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A service that asks for more than this is taken at its word only up to here.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);

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
}

/// The pause that would be needed is longer than the call may still wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted {
    /// The pause, when the service itself asked for it.
    pub(crate) asked: Option<Duration>,
}

impl Budget {
    /// A budget of `total`, of which one failed attempt takes at most `attempt_limit`.
    pub(crate) fn new(total: Duration, attempt_limit: Duration) -> Self {
        Self { left: total, attempt_limit, failures: 0 }
    }

    /// How many attempts have failed.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Charges an attempt that failed after `took`, and tells how long to pause before the
    /// next one: exactly as long as the service asked for, else a random time of up to
    /// twice the longest of the pause before ("full jitter").
    pub(crate) fn pause_after(
        &mut self,
        took: Duration,
        asked: Option<Duration>,
        random: &impl Random,
    ) -> Result<Duration, Exhausted> {
        self.charge(took.min(self.attempt_limit));
        let pause = asked.unwrap_or_else(|| jittered(self.failures, random));
        self.failures = self.failures.saturating_add(1);
        // A budget that is used up allows no further attempt, not even without a pause.
        if pause > self.left || self.left.is_zero() {
            return Err(Exhausted { asked });
        }
        self.charge(pause);
        Ok(pause)
    }

    /// Whether a pause that others have caused still fits; it is charged if so.
    pub(crate) fn can_wait(&mut self, pause: Duration) -> bool {
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
    let after = match value.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => http_date::parse(value)?.saturating_sub(unix_now),
    };
    Some(after.min(LONGEST_RETRY_AFTER))
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

    #[test]
    fn what_the_service_asks_for_is_obeyed_exactly() {
        let mut budget = Budget::new(secs(300), secs(120));
        let pause = budget.pause_after(secs(1), Some(secs(17)), &Always(0)).unwrap();
        assert_eq!(pause, secs(17));
        // 300 - 1 - 17 are left; one more second of failing leaves 281.
        assert_eq!(
            budget.pause_after(secs(1), Some(secs(282)), &Always(0)),
            Err(Exhausted { asked: Some(secs(282)) })
        );
        assert_eq!(budget.pause_after(secs(0), Some(secs(281)), &Always(0)), Ok(secs(281)));
        assert_eq!(
            budget.pause_after(secs(0), Some(secs(0)), &Always(0)),
            Err(Exhausted { asked: Some(secs(0)) })
        );
    }

    #[test]
    fn drawn_pauses_double_up_to_half_a_minute() {
        let mut budget = Budget::new(secs(1_000), secs(120));
        let longest: Vec<u64> = (0..8)
            .map(|_| budget.pause_after(secs(0), None, &Always(255)).unwrap())
            .map(|pause| u64::try_from(pause.as_millis()).unwrap())
            .collect();
        assert_eq!(longest, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!(jittered(3, &Always(0)), Duration::ZERO);
        assert_eq!(jittered(u32::MAX, &Always(255)), LONGEST_PAUSE);
    }

    #[test]
    fn an_answer_that_lay_waiting_is_not_charged_for_it() {
        let mut budget = Budget::new(secs(300), secs(120));
        assert!(budget.pause_after(secs(3_600), Some(secs(180)), &Always(0)).is_ok());
        assert!(budget.pause_after(secs(1), Some(secs(0)), &Always(0)).is_err());
    }

    #[test]
    fn retry_after_is_read_in_each_form() {
        let now = secs(1_700_000_000);
        for (value, expected) in [
            ("17", Some(17_000)),
            (" 0 ", Some(0)),
            ("2.5", Some(2_500)),
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
        assert_eq!(retry_after("1e15", now), Some(LONGEST_RETRY_AFTER));
    }
}
