//! Requests that change something: what they carry, when they are repeated, and what may have
//! happened when they fail.

use super::super::*;
use super::{client, scripted, secs};
use crate::dataverse::Request;
use crate::error::{Commit, ErrorKind};
use crate::host::{HttpError, Method, SecretError, Started};
use crate::simulation::{API_ROOT, Reply, SECRET_NAME, Simulation, signed_in_with_batches};

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
        .unwrap()
        .with_header("If-None-Match", "*")
        .unwrap()
        .with_header("CallerObjectId", KEY)
        .unwrap()
        .with_header("Accept", "application/json;odata.metadata=none")
        .unwrap()
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
        // Only a code or a status of its own says that the limiter turned the request away.
        (Reply::status(503).with("Retry-After", "1"), Commit::Unknown),
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

#[test]
fn an_error_before_the_repeated_attempt_does_not_hide_the_lost_one() {
    let write = |client: &Client<Simulation>| {
        let client = client.clone();
        async move {
            let link = client.resource(&format!("accounts({KEY})"))?;
            let request = Request::new(Method::Patch, &link).with_json("{}");
            client.send(&request).await
        }
    };
    // The service wants no requests for longer than the call may wait.
    let host = scripted([Reply::failure(HttpError::Lost)]);
    let client = client(&host);
    let error = host.block_on(async {
        client.sign_in().await.unwrap();
        let write = Started::new(write(&client)).await;
        let limiter = &client.shared.rate_limiter;
        limiter.on_throttled(host.now(), Some(secs(600)));
        write.await.unwrap_err()
    });
    assert_eq!(
        (error.kind, error.commit),
        (ErrorKind::Throttled, Commit::Unknown)
    );

    // There is no other token.
    let host = scripted([Reply::failure(HttpError::Lost), Reply::status(401)]);
    let client = self::client(&host);
    host.block_on(client.sign_in()).unwrap();
    host.set_secret(SECRET_NAME, Err(SecretError::NotFound));
    let error = host.block_on(write(&client)).unwrap_err();
    assert_eq!(
        (error.kind, error.commit),
        (ErrorKind::Unauthenticated, Commit::Unknown)
    );
}

#[test]
fn a_conflict_after_a_lost_response_is_told_from_one_without() {
    let conflict = |code| Reply::fault(412, code, "It exists.");
    for (code, method) in [("0x80040237", Method::Post), ("0x80060882", Method::Patch)] {
        let outcome = |replies: Vec<Reply>| {
            let error = send(
                replies,
                |it| it.idempotent().with_purpose("write A"),
                method,
            )
            .0
            .unwrap_err();
            (error.kind, error.commit)
        };
        assert_eq!(
            outcome(vec![conflict(code)]),
            (ErrorKind::Conflict, Commit::NotStarted)
        );
        assert_eq!(
            outcome(vec![Reply::failure(HttpError::Lost), conflict(code)]),
            (ErrorKind::Conflict, Commit::Unknown)
        );
    }
}

#[test]
fn a_header_value_that_http_cannot_carry_is_an_error() {
    let host = scripted([]);
    let client = client(&host);
    let link = client.resource("accounts").unwrap();
    for value in ["a\r\nX: y", "a\nb", "\0", "\u{7f}", "Müller"] {
        let request = Request::new(Method::Post, &link).with_purpose("create A");
        let error = request.with_header("x-ms-file-name", value).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidData);
        assert!(
            error
                .message
                .starts_with("cannot create A: the value of the header x-ms-file-name may only"),
            "{error}"
        );
    }
}

#[test]
fn a_write_with_a_long_address_that_is_not_answered_for_is_uncertain() {
    let long = format!("accounts(name='{}')", "x".repeat(40_000));
    for reply in [
        Reply::body(200, "--x\r\n").with("Content-Type", "multipart/mixed; boundary=x"),
        Reply::body(200, "{}"),
        Reply::batch([]),
        Reply::batch([Reply::status(204)]).gzipped().cut(),
        Reply::status(204),
    ] {
        let host = signed_in_with_batches(move |_| reply.clone());
        let client = client(&host);
        let link = client.resource(&long).unwrap();
        let request = Request::new(Method::Post, &link).with_json("{}");
        let error = host.block_on(client.send(&request)).unwrap_err();
        assert_eq!(error.commit, Commit::Unknown, "{error}");
        assert_eq!(host.count("$batch"), 1);
    }
}

#[test]
fn a_file_is_uploaded_in_parts() {
    let host = scripted([
        Reply::status(200)
            .with(
                "Location",
                format!("{API_ROOT}accounts({KEY})/file?sessiontoken=a%2Fb"),
            )
            .with("x-ms-chunk-size", "4194304"),
        Reply::status(206),
        Reply::status(204).with("x-ms-session-token", "s"),
    ]);
    let client = client(&host);
    let first = client
        .resource(&format!("accounts({KEY})/file?x-ms-file-name=a%C3%A4.pdf"))
        .unwrap();
    let opening = Request::new(Method::Patch, &first)
        .with_header("x-ms-transfer-mode", "chunked")
        .unwrap();
    let opened = host.block_on(client.send(&opening)).unwrap();
    let session = client.link(opened.header("location").unwrap()).unwrap();
    for (range, status) in [("bytes 0-1/4", 206), ("bytes 2-3/4", 204)] {
        let part = Request::new(Method::Patch, &session)
            .with_header("Content-Range", range)
            .unwrap()
            .with_body("application/octet-stream", &b"\r\n"[..]);
        let response = host.block_on(client.send(&part)).unwrap();
        assert_eq!(response.status, status);
    }
    let sent = host.requests();
    let last = sent.last().unwrap();
    assert!(
        last.target
            .path_and_query
            .ends_with("/file?sessiontoken=a%2Fb")
    );
    assert!(headers(&host).contains(&("Content-Range".to_owned(), "bytes 2-3/4".to_owned())));
}

#[test]
fn a_token_that_expires_during_a_pause_is_renewed() {
    let host = scripted([Reply::status(429).with("Retry-After", "290")]);
    let client = client(&host);
    host.block_on(client.sign_in()).unwrap();
    host.advance(secs(3_250));
    let link = client.resource("accounts").unwrap();
    let request = Request::new(Method::Post, &link).with_json("{}");
    host.block_on(client.send(&request)).unwrap();
    let token = (
        "Authorization".to_owned(),
        "Bearer MARKER-token-2".to_owned(),
    );
    assert!(headers(&host).contains(&token));
}

#[test]
fn a_token_that_is_rejected_for_ever_is_renewed_once() {
    let host = scripted(vec![Reply::status(401); 9]);
    let client = client(&host);
    let link = client.resource("accounts").unwrap();
    let request = Request::new(Method::Post, &link).with_json("{}");
    let error = host.block_on(client.send(&request)).unwrap_err();
    assert_eq!(
        (error.kind, error.commit),
        (ErrorKind::Unauthenticated, Commit::NotStarted)
    );
    assert_eq!((host.count("/token"), host.count("/accounts")), (2, 2));
}
