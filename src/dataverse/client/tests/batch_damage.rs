//! Batches whose response is unusual, damaged or late: a failure is never read as a success, and
//! `commit` says what may have been changed.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::super::*;
use super::batch::{KEY, change_set, created, fault, multipart, run, single};
use super::{client, secs};
use crate::dataverse::{Failure, Item, Outcome, Prefer, Request};
use crate::error::{Commit, ErrorKind};
use crate::host::{HttpError, Method};
use crate::simulation::{Reply, Simulation, signed_in_with_batches};

/// Batches whose replies come one after the other.
fn replying(replies: impl IntoIterator<Item = Reply>) -> Rc<Simulation> {
    let replies = RefCell::new(replies.into_iter().collect::<VecDeque<_>>());
    signed_in_with_batches(move |_| replies.borrow_mut().pop_front().expect("one more reply"))
}

/// Sends a batch of creates, each with a key of its own, so that repeating it is safe.
fn creates(host: &Rc<Simulation>, count: usize) -> Result<Vec<Outcome>, Error> {
    let client = client(host);
    let link = client.resource("accounts").unwrap();
    let items: Vec<Item<'_>> = (0..count)
        .map(|_| {
            let request = Request::new(Method::Post, &link).with_json("{}");
            Item::One(request.idempotent())
        })
        .collect();
    host.block_on(client.send_batch(&items))
}

fn failure(outcome: &mut Outcome) -> &Failure {
    outcome.failure_mut().expect("a failure")
}

#[test]
fn each_missing_part_leaves_its_request_uncertain() {
    let (outcomes, host) = {
        let host = replying([multipart(200, &[&single(204, "", "")])]);
        (creates(&host, 4), host)
    };
    assert_eq!(host.count("$batch"), 1);
    for outcome in &mut outcomes.unwrap()[1..] {
        let error = &failure(outcome).error;
        assert_eq!(error.commit, Commit::Unknown);
        assert!(error.message.contains("has no part for it"), "{error}");
    }
}

#[test]
fn a_batch_ends_early_only_at_its_first_failure() {
    let done = single(204, "", "");
    let rejected = fault(400, "0x80044331");
    for (parts, commit) in [
        ([&*done, &*rejected], Commit::NotStarted),
        // A service that goes on after a failure does not stop at another one.
        ([&*rejected, &*rejected], Commit::Unknown),
        ([&*rejected, &*done], Commit::Unknown),
    ] {
        let mut outcomes = creates(&replying([multipart(200, &parts)]), 4).unwrap();
        assert_eq!(failure(&mut outcomes[2]).error.commit, commit);
        assert_eq!(failure(&mut outcomes[3]).error.commit, commit);
    }
}

#[test]
fn a_response_that_cannot_be_read_leaves_the_batch_uncertain_whatever_its_status() {
    let parts = [single(204, "", ""), fault(400, "0x80044331")];
    let parts = [&*parts[0], &*parts[1]];
    for status in [200, 202, 207, 400, 404, 412] {
        for reply in [
            multipart(status, &parts).cut(),
            multipart(status, &parts).gzipped().cut(),
            // More parts than requests.
            multipart(status, &[parts[0], parts[0], parts[1]]),
            // A change set where none was sent.
            multipart(status, &[&change_set(&[(1, created(KEY))]), parts[1]]),
        ] {
            let host = replying([reply.clone()]);
            let client = client(&host);
            let link = client.resource("accounts").unwrap();
            let post = || Item::One(Request::new(Method::Post, &link).with_json("{}"));
            let error = host
                .block_on(client.send_batch(&[post(), post()]))
                .unwrap_err();
            assert_eq!(error.commit, Commit::Unknown, "{reply:?}: {error}");
            assert_eq!(error.kind, ErrorKind::Unavailable, "{reply:?}: {error}");
            assert_eq!(host.count("$batch"), 1, "{reply:?}");
        }
    }
}

#[test]
fn a_batch_that_was_rejected_as_a_whole_may_have_been_carried_out_in_part() {
    let rejected = |status, code| Reply::fault(status, code, "Stream was not readable.");
    for (reply, commit) in [
        (rejected(400, "0x80048d19"), Commit::Unknown),
        (rejected(412, "0x80040237"), Commit::Unknown),
        (Reply::status(500), Commit::Unknown),
        (rejected(403, "0x80072560"), Commit::NotStarted),
        (rejected(404, "0x8006088a"), Commit::NotStarted),
        (rejected(413, "0x8004418A"), Commit::NotStarted),
        (Reply::failure(HttpError::Connect), Commit::NotStarted),
        (
            rejected(429, "0x80072322").with("Retry-After", "301"),
            Commit::NotStarted,
        ),
    ] {
        let error = creates(&replying(vec![reply.clone(); 9]), 2).unwrap_err();
        assert_eq!(error.commit, commit, "{reply:?}: {error}");
    }
}

#[test]
fn a_failure_after_a_lost_response_may_be_the_work_of_the_lost_attempt() {
    let exists = fault(412, "0x80040237");
    let read = single(200, "", "{}");
    for lost in [
        Reply::failure(HttpError::Lost),
        Reply::failure(HttpError::Timeout),
        Reply::status(502),
        multipart(200, &[&exists, &exists]).cut(),
    ] {
        let host = replying([lost, multipart(200, &[&exists, &read, &exists])]);
        let client = client(&host);
        let link = client.resource("accounts").unwrap();
        let items = [
            Item::One(
                Request::new(Method::Post, &link)
                    .with_json("{}")
                    .idempotent(),
            ),
            Item::One(Request::get(&link, &Prefer::default())),
            Item::One(Request::get(&link, &Prefer::default())),
        ];
        let mut outcomes = host.block_on(client.send_batch(&items)).unwrap();
        let error = &failure(&mut outcomes[0]).error;
        assert_eq!(error.kind, ErrorKind::Conflict);
        assert_eq!(error.commit, Commit::Unknown);
        assert!(outcomes[1].failure_mut().is_none());
        assert_eq!(failure(&mut outcomes[2]).error.commit, Commit::NotStarted);
    }
}

#[test]
fn a_rejected_token_or_a_throttled_batch_changes_nothing_and_is_sent_again() {
    let created = created(KEY);
    let host = replying([
        Reply::status(429).with("Retry-After", "290"),
        Reply::status(401),
        multipart(200, &[&created]),
    ]);
    assert!(creates(&host, 1).is_ok());
    assert_eq!(host.count("/oauth2/v2.0/token"), 2);
    assert!(host.now() >= secs(290));
    // The token of one part.
    let host = replying([multipart(200, &[&single(401, "", "")])]);
    let mut outcomes = creates(&host, 1).unwrap();
    let failure = failure(&mut outcomes[0]);
    assert!(failure.is_temporary());
    assert_eq!(failure.error.commit, Commit::NotStarted);
}

#[test]
fn a_change_set_with_ambiguous_content_ids_is_uncertain() {
    let done = || single(204, "", "");
    for set in [
        // One number twice, and a response that is missing.
        change_set(&[(2, created(KEY)), (2, done())]),
        change_set(&[(3, done())]),
        "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n".to_owned(),
        // One response for two requests.
        done(),
    ] {
        let parts = [done(), set.clone(), single(200, "", "{}")];
        let (outcomes, _) = run(move || multipart(200, &[&parts[0], &parts[1], &parts[2]]));
        let mut outcomes = outcomes.unwrap();
        let error = &failure(&mut outcomes[1]).error;
        assert_eq!(error.commit, Commit::Unknown, "{set}");
        assert!(outcomes[2].failure_mut().is_none(), "{set}");
    }
    // Without numbers, the order decides.
    let set = change_set(&[(2, created(KEY)), (3, done())]);
    let set = set.replace("Content-ID", "X-Other");
    let parts = [done(), set, single(200, "", "{}")];
    let (outcomes, _) = run(move || multipart(200, &[&parts[0], &parts[1], &parts[2]]));
    let Outcome::ChangeSet(Ok(responses)) = &outcomes.unwrap()[1] else {
        panic!("a failed change set")
    };
    assert_eq!(responses[0].row_key().unwrap().to_string(), KEY);
}

#[test]
fn a_batch_that_dataverse_never_accepts_is_not_sent() {
    let host = replying([]);
    assert!(creates(&host, 0).unwrap().is_empty());
    let error = creates(&host, 1_001).unwrap_err();
    assert!(
        error
            .message
            .starts_with("cannot send a batch: it has 1001 requests, and Dataverse accepts 1000"),
        "{error}"
    );
    let client = client(&host);
    let link = client.resource("accounts").unwrap();
    let write = || Request::new(Method::Post, &link).with_json("{}");
    let read = || Request::get(&link, &Prefer::default());
    for set in [vec![], vec![write(), read()]] {
        let items = [Item::One(write()), Item::ChangeSet(set)];
        let error = host.block_on(client.send_batch(&items)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert!(error.message.contains("a change set is empty"), "{error}");
    }
    assert!(host.requests().is_empty());
}

#[test]
fn a_failed_part_does_not_repeat_the_token() {
    let body = "{\"error\":{\"code\":\"0x80040265\",\"message\":\"Bearer MARKER-token-1 is bad\"}}";
    let part = single(400, "REQ_ID: MARKER-token-1\r\n", body);
    let mut outcomes = creates(&replying([multipart(200, &[&part])]), 1).unwrap();
    let error = &failure(&mut outcomes[0]).error;
    assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
}
