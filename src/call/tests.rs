use std::cell::{Cell, RefCell};

use super::*;
use crate::host::{Method, Target};
use crate::simulation::{Reply, Simulation};

const POLICY: RetryPolicy = RetryPolicy {
    max_wait: Duration::from_mins(1),
    request_timeout: Duration::from_secs(10),
};

/// A call whose credentials are numbers and whose result is the status.
#[derive(Default)]
struct Numbered {
    credentials: Cell<u32>,
    rejected: RefCell<Vec<u32>>,
    limiter: Option<Rc<RateLimiter>>,
}

impl Call for Numbered {
    type Credential = u32;
    type Output = u16;
    type Error = Error;

    async fn credential(&self, _: &mut Budget) -> Result<u32, Error> {
        self.credentials.set(self.credentials.get() + 1);
        Ok(self.credentials.get())
    }

    async fn renew(&self, rejected: &u32, _: &mut Budget) -> Result<(), Error> {
        self.rejected.borrow_mut().push(*rejected);
        Ok(())
    }

    fn rate_limiter(&self) -> Option<&Rc<RateLimiter>> {
        self.limiter.as_ref()
    }

    fn request(&self, credential: &u32) -> Request {
        Request {
            method: Method::Get,
            target: Target {
                secure: true,
                authority: "service.example".to_owned(),
                path_and_query: format!("/{credential}"),
            },
            headers: Vec::new(),
            body: None,
            idle_timeout: POLICY.request_timeout,
            max_body: 1_000,
        }
    }

    fn classify(&self, outcome: Result<Response, HttpError>, _: &u32) -> Verdict<u16, Error> {
        let response = outcome.unwrap();
        Verdict {
            result: Ok(response.status),
            retry: match response.status {
                401 => Retry::WithNewCredential,
                429 | 503 => Retry::WithinBudget,
                500 => Retry::Limited,
                _ => Retry::Never,
            },
            retry_after: response
                .header("retry-after")
                .and_then(|value| retry_after(value, Duration::ZERO)),
            load: match response.status {
                429 => Load::Throttled,
                200 => Load::Accepted { recommended: None },
                _ => Load::Unknown,
            },
        }
    }

    fn failure(&self) -> String {
        "cannot count".to_owned()
    }
}

/// The result of a call, and how many attempts it took.
fn run<const N: usize>(
    replies: [u16; N],
    call: &Numbered,
    budget: &mut Budget,
) -> (Result<u16, Error>, usize) {
    let replies = RefCell::new(replies.into_iter());
    let last = Cell::new(0);
    let host = Simulation::new(move |_| {
        last.set(replies.borrow_mut().next().unwrap_or(last.get()));
        Reply::status(last.get())
    });
    let result = host.block_on(send(&*host, budget, call));
    (result, host.requests().len())
}

#[test]
fn a_rejected_credential_is_replaced_once() {
    let call = Numbered::default();
    let (result, attempts) = run([401, 200], &call, &mut Budget::new(POLICY));
    assert_eq!((result.unwrap(), attempts), (200, 2));
    let (result, attempts) = run([503, 401, 500, 401], &call, &mut Budget::new(POLICY));
    assert_eq!((result.unwrap(), attempts), (401, 4));
    assert_eq!(*call.rejected.borrow(), [1, 4]);
}

#[test]
fn calls_that_share_a_budget_share_its_retries_until_one_restores_it() {
    let call = Numbered::default();
    let mut budget = Budget::new(POLICY);
    let mut attempts = || run([500], &call, &mut budget).1;
    assert_eq!([attempts(), attempts()], [4, 1]);
    budget.restore();
    assert_eq!(run([500], &call, &mut budget).1, 4);
}

#[test]
fn a_pause_that_the_budget_does_not_allow_is_an_error() {
    let limiter = Rc::new(RateLimiter::new(8));
    limiter.on_throttled(Duration::ZERO, Some(Duration::from_secs(61)));
    let call = Numbered {
        limiter: Some(limiter),
        ..Numbered::default()
    };
    let (result, attempts) = run([200], &call, &mut Budget::new(POLICY));
    let error = result.unwrap_err();
    assert_eq!((error.kind, attempts), (ErrorKind::Throttled, 0));
    assert_eq!(error.retry_after, Some(Duration::from_secs(61)));
    assert!(
        error
            .message
            .starts_with("cannot count yet: the service allows no requests for 61 seconds"),
        "{error}"
    );
}

#[test]
fn the_rate_limiter_is_updated_by_each_response() {
    let limiter = Rc::new(RateLimiter::new(8));
    let call = Numbered {
        limiter: Some(Rc::clone(&limiter)),
        ..Numbered::default()
    };
    let (result, attempts) = run([429, 200], &call, &mut Budget::new(POLICY));
    assert_eq!((result.unwrap(), attempts), (200, 2));
    assert_eq!(limiter.limit(), 2);
    assert_eq!(limiter.room(Duration::from_mins(1)), 2);
}
