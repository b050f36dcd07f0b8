mod batch;
mod batch_damage;
mod read_many;
mod write;

use std::cell::RefCell;
use std::collections::VecDeque;

use serde_json::{Value, json};

use super::attempt::USER_AGENT;
use super::*;
use crate::dataverse::{Prefer, Response};
use crate::error::{ErrorKind, Recovery};
use crate::host::HttpError;
use crate::host::Started;
use crate::simulation::{
    API_ROOT, RandomFaults, Reply, SECRET_NAME, SECRET_VALUE, SETTINGS, Simulation, address,
    signed_in,
};

const TOKEN_ENDPOINT: &str = "/oauth2/v2.0/token";
const ACCOUNTS: &str = "/accounts";

/// A host whose Web API gives these replies one after the other, then empty pages.
fn scripted(replies: impl IntoIterator<Item = Reply>) -> Rc<Simulation> {
    let replies = RefCell::new(replies.into_iter().collect::<VecDeque<_>>());
    signed_in(move |_| replies.borrow_mut().pop_front().unwrap_or_else(page))
}

fn page() -> Reply {
    Reply::json(&json!({"value": []}))
}

fn client(host: &Rc<Simulation>) -> Client<Simulation> {
    Client::new(Rc::clone(host), Settings::parse(SETTINGS).unwrap())
}

fn accounts(
    client: &Client<Simulation>,
) -> impl Future<Output = Result<Response, Error>> + 'static {
    let client = client.clone();
    let link = client.resource("accounts").unwrap();
    async move { client.get(&link, &Prefer::default()).await }
}

fn get(host: &Rc<Simulation>) -> Result<Response, Error> {
    host.block_on(accounts(&client(host)))
}

#[test]
fn a_response_without_content_has_no_rows() {
    let host = scripted([Reply::status(204)]);
    assert_eq!(get(&host).unwrap().body, br#"{"value":[]}"#);
}

fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn requests_carry_the_ordinary_headers_and_only_the_environment_gets_the_token() {
    let host = scripted([page().with("Set-Cookie", "ARRAffinity=1")]);
    let client = client(&host);
    let prefer = Prefer {
        max_page_size: Some(10),
        ..Prefer::default()
    };
    let link = client.resource("accounts?$select=name").unwrap();
    host.block_on(client.get(&link, &prefer)).unwrap();
    host.block_on(client.get(&link, &prefer)).unwrap();
    let requests = host.requests();
    let addresses: Vec<String> = requests.iter().map(address).collect();
    let data = format!("{API_ROOT}accounts?$select=name");
    let token = "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee\
                 /oauth2/v2.0/token";
    assert_eq!(addresses, [API_ROOT, token, data.as_str(), data.as_str()]);
    let ids: Vec<&str> = requests[2..]
        .iter()
        .map(|request| {
            let lines: Vec<(&str, &str)> = request
                .headers
                .iter()
                .map(|line| (&*line.name, &*line.value))
                .collect();
            let (id, others): (Vec<_>, Vec<_>) = lines
                .into_iter()
                .partition(|(name, _)| *name == "x-ms-client-request-id");
            assert_eq!(
                others,
                [
                    ("Authorization", "Bearer MARKER-token-1"),
                    ("Accept", "application/json"),
                    ("Accept-Encoding", "gzip"),
                    ("OData-MaxVersion", "4.0"),
                    ("OData-Version", "4.0"),
                    ("If-None-Match", "null"),
                    ("User-Agent", USER_AGENT),
                    ("Prefer", "odata.maxpagesize=10"),
                ]
            );
            id[0].1
        })
        .collect();
    assert_eq!(ids[0].len(), 36);
    assert_eq!(&ids[0][14..15], "4");
    assert!("89ab".contains(&ids[0][19..20]));
    assert_ne!(ids[0], ids[1]);
    for request in &requests[..2] {
        assert!(
            request
                .headers
                .iter()
                .all(|line| line.name != "Authorization")
        );
    }
}

#[test]
fn a_compressed_response_is_inflated_and_its_dop_hint_is_used() {
    let body = json!({"value": [{"name": "x".repeat(100_000)}]});
    let host = scripted([Reply::json(&body).gzipped().with("x-ms-dop-hint", "4")]);
    let client = client(&host);
    assert_eq!(client.spare_concurrency(), 2);
    let response = host.block_on(accounts(&client)).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&response.body).unwrap(),
        body
    );
    (0..20).for_each(|_| drop(host.block_on(accounts(&client))));
    assert_eq!(client.spare_concurrency(), 4);
}

#[test]
fn a_byte_order_mark_is_removed() {
    for gzipped in [false, true] {
        let reply = Reply::body(200, "\u{feff}{\"value\": []}");
        let host = scripted([if gzipped { reply.gzipped() } else { reply }]);
        assert_eq!(get(&host).unwrap().body, b"{\"value\": []}");
    }
}

#[test]
fn a_response_above_max_body_is_rejected() {
    let body = vec![b' '; 2_000];
    for (reply, limit, is_accepted) in [
        (Reply::body(200, body.clone()), 2_000, true),
        (Reply::body(200, body.clone()), 1_999, false),
        (Reply::body(200, body.clone()).gzipped(), 2_000, true),
        (Reply::body(200, body).gzipped(), 1_999, false),
    ] {
        let host = scripted([reply]);
        let outcome = host.block_on(accounts(&client(&host).with_max_body(limit)));
        let recovery = outcome.err().map(|error| error.recovery);
        assert_eq!(
            recovery,
            (!is_accepted).then_some(Some(Recovery::SmallerPages))
        );
    }
}

#[test]
fn a_rejected_token_is_renewed_once() {
    let host = scripted([Reply::status(401)]);
    get(&host).unwrap();
    assert_eq!(host.count(TOKEN_ENDPOINT), 2);
    assert_eq!(host.count(ACCOUNTS), 2);

    let host = signed_in(|_| Reply::status(401));
    let error = get(&host).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert_eq!(host.count(TOKEN_ENDPOINT), 2);
    assert_eq!(host.count(ACCOUNTS), 2);
}

#[test]
fn a_token_is_renewed_before_it_expires_and_shared_by_all() {
    let host = scripted([]);
    let client = client(&host);
    host.block_on(async {
        let ahead = [
            Started::new(accounts(&client)).await,
            Started::new(accounts(&client)).await,
            Started::new(accounts(&client)).await,
        ];
        for response in ahead {
            response.await.unwrap();
        }
    });
    assert_eq!(host.count(TOKEN_ENDPOINT), 1);
    assert_eq!(host.requests().len(), 5, "challenge, token, three pages");
    for (wait, tokens) in [(3_290, 1), (10, 2), (3_290, 2), (10_000, 3)] {
        host.advance(secs(wait));
        host.block_on(accounts(&client)).unwrap();
        assert_eq!(host.count(TOKEN_ENDPOINT), tokens, "after {wait} seconds");
    }
}

#[test]
fn a_request_sent_ahead_never_blocks_another() {
    let host = scripted([]);
    let client = client(&host);
    // The first has started to sign in, and is not polled any more.
    let ahead = host.block_on(Started::new(accounts(&client)));
    host.block_on(accounts(&client)).unwrap();
    host.advance(secs(600));
    host.block_on(ahead).unwrap();
    let dropped = host.block_on(Started::new(accounts(&client)));
    drop(dropped);
    assert_eq!(client.spare_concurrency(), 2);
    assert_eq!(host.count(TOKEN_ENDPOINT), 1);
}

#[test]
fn retry_after_is_obeyed_exactly_by_the_whole_session() {
    let throttled = || {
        Reply::fault(429, "0x80072322", "Number of requests exceeded.").with("Retry-After", "17")
    };
    let host = scripted([throttled(), throttled()]);
    get(&host).unwrap();
    assert_eq!(host.count(ACCOUNTS), 3);
    // Five exchanges of 10 ms and two pauses.
    assert_eq!(host.now(), Duration::from_millis(5 * 10) + secs(34));

    let host = scripted([throttled()]);
    let client = client(&host);
    host.block_on(async {
        let first = Started::new(accounts(&client)).await;
        first.await.unwrap();
        let began = host.now();
        client
            .shared
            .rate_limiter
            .on_throttled(began, Some(secs(5)));
        accounts(&client).await.unwrap();
        assert_eq!(host.now(), began + secs(5) + Duration::from_millis(10));
    });
}

#[test]
fn a_retry_after_beyond_max_wait_is_returned_to_the_caller() {
    let host = scripted([Reply::status(429).with("Retry-After", "301")]);
    let client = client(&host);
    for _ in 0..2 {
        let error = host.block_on(accounts(&client)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Throttled);
        assert!(error.retry_after.unwrap() > secs(300));
    }
    // The second call failed without a request.
    assert_eq!(host.count(ACCOUNTS), 1);
    host.advance(secs(300));
    host.block_on(accounts(&client)).unwrap();
}

#[test]
fn temporary_failures_are_retried() {
    for reply in [
        Reply::status(429),
        Reply::fault(
            429,
            "-2147015898",
            "Number of concurrent requests exceeded.",
        ),
        Reply::status(503),
        Reply::body(502, "<html>Bad Gateway</html>"),
        Reply::status(504).with("Retry-After", "Thu, 01 Jan 2026 00:01:00 GMT"),
        Reply::fault(500, "0x80044151", "SQL timeout"),
        Reply::failure(HttpError::Lost),
        Reply::failure(HttpError::Connect),
        page().after(secs(121)),
        page().gzipped().cut(),
        page().with("Content-Encoding", "br"),
    ] {
        let host = scripted([reply.clone(), reply.clone()]);
        get(&host).unwrap_or_else(|error| panic!("{reply:?}: {error}"));
        assert_eq!(host.count(ACCOUNTS), 3, "{reply:?}");
    }
}

#[test]
fn retries_are_bounded_by_max_wait() {
    for (reply, attempts, kind, words) in [
        (
            Reply::status(503),
            12..60,
            ErrorKind::Unavailable,
            "status 503",
        ),
        (
            page().after(secs(121)),
            3..4,
            ErrorKind::Unavailable,
            "no response in time",
        ),
        (
            Reply::status(500),
            4..5,
            ErrorKind::Unavailable,
            "status 500",
        ),
        (
            page().with("Content-Encoding", "br"),
            4..5,
            ErrorKind::Unavailable,
            "encoding that was not requested",
        ),
        (
            Reply::failure(HttpError::Dns),
            4..5,
            ErrorKind::Unavailable,
            "check the address",
        ),
        (
            Reply::failure(HttpError::Denied),
            1..2,
            ErrorKind::InvalidSettings,
            "allow the origin in the host",
        ),
        (
            Reply::failure(HttpError::Tls("expired".into())),
            1..2,
            ErrorKind::Unavailable,
            "expired",
        ),
        (
            Reply::status(302).with("Location", "/x"),
            1..2,
            ErrorKind::InvalidSettings,
            "/x",
        ),
        (
            Reply::body(200, vec![b' '; MAX_BODY + 1]).gzipped(),
            1..2,
            ErrorKind::Unsupported,
            "smaller pages",
        ),
    ] {
        let host = signed_in(move |_| reply.clone());
        let error = get(&host).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(words), "{error}");
        assert!(
            attempts.contains(&host.count(ACCOUNTS)),
            "{error}: {}",
            host.count(ACCOUNTS)
        );
        assert!(host.now() <= secs(300 + 121), "{error}: {:?}", host.now());
        let too_large = error.message.contains("smaller pages");
        assert_eq!(error.recovery, too_large.then_some(Recovery::SmallerPages));
    }
}

#[test]
fn json_that_stays_damaged_is_an_error_that_names_the_resource() {
    let broken = || Reply::body(200, "{\"value\": [");
    let host = scripted((0..7).map(|_| broken()));
    let client = client(&host);
    let link = client.resource("WhoAmI").unwrap();
    let read = || host.block_on(client.get_json(&link, &Prefer::default()));
    let error = read().unwrap_err();
    assert_eq!(host.count("WhoAmI"), 4);
    // The next time three replies are broken, and the fourth is whole.
    assert_eq!(read().unwrap(), b"{\"value\":[]}");
    assert_eq!(host.count("WhoAmI"), 8);
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(
        error
            .message
            .starts_with("cannot read WhoAmI: the response is not as expected (it is cut off"),
        "{error}"
    );
}

#[test]
fn a_token_that_the_service_repeats_stays_out_of_messages() {
    let echo = Reply::fault(400, "0x80040203", "Bad header: Bearer MARKER-token-1.")
        .with("x-ms-service-request-id", "MARKER-token-1");
    let host = scripted([echo]);
    let error = get(&host).unwrap_err();
    assert!(error.message.contains("Bad header: Bearer …"), "{error}");
    assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
    assert!(!format!("{:?}", host.requests()[2]).contains("MARKER"));
}

/// Runs 200 seeds of random temporary failures: the page is read despite them.
#[test]
fn random_temporary_failures_are_survived() {
    for seed in 0..200 {
        let host = scripted([]);
        let client = client(&host);
        // Only the first request to an environment fails after few attempts.
        host.block_on(accounts(&client)).unwrap();
        host.set_random_faults(Some(RandomFaults::new(seed, 2)));
        for _ in 0..5 {
            host.block_on(accounts(&client))
                .map(drop)
                .or_else(|error| match error.fault {
                    // Four database timeouts in a row are a reason to request less.
                    Some(fault) if fault.code == "0x80044151" => Ok(()),
                    _ => Err(format!("seed {seed}: {error}")),
                })
                .unwrap();
        }
    }
}

#[test]
fn max_wait_bounds_signing_in_and_the_call_together() {
    let tokens = Cell::new(0);
    let host = Simulation::new(move |request| {
        let busy = Reply::status(503).with("Retry-After", "200");
        if !address(request).ends_with(TOKEN_ENDPOINT) {
            return busy;
        }
        tokens.set(tokens.get() + 1);
        match tokens.get() {
            1 => busy,
            _ => Reply::json(&json!({"access_token": "MARKER", "expires_in": 3599})),
        }
    });
    host.set_secret(SECRET_NAME, Ok(SECRET_VALUE));
    let settings = SETTINGS.replacen('{', "{\"tenant\": \"t.example\",", 1);
    let client = Client::new(Rc::clone(&host), Settings::parse(&settings).unwrap());
    let error = host.block_on(accounts(&client)).unwrap_err();
    // The token took 200 seconds of the 300; the other 200 do not fit.
    assert_eq!(error.retry_after, Some(secs(200)), "{error}");
    assert_eq!((host.count(TOKEN_ENDPOINT), host.count(ACCOUNTS)), (2, 1));
    assert!(host.now() < secs(201));
    // The next call has a budget of its own.
    host.block_on(accounts(&client)).unwrap_err();
    assert_eq!((host.count(TOKEN_ENDPOINT), host.count(ACCOUNTS)), (2, 3));
}
