//! A host for tests: a virtual clock, a scripted network, secrets in memory, seeded random numbers.
//!
//! Tests do not wait in real time: when every future sleeps, the clock jumps to the next timer. A
//! future that nothing will wake makes a test fail instead of hang.

mod clock;
mod network;
mod service;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

pub(crate) use network::{RandomFaults, Reply, address, header};
pub(crate) use service::{
    API_ROOT, SECRET_NAME, SECRET_VALUE, SETTINGS, batch, signed_in, signed_in_with_batches,
};

use crate::dataverse::Client;
use crate::host::{Random, Request, Secret, SecretError, Secrets};
use crate::settings::Settings;
use clock::VirtualClock;

/// The reply to each request.
type Service = Box<dyn FnMut(&Request) -> Reply>;

/// A client of the environment that the settings name, in the simulated host.
pub(crate) fn client(host: &Rc<Simulation>, settings: &str) -> Client<Simulation> {
    let settings = Settings::parse(settings).expect("the settings of a test are valid");
    Client::new(Rc::clone(host), settings)
}

/// The simulated host.
pub(crate) struct Simulation {
    clock: VirtualClock,
    secrets: RefCell<BTreeMap<String, Result<Secret, SecretError>>>,
    rejected_puts: RefCell<Option<SecretError>>,
    random: Cell<u64>,
    service: RefCell<Service>,
    random_faults: RefCell<Option<RandomFaults>>,
    requests: RefCell<Vec<Request>>,
    in_flight: Cell<usize>,
    most_at_once: Cell<usize>,
}

impl Simulation {
    /// A host whose network is one function from a request to its reply.
    pub(crate) fn new(service: impl FnMut(&Request) -> Reply + 'static) -> Rc<Self> {
        Rc::new(Self {
            clock: VirtualClock::default(),
            secrets: RefCell::default(),
            rejected_puts: RefCell::default(),
            random: Cell::new(0x9E37_79B9_7F4A_7C15),
            service: RefCell::new(Box::new(service)),
            random_faults: RefCell::default(),
            requests: RefCell::default(),
            in_flight: Cell::new(0),
            most_at_once: Cell::new(0),
        })
    }

    /// The reply to a request.
    pub(crate) fn respond(&self, request: &Request) -> Reply {
        (self.service.borrow_mut())(request)
    }

    /// Puts a secret into the store.
    pub(crate) fn set_secret(&self, name: &str, value: Result<&str, SecretError>) {
        self.secrets
            .borrow_mut()
            .insert(name.to_owned(), value.map(Secret::new));
    }

    /// Makes the store reject new values from now on, or accept them again.
    pub(crate) fn reject_puts(&self, error: Option<SecretError>) {
        *self.rejected_puts.borrow_mut() = error;
    }

    /// Makes the network fail at random from now on.
    pub(crate) fn set_random_faults(&self, random_faults: Option<RandomFaults>) {
        *self.random_faults.borrow_mut() = random_faults;
    }

    /// Advances the time, as when the host works on a page.
    pub(crate) fn advance(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Virtual time since the simulation began.
    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.borrow().clone()
    }

    /// How many requests so far went to an address that contains `part`.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.requests
            .borrow()
            .iter()
            .filter(|request| address(request).contains(part))
            .count()
    }

    /// The most requests that were in flight at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.most_at_once.get()
    }

    /// Runs a future to its end; when it sleeps, the clock jumps.
    ///
    /// # Panics
    /// When nothing will ever wake the future.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let alarm = Arc::new(Alarm(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&alarm));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            if alarm.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    return output;
                }
            } else {
                assert!(self.clock.jump(), "nothing will ever wake this future");
            }
        }
    }
}

struct Alarm(AtomicBool);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Secrets for Simulation {
    fn get(&self, name: &str) -> Result<Secret, SecretError> {
        self.secrets
            .borrow()
            .get(name)
            .cloned()
            .unwrap_or(Err(SecretError::NotFound))
    }

    fn put(&self, name: &str, value: &Secret) -> Result<(), SecretError> {
        if let Some(error) = &*self.rejected_puts.borrow() {
            return Err(error.clone());
        }
        self.secrets
            .borrow_mut()
            .insert(name.to_owned(), Ok(value.clone()));
        Ok(())
    }
}

impl Random for Simulation {
    fn fill(&self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = xorshift(&self.random).to_le_bytes()[3];
        }
    }
}

/// Marsaglia's generator: enough for tests, and the same everywhere.
fn xorshift(state: &Cell<u64>) -> u64 {
    let mut x = state.get();
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    state.set(x);
    x
}
