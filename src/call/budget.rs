//! How often an attempt is retried, how long to pause before it, and when to give up.
//!
//! Each call decides which failures are retried. This module only computes the pauses, from random
//! numbers and time.

use std::time::Duration;

use crate::host::Random;
use crate::settings::Settings;

/// The limit of the first random pause. Each failure doubles the limit.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How often an attempt is retried that is likely to fail again.
const LIMITED_RETRIES: u32 = 3;
/// The longest random pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long one call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    /// What it may spend on failed attempts and on the pauses between them.
    pub(crate) max_wait: Duration,
    /// How long an attempt may receive nothing.
    pub(crate) request_timeout: Duration,
}

impl RetryPolicy {
    /// What the settings of a connection allow.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            max_wait: settings.retry.max_wait,
            request_timeout: settings.limits.request_timeout,
        }
    }
}

/// Whether an attempt is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// No: the result is final.
    Never,
    /// Only with another credential, and only once.
    WithNewCredential,
    /// Up to three times: the failure may be temporary, but is likely to be permanent.
    Limited,
    /// Until the budget is spent: the failure is temporary.
    WithinBudget,
}

/// What a call may still spend on failed attempts and on the pauses between them.
///
/// The response to a request that was sent ahead of need may arrive minutes before it is read. So
/// each failed attempt is charged with at most one request timeout.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    policy: RetryPolicy,
    left: Duration,
    failures: u32,
    /// Failures of the kind that is retried only a few times.
    limited_failures: u32,
}

impl Budget {
    /// All that the policy allows.
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            left: policy.max_wait,
            failures: 0,
            limited_failures: 0,
        }
    }

    /// Restores the full budget, after a part of the call has succeeded.
    pub(crate) fn restore(&mut self) {
        *self = Self::new(self.policy);
    }

    /// The budget of a part of the call, such as signing in: what is left, with retries of its
    /// own. What the part has spent is charged to the call by [`charge`](Self::charge).
    pub(crate) fn part(&self) -> Self {
        Self::new(self.left())
    }

    /// The policy of the call, for as long as it may still wait.
    pub(crate) fn left(&self) -> RetryPolicy {
        RetryPolicy {
            max_wait: self.left,
            ..self.policy
        }
    }

    /// How much has been spent.
    pub(crate) fn spent(&self) -> Duration {
        self.policy.max_wait.saturating_sub(self.left)
    }

    /// Charges an attempt that failed after `took`, and returns how long to pause before the next
    /// one: exactly as long as the service requested, else a random time below a limit that doubles
    /// with each failure ("full jitter"). `None` when there is no other attempt.
    pub(crate) fn pause_after(
        &mut self,
        took: Duration,
        retry: Retry,
        retry_after: Option<Duration>,
        random: &impl Random,
    ) -> Option<Duration> {
        let failures = self.failures;
        match retry {
            Retry::Never | Retry::WithNewCredential => return None,
            Retry::Limited if self.limited_failures == LIMITED_RETRIES => return None,
            Retry::Limited => self.limited_failures += 1,
            Retry::WithinBudget => {}
        }
        self.charge(took.min(self.policy.request_timeout));
        self.failures = failures.saturating_add(1);
        // Some services send zero when they do not know how long.
        let requested = retry_after.filter(|pause| !pause.is_zero());
        let pause = requested.unwrap_or_else(|| jittered(failures, random));
        // A budget that is spent allows no other attempt, not even without a pause.
        (!self.left.is_zero() && self.spend(pause)).then_some(pause)
    }

    /// Charges a pause if the budget allows it. Returns whether it did.
    pub(crate) fn spend(&mut self, pause: Duration) -> bool {
        let fits = pause <= self.left;
        if fits {
            self.charge(pause);
        }
        fits
    }

    /// Charges what was spent elsewhere.
    pub(crate) fn charge(&mut self, spent: Duration) {
        self.left = self.left.saturating_sub(spent);
    }
}

/// A random time of up to half a second, doubled with each failure before, up to half a
/// minute.
fn jittered(failures: u32, random: &impl Random) -> Duration {
    let limit = FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(failures))
        .min(LONGEST_PAUSE);
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    limit.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
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
        Budget::new(RetryPolicy {
            max_wait: secs(max_wait),
            request_timeout: secs(120),
        })
    }

    #[test]
    fn retry_after_is_obeyed_exactly() {
        let mut budget = budget(300);
        let mut pause = |took, requested| {
            budget.pause_after(
                secs(took),
                Retry::WithinBudget,
                Some(secs(requested)),
                &Always(0),
            )
        };
        assert_eq!(pause(1, 17), Some(secs(17)));
        // 300 - 1 - 17 are left; one more second of failing leaves 281.
        assert_eq!(pause(1, 282), None);
        assert_eq!(pause(0, 281), Some(secs(281)));
        assert_eq!(pause(0, 0), None);
    }

    #[test]
    fn random_pauses_double_up_to_half_a_minute() {
        let mut budget = budget(1_000);
        let longest: Vec<u128> = (0..8)
            .map(|_| budget.pause_after(secs(0), Retry::WithinBudget, None, &Always(255)))
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
    fn a_retry_after_of_zero_seconds_counts_as_absent() {
        let mut budget = budget(60);
        let mut pause =
            || budget.pause_after(secs(0), Retry::WithinBudget, Some(secs(0)), &Always(255));
        let pauses: Vec<Duration> = std::iter::from_fn(&mut pause).take(99).collect();
        // Half a second, one, two, four, eight, sixteen: together half of a minute.
        assert_eq!((pauses[0].as_millis(), pauses.len()), (500, 6));
    }

    #[test]
    fn time_beyond_the_request_timeout_is_not_charged() {
        let mut budget = budget(300);
        let mut pause = |took, requested| {
            budget.pause_after(
                secs(took),
                Retry::WithinBudget,
                Some(secs(requested)),
                &Always(0),
            )
        };
        assert!(pause(3_600, 180).is_some());
        assert!(pause(1, 0).is_none());
    }

    #[test]
    fn the_retry_class_limits_the_number_of_retries() {
        let retries = |retry| {
            let mut budget = budget(10);
            (0..9)
                .filter(|_| {
                    budget
                        .pause_after(secs(0), retry, None, &Always(0))
                        .is_some()
                })
                .count()
        };
        assert_eq!(retries(Retry::Never), 0);
        assert_eq!(retries(Retry::Limited), 3);
        assert_eq!(retries(Retry::WithinBudget), 9);
    }
}
