//! One call of a service: attempts until one succeeds, fails permanently, or the budget is spent.
//!
//! Every request of the connector goes through [`send`], whether it reads, writes or signs in. What
//! differs between them is a [`Call`]: which credential an attempt carries, what is sent, and what
//! the response means. This module contains only the order of the steps, the pauses, and the limit
//! of the time spent.

mod budget;
mod rate_limiter;
mod retry_after;
mod unreachable;

use std::rc::Rc;
use std::time::Duration;

pub(crate) use budget::{Budget, Retry, RetryPolicy};
pub(crate) use rate_limiter::RateLimiter;
pub(crate) use retry_after::{retry_after, seconds_up};
pub(crate) use unreachable::unreachable;

use crate::error::{Error, ErrorKind};
use crate::host::{Host, HttpError, Request, Response};

/// One call: how an attempt is made, and what its response means.
pub(crate) trait Call {
    /// What authenticates an attempt.
    type Credential;
    /// The result of a successful call.
    type Output;
    /// Why a call fails.
    type Error: From<Error>;

    /// The credential for the next attempt. To obtain it may take what is left of the budget.
    ///
    /// # Errors
    /// If there is none.
    async fn credential(&self, budget: &mut Budget) -> Result<Self::Credential, Self::Error>;

    /// Replaces a credential that the service rejected, within what is left of the budget.
    ///
    /// # Errors
    /// If there is no other.
    async fn renew(
        &self,
        _rejected: &Self::Credential,
        _budget: &mut Budget,
    ) -> Result<(), Self::Error> {
        // A call that makes a credential for each attempt has nothing to replace.
        Ok(())
    }

    /// The rate limiter that all calls of the service share, if it has one.
    fn rate_limiter(&self) -> Option<&Rc<RateLimiter>> {
        None
    }

    /// The request of an attempt.
    fn request(&self, credential: &Self::Credential) -> Request;

    /// What the outcome of an attempt means.
    fn classify(
        &self,
        outcome: Result<Response, HttpError>,
        credential: &Self::Credential,
    ) -> Verdict<Self::Output, Self::Error>;

    /// What fails, for messages, such as `cannot read accounts`.
    fn failure(&self) -> String;
}

/// What the outcome of an attempt means.
#[derive(Debug)]
pub(crate) struct Verdict<T, E> {
    /// The result of the call, unless there is another attempt.
    pub(crate) result: Result<T, E>,
    /// Whether another attempt may succeed.
    pub(crate) retry: Retry,
    /// How long the service requests to wait before that.
    pub(crate) retry_after: Option<Duration>,
    /// What the response says about the load of the service.
    pub(crate) load: Load,
}

impl<T, E> Verdict<T, E> {
    /// A final result.
    pub(crate) fn done(result: Result<T, E>) -> Self {
        Self {
            result,
            retry: Retry::Never,
            retry_after: None,
            load: Load::Unknown,
        }
    }
}

/// What a response says about the load of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Nothing.
    Unknown,
    /// The service did what was requested, and may recommend how many requests to send at once.
    Accepted { recommended: Option<u32> },
    /// The service rejected the request because there were too many.
    Throttled,
}

/// Makes attempts until one succeeds, fails permanently, or `budget` is spent. A rejected
/// credential is replaced once.
///
/// # Errors
/// The error of the last attempt, or of obtaining a credential; `Throttled` when the service
/// requests a longer pause than the budget allows.
pub(crate) async fn send<H: Host, C: Call>(
    host: &H,
    budget: &mut Budget,
    call: &C,
) -> Result<C::Output, C::Error> {
    let limiter = call.rate_limiter();
    let mut has_renewed = false;
    loop {
        let credential = call.credential(budget).await?;
        let pause = limiter.map_or(Duration::ZERO, |it| it.pause(host.elapsed()));
        if !pause.is_zero() {
            if !budget.spend(pause) {
                return Err(throttled(&call.failure(), pause).into());
            }
            host.sleep(pause).await;
            // The credential may have expired meanwhile.
            continue;
        }
        let sent_at = host.elapsed();
        let in_flight = limiter.map(RateLimiter::start);
        let outcome = host.send(call.request(&credential)).await;
        drop(in_flight);
        let now = host.elapsed();
        let verdict = call.classify(outcome, &credential);
        match (limiter, verdict.load) {
            (None, _) | (_, Load::Unknown) => {}
            (Some(limiter), Load::Accepted { recommended }) => limiter.on_success(recommended),
            (Some(limiter), Load::Throttled) => limiter.on_throttled(now, verdict.retry_after),
        }
        if verdict.retry == Retry::WithNewCredential && !has_renewed {
            has_renewed = true;
            call.renew(&credential, budget).await?;
            continue;
        }
        let took = now.saturating_sub(sent_at);
        match budget.pause_after(took, verdict.retry, verdict.retry_after, host) {
            Some(pause) => host.sleep(pause).await,
            None => return verdict.result,
        }
    }
}

fn throttled(failure: &str, pause: Duration) -> Error {
    Error::new(
        ErrorKind::Throttled,
        format!(
            "{failure} yet: the service allows no requests for {} seconds, longer than this call \
             may wait; try again after that time",
            seconds_up(pause)
        ),
    )
    .with_retry_after(pause)
}

#[cfg(test)]
mod tests;
