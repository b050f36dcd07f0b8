//! Requests that change something: what they carry, when they are repeated, and what may have
//! happened when they fail.

use super::super::*;
use super::{client, scripted};
use crate::dataverse::Request;
use crate::error::{Commit, ErrorKind};
use crate::host::{HttpError, Method};
use crate::simulation::{Reply, Simulation};

const KEY: &str = "00000000-0000-0000-0000-000000000001";

/// The outcome of a request with a body, and how many were sent.
fn send(
    replies: impl IntoIterator<Item = Reply>,
    prepare: impl for<'r> Fn(Request<'r>) -> Request<'r>,
    method: Method,
) -> (Result<crate::dataverse::Response, Error>, usize) {
    let host = scripted(replies);
    let client = client(&host);
    let link = client.resource("accounts").unwrap();
    let request = Request::new(method, &link).with_json("{\"name\":\"A\"}");
    let result = host.block_on(client.send(&prepare(request)));
    (result, host.count("/accounts"))
}

fn headers(host: &Simulation) -> Vec<(String, String)> {
    let requests = host.requests();
    let lines = &requests.last().unwrap().headers;
    lines
        .iter()
        .map(|line| (line.name.to_string(), line.value.clone()))
        .collect()
}

#[test]
fn a_request_carries_its_method_headers_and_body() {
    let host = scripted([Reply::status(204)
        .with("OData-EntityId", format!("https://x/accounts({KEY})"))
        .with("ETag", "W/\"7\"")]);
    let client = client(&host);
    let link = client.resource(&format!("accounts({KEY})")).unwrap();
    let request = Request::new(Method::Patch, &link)
        .with_header("If-Match", "W/\"6\"")
        .with_header("If-None-Match", "*")
        .with_header("CallerObjectId", KEY)
        .with_header("Accept", "application/json;odata.metadata=none")
        .with_json("{}");
    let response = host.block_on(client.send(&request)).unwrap();
    assert_eq!(response.status, 204);
    assert_eq!(response.row_key().unwrap().to_string(), KEY);
    assert_eq!(response.header("etag"), Some("W/\"7\""));
    assert!(response.body.is_empty());
    let sent = host.requests();
    assert_eq!(sent.last().unwrap().method, Method::Patch);
    assert_eq!(sent.last().unwrap().body.as_deref(), Some(&b"{}"[..]));
    let headers = headers(&host);
    for (name, values) in [
        ("If-Match", &["W/\"6\""][..]),
        ("If-None-Match", &["*"]),
        ("CallerObjectId", &[KEY]),
        ("Accept", &["application/json;odata.metadata=none"]),
        ("Content-Type", &["application/json"]),
        ("Content-Length", &["2"]),
        ("Prefer", &[]),
    ] {
        let found: Vec<&str> = headers
            .iter()
            .filter(|(header, _)| header == name)
            .map(|(_, value)| &**value)
            .collect();
        assert_eq!(found, values, "{name}");
    }
}

#[test]
fn bytes_are_sent_as_they_are() {
    let host = scripted([Reply::status(204)]);
    let client = client(&host);
    let link = client.resource("accounts(1)/entityimage").unwrap();
    let request =
        Request::new(Method::Put, &link).with_body("application/octet-stream", vec![0, 13, 10]);
    host.block_on(client.send(&request)).unwrap();
    let sent = host.requests();
    assert_eq!(sent.last().unwrap().body.as_deref(), Some(&[0, 13, 10][..]));
}

#[test]
fn a_failed_write_says_what_may_have_happened() {
    let fault = |status, code| Reply::fault(status, code, "It failed.");
    for (reply, commit) in [
        (fault(400, "0x80044331"), Commit::NotStarted),
        (fault(403, "0x80040220"), Commit::NotStarted),
        (fault(404, "0x80040217"), Commit::NotStarted),
        (fault(412, "0x80060882"), Commit::NotStarted),
        (fault(413, "0x0"), Commit::NotStarted),
        (Reply::status(302), Commit::NotStarted),
        (
            Reply::status(429).with("Retry-After", "301"),
            Commit::NotStarted,
        ),
        (
            fault(503, "0x80072326").with("Retry-After", "301"),
            Commit::NotStarted,
        ),
        (Reply::failure(HttpError::Dns), Commit::NotStarted),
        (
            Reply::failure(HttpError::Tls("expired".to_owned())),
            Commit::NotStarted,
        ),
        (Reply::status(408), Commit::Unknown),
        (fault(500, "0x80040216"), Commit::Unknown),
        (Reply::status(502), Commit::Unknown),
        (Reply::failure(HttpError::Timeout), Commit::Unknown),
        (Reply::failure(HttpError::Lost), Commit::Unknown),
        (Reply::failure(HttpError::TooLarge(7)), Commit::Unknown),
        // It succeeded, and its response is lost.
        (
            Reply::body(201, "{\"name\":\"A\"}").gzipped().cut(),
            Commit::Done,
        ),
        (
            Reply::status(204).with("Content-Encoding", "br"),
            Commit::Done,
        ),
    ] {
        let (result, attempts) = send(vec![reply.clone(); 9], |it| it, Method::Post);
        let error = result.unwrap_err();
        assert_eq!(error.commit, commit, "{reply:?}: {error}");
        assert!(commit == Commit::NotStarted || attempts == 1, "{reply:?}");
        // A request that only reads changes nothing, whatever the failure.
        let (result, _) = send(vec![reply.clone(); 99], |it| it, Method::Get);
        if let Err(error) = result {
            assert_eq!(error.commit, Commit::NotStarted, "{reply:?}");
        }
    }
}

#[test]
fn only_what_is_safe_is_repeated() {
    let lost = || Reply::failure(HttpError::Lost);
    let (result, attempts) = send([lost()], |it| it, Method::Post);
    assert_eq!(result.unwrap_err().commit, Commit::Unknown);
    assert_eq!(attempts, 1);
    for method in [Method::Patch, Method::Put, Method::Delete] {
        let (result, attempts) = send([lost(), lost()], |it| it, method);
        assert!(result.is_ok(), "{method:?}");
        assert_eq!(attempts, 3);
    }
    let (result, attempts) = send(
        [lost(), Reply::status(503)],
        |it| it.idempotent().with_purpose("repeat it"),
        Method::Post,
    );
    assert!(result.is_ok());
    assert_eq!(attempts, 3);
    // A request that never started is repeated in any case.
    let throttled = Reply::status(429).with("Retry-After", "7");
    let rejected = Reply::failure(HttpError::Connect);
    let expired = Reply::status(401);
    let (result, attempts) = send([throttled, rejected, expired], |it| it, Method::Post);
    assert!(result.is_ok());
    assert_eq!(attempts, 4);
}

#[test]
fn an_earlier_attempt_that_may_have_changed_something_counts() {
    let gone = Reply::fault(404, "0x80040217", "It does not exist.");
    let (result, attempts) = send(
        [Reply::failure(HttpError::Timeout), gone],
        |it| it,
        Method::Delete,
    );
    let error = result.unwrap_err();
    assert_eq!((error.kind, attempts), (ErrorKind::NotFound, 2));
    assert_eq!(error.commit, Commit::Unknown);
}

#[test]
fn messages_say_what_the_request_was_for() {
    let fault = || [Reply::fault(400, "0x80044331", "Too long.")];
    let (named, _) = send(fault(), |it| it.with_purpose("create A"), Method::Post);
    let (unnamed, _) = send(fault(), |it| it, Method::Delete);
    for (result, words) in [
        (named, "cannot create A: Too long (0x80044331); "),
        (unnamed, "cannot delete accounts: Too long (0x80044331); "),
    ] {
        let error = result.unwrap_err();
        assert!(error.message.starts_with(words), "{error}");
    }
}
