//! The refresh token is not lost, whenever the connector is killed.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use serde_json::json;

use super::*;
use crate::host::{Clock, Http, Random, Request, Response, Secret, Secrets};

const SETTINGS: &str = r#"{
    "environment": "https://contoso.crm.dynamics.com",
    "tenant": "t.example",
    "auth": {
        "type": "delegated",
        "clientId": "00001111-aaaa-2222-bbbb-3333cccc4444",
        "refreshToken": "jo"
    }
}"#;

/// A directory in which a refresh token stays usable until one that came after it is used.
#[derive(Default)]
struct Directory {
    usable: RefCell<BTreeSet<u32>>,
    issued: Cell<u32>,
}

impl Directory {
    fn issue(&self) -> String {
        self.issued.set(self.issued.get() + 1);
        self.usable.borrow_mut().insert(self.issued.get());
        format!("MARKER-{}", self.issued.get())
    }

    fn redeem(&self, request: &Request) -> Reply {
        let form = url::form_urlencoded::parse(request.body.as_ref().unwrap());
        let parameter = |name: &str| form.clone().find(|(key, _)| key == name).unwrap().1;
        assert_eq!(parameter("grant_type"), "refresh_token");
        assert_eq!(
            parameter("scope"),
            "https://contoso.crm.dynamics.com/user_impersonation offline_access"
        );
        let token = parameter("refresh_token");
        let number: u32 = token.strip_prefix("MARKER-").unwrap().parse().unwrap();
        if !self.usable.borrow().contains(&number) {
            return rejection("invalid_grant", 70_000);
        }
        self.usable.borrow_mut().retain(|other| *other >= number);
        Reply::json(&json!({
            "token_type": "Bearer",
            "expires_in": 3599,
            "access_token": format!("MARKER-access-{number}"),
            "refresh_token": self.issue(),
        }))
    }
}

fn directory() -> (Rc<Directory>, Rc<Simulation>) {
    let directory = Rc::new(Directory::default());
    let host = Simulation::new({
        let directory = Rc::clone(&directory);
        move |request| directory.redeem(request)
    });
    host.set_secret("jo", Ok(&directory.issue()));
    (directory, host)
}

fn sign_in_with<H: Host>(host: Rc<H>, clock: &Simulation) -> Result<Rc<Token>, Error> {
    let settings = Settings::parse(SETTINGS).unwrap();
    let authenticator = Authenticator::new(host, &settings, Url::parse(API_ROOT).unwrap());
    clock.block_on(authenticator.token(&mut Budget::new(POLICY)))
}

/// A host that is killed after this many steps.
struct KillableHost {
    host: Rc<Simulation>,
    steps_left: Cell<u32>,
}

struct Killed;

impl KillableHost {
    fn step(&self) {
        match self.steps_left.get().checked_sub(1) {
            Some(left) => self.steps_left.set(left),
            None => resume_unwind(Box::new(Killed)),
        }
    }
}

impl Http for KillableHost {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        self.step();
        let response = self.host.send(request).await;
        self.step();
        response
    }
}

impl Secrets for KillableHost {
    fn get(&self, name: &str) -> Result<Secret, SecretError> {
        self.step();
        self.host.get(name)
    }

    fn put(&self, name: &str, value: &Secret) -> Result<(), SecretError> {
        self.step();
        self.host.put(name, value)?;
        self.step();
        Ok(())
    }
}

impl Clock for KillableHost {
    fn unix_time(&self) -> Duration {
        self.host.unix_time()
    }

    fn elapsed(&self) -> Duration {
        self.host.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        self.host.sleep(duration).await;
    }
}

impl Random for KillableHost {
    fn fill(&self, buffer: &mut [u8]) {
        self.host.fill(buffer);
    }
}

#[test]
fn a_hundred_rotations_survive_a_kill_between_any_two_steps() {
    let (directory, host) = directory();
    let mut completed_with = BTreeSet::new();
    for rotation in 0..100 {
        // Up to two instances are killed before a third one runs to its end.
        for instance in 0..2 {
            let steps = (rotation + 3 * instance) % 6;
            let killable = Rc::new(KillableHost {
                host: Rc::clone(&host),
                steps_left: Cell::new(steps),
            });
            match catch_unwind(AssertUnwindSafe(|| sign_in_with(killable, &host))) {
                Ok(outcome) => {
                    outcome.unwrap();
                    completed_with.insert(steps);
                }
                Err(panic) => assert!(panic.is::<Killed>()),
            }
        }
        let before = host.get("jo").unwrap();
        sign_in_with(Rc::clone(&host), &host).unwrap();
        assert_ne!(host.get("jo").unwrap().reveal(), before.reveal());
    }
    // The steps are: read the secret, send, receive, store, stored. A kill at any of them was
    // survived.
    assert_eq!(completed_with.into_iter().collect::<Vec<_>>(), [5]);
    assert!(directory.issued.get() > 200);
}

#[test]
fn the_new_token_is_stored_before_the_old_one_is_dropped() {
    for (rejection, kind) in [
        (SecretError::Denied, ErrorKind::Forbidden),
        (
            SecretError::Unavailable("full".into()),
            ErrorKind::Unavailable,
        ),
    ] {
        let (_, host) = directory();
        let settings = Settings::parse(SETTINGS).unwrap();
        let authenticator =
            Authenticator::new(Rc::clone(&host), &settings, Url::parse(API_ROOT).unwrap());
        let sign_in = || host.block_on(authenticator.token(&mut Budget::new(POLICY)));
        host.reject_puts(Some(rejection));
        let error = sign_in().unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(
            error
                .message
                .contains("cannot store the new refresh token in the secret \"jo\""),
            "{error}"
        );
        assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
        assert_eq!(host.get("jo").unwrap().reveal(), "MARKER-1");
        // It is stored as soon as the store accepts it, before another request is sent.
        let requests = host.requests().len();
        sign_in().unwrap_err();
        assert_eq!(host.requests().len(), requests);
        host.reject_puts(None);
        sign_in().unwrap();
        assert_eq!(host.get("jo").unwrap().reveal(), "MARKER-3");
    }
}

#[test]
fn a_token_that_another_instance_has_renewed_is_read_again() {
    let directory = Rc::new(Directory::default());
    let store: Rc<RefCell<Option<Rc<Simulation>>>> = Rc::default();
    let host = Simulation::new({
        let (directory, store) = (Rc::clone(&directory), Rc::clone(&store));
        move |request| {
            // While the first request is in flight, another instance renews the token.
            if let Some(host) = store.borrow_mut().take() {
                directory.usable.borrow_mut().clear();
                host.set_secret("jo", Ok(&directory.issue()));
            }
            directory.redeem(request)
        }
    });
    host.set_secret("jo", Ok(&directory.issue()));
    *store.borrow_mut() = Some(Rc::clone(&host));
    sign_in_with(Rc::clone(&host), &host).unwrap();
    assert_eq!(host.requests().len(), 2);
    assert_eq!(host.get("jo").unwrap().reveal(), "MARKER-3");
}

#[test]
fn a_permanently_rejected_token_is_an_error_and_stays_stored() {
    let (directory, host) = directory();
    directory.usable.borrow_mut().clear();
    let error = sign_in_with(Rc::clone(&host), &host).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert!(error.message.contains("sign in again"), "{error}");
    assert_eq!(host.get("jo").unwrap().reveal(), "MARKER-1");
    assert_eq!(host.requests().len(), 1);
    host.set_secret("jo", Err(SecretError::NotFound));
    let error = sign_in_with(Rc::clone(&host), &host).unwrap_err();
    assert!(
        error.message.contains("holds no refresh token; sign in"),
        "{error}"
    );
}
